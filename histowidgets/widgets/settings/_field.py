"""A field of the form: label, kind, and conversion between entries and values of `TrainingSettings`."""

import re
from typing import Any

from histowidgets.training import TrainingSettings, setting_range
from histowidgets.widgets.settings._setting_text import choices_of, kind_of, label, text_of, value_words

# Placeholders: the meaning of an empty field, or an example.
_EMPTY = {
    "max_seconds": "no limit",
    "steps_per_epoch": "all",
    "channels": "all channels",
    "pixel_size_um": "as most images",
    "class_weights": "Lumen=2, Stroma=0.5",
    "focus_class": "all classes",
    "normalization_low": "as 0",
    "normalization_high": "as 4095",
}
# Ranges that need no mention, since the control shows them.
_PLAIN = ("see its help", "text", "true or false", "a number")
_WEIGHT = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,="]+?))\s*=\s*([^,]+?)\s*(?:,|$)')
_NAME = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,"]+))\s*(?:,|$)')


class Field:
    """A field of the form; `entry` and `value` are inverses.

    Parameters
    ----------
    name
        A field of `TrainingSettings`.
    """

    def __init__(self, name: str) -> None:
        about = TrainingSettings.model_fields[name]
        extra = about.json_schema_extra if isinstance(about.json_schema_extra, dict) else {}
        self.name = name
        self.section = str(extra.get("section", ""))
        self.unit = str(extra.get("unit", ""))
        self.help = about.description or label(name)
        self.range = setting_range(name)
        offered = choices_of(name)
        self._values = None if offered is None else dict(offered)
        self.kind = self._kind()

    def _kind(self) -> str:
        if self._values is not None:
            return "choice"
        kind, _ = kind_of(self.name)
        if kind is bool:
            return "flag"
        return "number" if kind in (int, float) else "text"

    def for_page(self, short: bool) -> dict[str, Any]:
        """Return a description of the field for the page, as JSON."""
        help_text = self.help
        if self.kind == "number" and self.range not in _PLAIN:
            help_text += f" {self.range[:1].upper()}{self.range[1:]}."
        return {
            "name": self.name,
            "label": label(self.name),
            "section": "" if short else self.section,
            "kind": self.kind,
            "choices": list(self._values or ()),
            "unit": self.unit if self.kind == "number" else "",
            "help": help_text,
            "placeholder": _EMPTY.get(self.name, "automatic" if kind_of(self.name)[1] else ""),
        }

    def entry(self, value: Any) -> str | bool:
        """Return a value as the control shows it; a choice that was not offered before is added."""
        if self._values is not None:
            words = value_words(value) if value not in self._values.values() else self._words_of(value)
            self._values.setdefault(words, value)
            return words
        return bool(value) if self.kind == "flag" else text_of(value)

    def words(self, value: Any) -> str:
        """Return a value with its unit as text."""
        if isinstance(value, dict):
            return text_of(value) or "none"
        if self.kind == "number" and value is not None:
            return f"{text_of(value)} {self.unit}".rstrip()
        return value_words(value)

    def _words_of(self, value: Any) -> str:
        offered = self._values or {}
        return next(words for words, one in offered.items() if one == value and type(one) is type(value))

    def value(self, entry: Any) -> Any:
        """Convert an entry to the type of the field, without checking its range.

        Raises
        ------
        ValueError
            If the entry is invalid; the message says what is expected.
        """
        if self._values is not None:
            if entry not in self._values:
                raise ValueError(f"{entry!r} is not one of the choices.")
            return self._values[entry]
        if self.kind == "flag":
            if not isinstance(entry, bool):
                raise ValueError(f"Expected yes or no, not {entry!r}.")
            return entry
        return parse(self.name, str(entry))


def parse(name: str, text: str) -> Any:
    """Convert text to the type of the field `name`, without checking its range.

    Raises
    ------
    ValueError
        If the text is invalid; the message says what is expected.
    """
    kind, optional = kind_of(name)
    text = text.strip()
    if kind is dict:
        return _parse_weights(text)
    if kind is tuple:
        return _parse_names(text)
    if not text:
        if optional:
            return None
        raise ValueError("A value is needed here.")
    if kind is str:
        return text
    # Accept a decimal comma, common in Europe; no field takes a thousands separator.
    plain = text.replace(",", ".") if text.count(",") == 1 and "." not in text else text
    try:
        number = float(plain)
    except ValueError:
        raise ValueError(f"{text[:20]!r} is not a number.") from None
    return int(number) if kind is int and number.is_integer() else number


def _parse_weights(text: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    at = 0
    while at < len(text):
        found = _WEIGHT.match(text, at)
        if found is None:
            raise ValueError("Write class=weight, such as Lumen=2, Stroma=0.5.")
        quoted, plain, weight = found.groups()
        name = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain
        try:
            weights[name] = float(weight)
        except ValueError:
            raise ValueError(f"{weight[:20]!r} is not a number.") from None
        at = found.end()
    return weights


def _parse_names(text: str) -> tuple[str, ...]:
    """Parse names separated by commas; a name that contains a comma is quoted."""
    names = []
    for quoted, plain in _NAME.findall(text):
        names.append(re.sub(r"\\(.)", r"\1", quoted) if quoted else plain.strip())
    if any(not name for name in names):
        raise ValueError("Write names separated by commas, such as DAPI, CD3.")
    return tuple(names)
