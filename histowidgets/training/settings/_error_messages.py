"""Descriptions of what settings accept, and messages for rejected values. No torch."""

import difflib
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError

from histowidgets.models import FREEZE_CHOICES

#: Lowest and highest weight of a class.
WEIGHT_RANGE = (0.1, 10.0)

Settings = type[BaseModel]

_KINDS: dict[Any, str] = {
    bool: "true or false",
    bool | None: "true, false or nothing",
    float | None: "a number or nothing",
    str | None: "a name or nothing",
    tuple[str, ...]: "channel names, each once",
    dict[str, float]: f"class names with numbers from {WEIGHT_RANGE[0]:g} to {WEIGHT_RANGE[1]:g}",
    str | tuple[str, ...]: f"{', '.join(FREEZE_CHOICES)}, or a list of groups such as stem, block1",
}


def range_in_words(settings: Settings, name: str) -> str:
    """Describe the values that a field accepts, such as ``"1 to 64"``."""
    for option in _options(settings, name):
        if "enum" in option:
            return ", ".join(str(value) for value in option["enum"])
        if "minimum" in option and "maximum" in option:
            text = f"{option['minimum']:g} to {option['maximum']:g}"
            return text + (f" in steps of {option['multipleOf']}" if "multipleOf" in option else "")
    return _KINDS.get(settings.model_fields[name].annotation, "text")


def accepts_bool(settings: Settings, name: str) -> bool:
    """Return whether a field is a switch."""
    return any(option.get("type") == "boolean" for option in _options(settings, name))


def explain(settings: Settings, error: ValidationError) -> str:
    """Convert pydantic's errors to one sentence for each field."""
    lines: dict[str, str] = {}
    for item in error.errors():
        name = str(item["loc"][0]) if item["loc"] else ""
        if item["type"] == "extra_forbidden":
            close = difflib.get_close_matches(name, settings.model_fields, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else "."
            lines.setdefault(name, f"There is no setting {name!r}{hint}")
        elif item["type"] == "value_error":
            what = str(item["ctx"]["error"])
            lines.setdefault(name, f"{name} is {item['input']!r}: {what}." if name else f"{what}.")
        else:
            lines.setdefault(name, f"{name} is {item['input']!r}; it takes {range_in_words(settings, name)}.")
    return " ".join(lines.values())


def _options(settings: Settings, name: str) -> list[dict[str, Any]]:
    """Return the JSON schemas of what a field accepts."""
    schema = _schemas(settings)[name]
    return [schema, *schema.get("anyOf", [])]


@cache
def _schemas(settings: Settings) -> dict[str, dict[str, Any]]:
    schemas: dict[str, dict[str, Any]] = settings.model_json_schema()["properties"]
    return schemas
