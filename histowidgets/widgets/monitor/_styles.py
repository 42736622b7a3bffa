"""The colours and dashes of lines in the charts. Independent of widgets and the page."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from histowidgets._colors import hex_to_rgb


class Style(NamedTuple):
    """The style of a line: colour, dashes and width."""

    color: str
    dash: str = "solid"
    width: float = 2.0


TRAIN, VALIDATION, RATE = Style("#0072B2", "solid"), Style("#D55E00", "dashed"), Style("#8F6BB3", "solid")

# Okabe-Ito colours without the two above, for classes without a colour.
_CLASS_COLORS = ("#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#F0E442", "#999999")
_CLASS_DASHES = ("solid", "dash_dotted", "dashed", "dotted")
# Relative luminance above which a thin line is lost on white; this leaves a contrast of 2.2 to 1.
_LIGHTEST = 0.42


def visible_on_both(color: str) -> str:
    """Return a colour as ``"#rrggbb"``, darkened if a thin line in it would be lost on a white page."""
    try:
        parts = [value / 255 for value in hex_to_rgb(color)]
    except ValueError:
        return color
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    if luminance <= _LIGHTEST:
        return color
    # An approximation: display values grow with about the power 1 / 2.2 of light.
    factor = (_LIGHTEST / luminance) ** (1 / 2.2)
    return "#" + "".join(f"{round(255 * c * factor):02x}" for c in parts)


def class_styles(names: Sequence[str], colors: Mapping[str, str]) -> dict[str, Style]:
    """Return a style for each class; neighbours in the list also differ in their dashes."""
    return {
        name: Style(
            visible_on_both(colors.get(name, _CLASS_COLORS[i % len(_CLASS_COLORS)])),
            _CLASS_DASHES[i % len(_CLASS_DASHES)],
            1.75,
        )
        for i, name in enumerate(names)
    }
