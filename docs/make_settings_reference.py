"""Write `docs/reference/settings.md` from `TrainingSettings`: `python docs/make_settings_reference.py`."""

import json
from pathlib import Path

from histowidgets.training import TrainingSettings, setting_range

PAGE = Path(__file__).resolve().parent / "reference" / "settings.md"
HEAD = """# Training settings

Every field of `hw.TrainingSettings`, with its default, the values it accepts, and what it does. The form in the studio,
the command line and `settings.json` use the same fields. The form shows those in **bold** at once, and the others under
*More settings*. This page is written by `docs/make_settings_reference.py`.

```python
import histowidgets as hw

settings = hw.TrainingSettings.preset("cpu")
settings = settings.model_copy(update={"epochs": 20, "class_weights": {"Stroma": 2.0}})
print(settings.to_json()[:20])
```
"""


def page():
    """Return the text of the page."""
    sections = {}
    schema = TrainingSettings.model_json_schema()["properties"]
    for name, field in TrainingSettings.model_fields.items():
        extra = schema[name]
        shown = f"**`{name}`**" if extra["basic"] else f"`{name}`"
        unit = f" ({extra['unit']})" if extra["unit"] else ""
        row = f"| {shown} | {_value(field.default)} | {setting_range(name)}{unit} | {field.description} |"
        sections.setdefault(extra["section"], []).append(row)
    parts = [HEAD]
    for title, rows in sections.items():
        parts.append(
            "\n".join([f"## {title}", "", "| setting | default | values | what it does |", "|---|---|---|---|", *rows])
        )
    return "\n\n".join(part.strip("\n") for part in [*parts, _presets()]) + "\n"


def _presets():
    default = TrainingSettings()
    rows = []
    for name in TrainingSettings.preset_names():
        preset = TrainingSettings.preset(name)
        changed = [f for f in TrainingSettings.model_fields if getattr(preset, f) != getattr(default, f)]
        words = ", ".join(f"`{f}` {_value(getattr(preset, f))}" for f in changed) or "the defaults above"
        rows.append(f"| `{name}` | {words} |")
    head = "## Presets\n\nThe settings that differ from the defaults.\n\n| preset | settings |\n|---|---|\n"
    return head + "\n".join(rows)


def _value(value):
    if value is None or value == ():
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return ", ".join(value)
    return value if isinstance(value, str) and value else json.dumps(value)


def main():
    """Write the page."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
