"""The colours and dashes of the lines in the charts. Knows neither a widget nor the page."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from histowidgets._colors import hex_to_rgb


class Style(NamedTuple):
    """How a line differs from the others: its colour, its dashes and its width."""

    color: str
    dash: str = "solid"
    width: float = 2.0


TRAIN, VALIDATION, RATE = Style("#0072B2", "solid"), Style("#D55E00", "dashed"), Style("#8F6BB3", "solid")

# Okabe-Ito without the two colours above; for classes without a colour.
_CLASS_COLORS = ("#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#F0E442", "#999999")
_CLASS_DASHES = ("solid", "dash_dotted", "dashed", "dotted")
# Relative luminance above which a thin line is lost on white; a contrast of 2.2 to 1 is left.
_LIGHTEST = 0.42


def visible_on_both(color: str) -> str:
    """Return ``"#rrggbb"``, darkened where a thin line of `color` would be lost on a white page."""
    try:
        parts = [value / 255 for value in hex_to_rgb(color)]
    except ValueError:
        return color
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    if luminance <= _LIGHTEST:
        return color
    # Close enough: display values grow with about the power 1 / 2.2 of light.
    factor = (_LIGHTEST / luminance) ** (1 / 2.2)
    return "#" + "".join(f"{round(255 * c * factor):02x}" for c in parts)


def class_styles(names: Sequence[str], colors: Mapping[str, str]) -> dict[str, Style]:
    """Return a style for each class; neighbours in the list differ in their dashes as well."""
    return {
        name: Style(
            visible_on_both(colors.get(name, _CLASS_COLORS[i % len(_CLASS_COLORS)])),
            _CLASS_DASHES[i % len(_CLASS_DASHES)],
            1.75,
        )
        for i, name in enumerate(names)
    }
