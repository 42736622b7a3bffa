"""Write `docs/reference/backbones.md` from `hw.backbones`: `python docs/make_backbones_reference.py`."""

from pathlib import Path

from histowidgets.models import ARCHITECTURES, backbones

PAGE = Path(__file__).resolve().parent / "reference" / "backbones.md"
HEAD = """# Backbones

What `TrainingSettings.backbone` takes, with the size of the encoder, the licence of its weights, and where they come
from. Weights are scaled as they expect it inside the network, so that pixels go in from 0 to 1. What must not be used
commercially says so before it loads. `docs/make_backbones_reference.py` writes this page; `hw.backbones()` shows the
same table in a notebook.

```python
import histowidgets as hw

card = hw.backbones()[0]
print(card.name, card.parameters, card.licence, card.weights, card.mean, card.std)
```
"""
TAIL = f"""## Others by name

Any encoder of segmentation-models-pytorch (such as `densenet121` or `mit_b2`) or timm (such as `convnext_tiny`) is
taken by its name, if it can work on tiles of any size; `histowidgets.models.find_backbone(name)` returns its card. A
backbone that the architecture cannot carry is refused before a run starts.

## Architectures

{", ".join(f"`{name}`" for name in ARCHITECTURES)}. Each takes every backbone of the first table; `dpt` takes vision
transformers, and they take only it.
"""
_PLACES = {
    "bundled": "in the installation",
    "package": "the extra `backbones`",
    "hub": "hub, fetched once",
    "none": "none",
}


def page():
    """Return the text of the page."""
    usual = backbones()
    foundation = [card for card in backbones(foundation=True) if card.foundation]
    parts = [
        HEAD,
        _table("On offer", usual),
        _table("Foundation encoders", foundation)
        + "\n\nLarge, for a GPU, used frozen, with architecture `dpt`; `hw.backbones(foundation=True)` has them too.",
        TAIL,
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _table(title, cards):
    head = "| backbone | parameters | licence of the weights | commercial use | weights | input scaling | when |"
    rows = [
        f"| `{c.name}` | {c.parameters / 1e6:.1f} M | {c.licence} | {'yes' if c.commercial_use else '**no**'} "
        f"| {_PLACES[c.weights]}{f', `{c.repository}`' if c.repository else ''} "
        f"| ({_numbers(c.mean)}) / ({_numbers(c.std)}) | {c.note} |"
        for c in cards
    ]
    return "\n".join([f"## {title}", "", head, "|---" * 7 + "|", *rows])


def _numbers(values):
    return ", ".join(f"{value:.3g}" for value in values)


def main():
    """Write the page."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
