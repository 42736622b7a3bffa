"""Fields for what counts as an object, and for the class that is background."""

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets

from histowidgets.widgets.common import full_width

_NONE = "none"


class ObjectOptions(ipywidgets.VBox):
    """Least area, holes to fill, simplification of outlines, and the background class.

    Parameters
    ----------
    on_background
        Called when another background class is chosen.
    """

    def __init__(self, on_background: Callable[[], None]) -> None:
        self._least = _number(
            "Min. area (µm²)", 10.0, "Smaller areas are left out; in px² if the image has no pixel size"
        )
        self._holes = _number("Fill holes (µm²)", 0.0, "Holes up to this area are filled; 0 fills none")
        self._simplify = _number(
            "Simplify (µm)", 0.0, "How far outlines may move off the pixel edges; areas stay the same"
        )
        self._background = full_width(
            ipywidgets.Dropdown(
                options=[_NONE],
                description="Background",
                tooltip="The class of empty glass, which is not counted as tissue",
            )
        )
        self._background.observe(lambda _: on_background(), names="value")
        super().__init__([self._least, self._holes, self._simplify, self._background])

    def offer(self, classes: Sequence[str]) -> None:
        """Offer these classes as the background."""
        options = [_NONE, *classes]
        if list(self._background.options) != options:
            kept = self._background.value
            with self._background.hold_trait_notifications():
                self._background.options = options
                self._background.value = kept if kept in options else _NONE

    @property
    def background(self) -> tuple[str, ...]:
        """Classes that are not tissue."""
        index = self._background.index
        return (str(self._background.value),) if index else ()

    @property
    def objects(self) -> dict[str, Any]:
        """Arguments of `PredictionResults.objects`."""
        return {
            "min_area_um2": self._least.value,
            "fill_holes_um2": self._holes.value,
            "simplify_um": self._simplify.value,
        }


def _number(label: str, value: float, tip: str) -> ipywidgets.BoundedFloatText:
    return full_width(ipywidgets.BoundedFloatText(value=value, min=0.0, max=1e9, description=label, tooltip=tip))
