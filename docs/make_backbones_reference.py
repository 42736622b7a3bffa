"""Write `docs/reference/backbones.md` from `hw.backbones`: `python docs/make_backbones_reference.py`."""

from pathlib import Path

from histowidgets.models import ARCHITECTURES, backbones, hub_address

PAGE = Path(__file__).resolve().parent / "reference" / "backbones.md"
HEAD = """# Backbones

The values of `TrainingSettings.backbone`, with the size of the encoder, the licence of its weights, and where they come
from. The network itself scales pixels as its weights expect, so its input ranges from 0 to 1. A warning precedes the
loading of weights that must not be used commercially. This page is written by `docs/make_backbones_reference.py`;
`hw.backbones()` shows the same table in a notebook.

```python
import histowidgets as hw

card = hw.backbones()[0]
print(card.name, card.parameters, card.licence, card.weights, card.mean, card.std)
```
"""
FOUNDATION = """Listed by `hw.backbones(foundation=True)`, and used frozen: by the quick learner
(`hw.quick_classifier(project, backbone="phikon")`, see
[The quick learner on another encoder](../how-to/frozen-encoder.md)), or with the architecture `dpt` if their patches
have 16 pixels. The large ones need a GPU. "Gated" means that the hub asks for an account and for agreement to terms:
open the page of the repository, ask for access, and run `hf auth login`."""
PINS = """## Pinned revisions

The commit that is taken, whatever is added to the repository later. `histowidgets weights` lists, fetches and checks
them: see [Weights](../how-to/weights.md).
"""
TAIL = f"""## Other encoders

Any encoder of segmentation-models-pytorch (such as `densenet121` or `mit_b2`) or timm (such as `convnext_tiny`) can be
used by its name, if it works on tiles of any size; `histowidgets.models.find_backbone(name)` returns its card. A
backbone that does not fit the architecture is refused before a run starts.

## Architectures

{", ".join(f"`{name}`" for name in ARCHITECTURES)}. Each works with every backbone of the first table, except `dpt`,
which works with vision transformers; these work only with `dpt`.
"""
_PLACES = {
    "bundled": "in the installation",
    "package": "the extra `backbones`",
    "hub": "hub, downloaded once",
    "none": "none",
}
_UNPINNED = "none: the main branch, since we could not look its commit up; the classifier names what was taken"
_COMMERCIAL = {True: "yes", False: "**no**", None: "see the licence"}


def page():
    """Return the text of the page."""
    usual = backbones()
    foundation = [card for card in backbones(foundation=True) if card.foundation]
    parts = [
        HEAD,
        _table("Available backbones", usual),
        _table("Foundation encoders", foundation) + "\n\n" + FOUNDATION,
        _pins([*usual, *foundation]),
        TAIL,
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _table(title, cards):
    head = "| backbone | parameters | licence of the weights | commercial use | weights | input scaling | when |"
    rows = [
        f"| `{c.name}` | {c.parameters / 1e6:.1f} M | {c.licence} | {_COMMERCIAL[c.commercial_use]} "
        f"| {_PLACES[c.weights]}{f', `{c.repository}`' if c.repository else ''}{', gated' if c.gated else ''} "
        f"| ({_numbers(c.mean)}) / ({_numbers(c.std)}) | {c.note} |"
        for c in cards
    ]
    return "\n".join([f"## {title}", "", head, "|---" * 7 + "|", *rows])


def _pins(cards):
    rows = []
    for card in cards:
        if card.weights == "hub":
            repository, revision = hub_address(card)
            rows.append(f"| `{card.name}` | `{repository}` | {f'`{revision}`' if revision else _UNPINNED} |")
    return "\n".join([PINS, "| backbone | repository | commit |", "|---|---|---|", *rows])


def _numbers(values):
    return ", ".join(f"{value:.3g}" for value in values)


def main():
    """Write the page."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
