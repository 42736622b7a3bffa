"""Fields for what counts as an object, how touching ones are split, and which class is background."""

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets

from histowidgets.annotations import is_ignored_class
from histowidgets.widgets.common import full_width, link_slider

_NONE = "none"
#: Words in the names of classes that are areas, rather than objects to count.
_AREAS = ("background", "empty", "fat", "glass", "lumen", "other", "stroma", "tissue")
_WAYS = [("shape", "distance"), ("shape and probability", "probability")]


class ObjectOptions(ipywidgets.VBox):
    """Least area, holes to fill, simplification of outlines, and the background class.

    The fields for splitting belong here too, but `ObjectsPanel` shows them.

    Parameters
    ----------
    on_background
        Called when another background class is chosen.

    Attributes
    ----------
    split, depth, by, classes, least : Widget
        Whether and how touching objects are split, and the least area as a slider.
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
        self.split = ipywidgets.Checkbox(
            value=False,
            description="Split touching objects",
            tooltip="Cut objects at their necks, such as nuclei that touch",
            indent=False,
        )
        self.depth = _slider("Depth (µm)", 0.75, 0.1, 5.0, 0.05, "How much narrower a neck must be; more splits less")
        self.by = full_width(
            ipywidgets.Dropdown(options=_WAYS, description="Split by", tooltip="What necks are recognized by")
        )
        self.classes = full_width(
            ipywidgets.SelectMultiple(
                description="Classes", rows=3, tooltip="Classes to count, outline and split; Ctrl or Shift for several"
            )
        )
        self.least = _slider("Smallest (µm²)", 10.0, 0.0, 200.0, 1.0, "Smaller objects are left out, and not cut off")
        self._least.observe(self._make_room, names="value")
        self._unlink = link_slider(self.least, self._least, "value")
        super().__init__([self._least, self._holes, self._simplify, self._background])

    def offer(self, classes: Sequence[str]) -> None:
        """Offer these classes as the background."""
        options = [_NONE, *classes]
        kept = [name for name in classes if not is_ignored_class(name)]
        if list(self.classes.options) != kept:
            chosen = tuple(name for name in self.classes.value if name in kept)
            self.classes.options = kept  # which also clears the choice
            self.classes.value = chosen or tuple(filter(_may_be_objects, kept)) or tuple(kept)
        if list(self._background.options) != options:
            kept = self._background.value
            with self._background.hold_trait_notifications():
                self._background.options = options
                self._background.value = kept if kept in options else _NONE

    def _make_room(self, change: dict[str, float]) -> None:
        self.least.max = max(self.least.max, change["new"])

    def on_objects(self, callback: Callable[[], None]) -> None:
        """Call `callback` when anything changes that objects depend on."""
        fields = (self._least, self._holes, self._simplify, self.split, self.depth, self.by, self.classes)
        for field in fields:
            field.observe(lambda _: callback(), names="value")

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
            "split": self.by.value if self.split.value else None,
            "split_depth_um": self.depth.value,
            "split_classes": list(self.classes.value),
        }

    def close(self) -> None:
        """Close the fields."""
        self._unlink()
        super().close()


def _slider(label: str, value: float, low: float, high: float, step: float, tip: str) -> ipywidgets.FloatSlider:
    return full_width(
        ipywidgets.FloatSlider(
            value=value, min=low, max=high, step=step, description=label, tooltip=tip, readout_format=".2f"
        )
    )


def _may_be_objects(name: str) -> bool:
    """Return whether a class may consist of objects to count, as far as its name tells."""
    return not any(word in name.casefold() for word in _AREAS)


def _number(label: str, value: float, tip: str) -> ipywidgets.BoundedFloatText:
    return full_width(ipywidgets.BoundedFloatText(value=value, min=0.0, max=1e9, description=label, tooltip=tip))
