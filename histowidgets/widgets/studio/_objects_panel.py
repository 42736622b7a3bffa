"""Count objects, split those that touch, and outline them on the picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets

from histowidgets.annotations import Annotation, is_ignored_class
from histowidgets.errors import HistowidgetsError, PredictionCancelled
from histowidgets.images import Region
from histowidgets.widgets.common import LatestWorker, full_width, offer
from histowidgets.widgets.studio._object_options import ObjectOptions
from histowidgets.widgets.studio._state import StudioState

if TYPE_CHECKING:  # prediction imports torch
    from histowidgets.prediction import ObjectCounts, PredictedObject, PredictionResults

#: Seconds that a slider must rest before objects are found again.
REST = 0.15

WHOLE, IN_VIEW, SELECTED = "all that is predicted", "what is in view", "the selected annotations"
_BY_NAME = "by name"

ShowOutlines = Callable[["Sequence[PredictedObject] | None", str], None]
"""Called with the objects to outline, or None, and the name of their image."""


@dataclass(frozen=True)
class _Request:
    """What to find and where to count it."""

    prediction: PredictionResults
    options: dict[str, Any]
    background: tuple[str, ...]
    positive: str | None
    negative: str | None


class ObjectsPanel(ipywidgets.VBox):
    """Switches and sliders for objects, with a table of their numbers; nothing is computed while both are off.

    Parameters
    ----------
    state
        Has the view and the selected annotations.
    fields
        The other options for objects.
    show
        Outlines objects on the picture.
    """

    def __init__(self, state: StudioState, fields: ObjectOptions, show: ShowOutlines) -> None:
        self._state, self._fields, self._show = state, fields, show
        self._prediction: PredictionResults | None = None
        self._found: tuple[tuple[PredictionResults, str], list[PredictedObject]] | None = None
        self.worker = LatestWorker("objects", self._work, self._deliver, rest=REST)
        self.count = ipywidgets.Checkbox(
            value=False,
            description="Count and outline objects",
            tooltip="Number and density of the objects of each class",
            indent=False,
        )
        self.where = full_width(
            ipywidgets.Dropdown(options=[WHOLE, IN_VIEW, SELECTED], description="Measure", tooltip="Where to count")
        )
        self.positive = full_width(ipywidgets.Dropdown(options=[_BY_NAME], description="Positive"))
        self.negative = full_width(ipywidgets.Dropdown(options=[_BY_NAME], description="Negative"))
        self._table = ipywidgets.HTML()
        self._cutting = ipywidgets.VBox([fields.depth, fields.by])
        self._body = ipywidgets.VBox(
            [self._cutting, fields.least, fields.classes, self.where, self.positive, self.negative, self._table]
        )
        title = ipywidgets.HTML("<h4 class='hw-title'>Objects</h4>")
        super().__init__([title, self.count, fields.split, self._body])
        self.add_class("hw-section")
        self.add_class("hw-objects")
        for switch in (self.count, fields.split):
            switch.observe(self._switched, names="value")
        for field in (self.where, self.positive, self.negative):
            field.observe(lambda _: self._ask(), names="value")
        fields.on_objects(self._ask)
        self._lay_out()

    @property
    def active(self) -> bool:
        """Whether objects are counted."""
        return bool(self.count.value)

    def _switched(self, change: dict[str, Any]) -> None:
        on = bool(change["new"])
        if change["owner"] is self._fields.split and on:
            self.count.value = True
        if change["owner"] is self.count and not on:
            self._fields.split.value = False
        self._lay_out()
        if change["owner"] is self.count:
            self._ask()

    def _lay_out(self) -> None:
        self._body.layout.display = None if self.active else "none"
        self._cutting.layout.display = None if self._fields.split.value else "none"

    def follow(self, prediction: PredictionResults | None) -> None:
        """Find the objects of a prediction, if they are counted."""
        self._prediction = prediction
        if prediction is not None:
            self._offer(prediction.classes)
        self._ask()

    def _offer(self, names: Sequence[str]) -> None:
        """Offer the classes that can be positive and negative, if their names do not say which are."""
        from histowidgets.prediction import intensity_classes

        kept = [name for name in names if not is_ignored_class(name)]
        for field in (self.positive, self.negative):
            offer(field, [_BY_NAME, *kept])
        told = intensity_classes(kept) is not None
        for field in (self.positive, self.negative):
            field.layout.display = "none" if told or len(kept) < 2 else None

    def moved(self) -> None:
        """Count again after the view or the selection changed, if it matters."""
        if self.active and self.where.value != WHOLE:
            self._ask()

    def _ask(self) -> None:
        if not self.active or self._prediction is None:
            self._show(None, "")
            self._found = None
            self._table.value = "" if not self.active else "<p class='hw-quiet'>Nothing predicted yet.</p>"
            return
        pair = [None if field.value == _BY_NAME else str(field.value) for field in (self.positive, self.negative)]
        chosen = pair if None not in pair else [None, None]
        self.worker.request(_Request(self._prediction, self._fields.objects, self._fields.background, *chosen))

    # -- on the worker's thread -----------------------------------------------------------------------

    def _work(self, request: _Request, is_stale: Callable[[], bool]) -> tuple[list[PredictedObject], ObjectCounts, str]:
        key = request.prediction, repr(sorted(request.options.items()))
        known = self._found
        if known is not None and known[0] == key:
            found = known[1]
        else:
            found = request.prediction.objects(**request.options, should_stop=is_stale)
            self._found = key, found
        counts, where = self._counted(request, found)
        return found, counts, where

    def _counted(self, request: _Request, found: list[PredictedObject]) -> tuple[ObjectCounts, str]:
        """Count where the user wants it; return the counts and the place in words."""
        prediction, where = request.prediction, self.where.value
        if where == IN_VIEW:
            view: Region = self._state.view()[1]
            if view.intersect(prediction.region) is None:
                raise HistowidgetsError("Nothing is predicted in view.")
            return prediction.counts(found, within=view, background=request.background), "in view"
        if where == SELECTED:
            chosen: Sequence[Annotation] = [one for one in self._state.selection if one.class_name is not None]
            if not chosen:
                raise HistowidgetsError("Select annotations with the select tool to count inside them.")
            counts = prediction.counts(found, within=chosen, background=request.background)
            return counts, f"in {len(chosen)} selected annotation{'s' if len(chosen) > 1 else ''}"
        return prediction.counts(found, background=request.background), "in all that is predicted"

    def _deliver(self, request: _Request, answer: Any, error: BaseException | None) -> None:
        if isinstance(error, PredictionCancelled):
            return
        if isinstance(error, HistowidgetsError):
            self._table.value = f"<p class='hw-quiet' role='status' data-level='error'>{escape(str(error))}</p>"
            return
        if error is not None:
            raise error
        found, counts, where = answer
        shown = request.options["split_classes"]
        self._show([one for one in found if one.class_name in shown], request.prediction.image_name)
        self._table.value = table_html(counts, shown, where, request.positive, request.negative)

    def close(self) -> None:
        """End the worker, and close the widgets."""
        self.worker.close()
        super().close()


def table_html(
    counts: ObjectCounts,
    shown: Sequence[str],
    where: str,
    positive: str | None = None,
    negative: str | None = None,
) -> str:
    """Return an HTML table of the number and density of the objects of the classes shown, and the positivity."""
    from histowidgets.prediction import intensity_classes

    rows = "".join(
        f"<tr><th scope='row'>{escape(one.class_name)}</th><td>{one.count:,}</td>"
        f"<td>{'–' if one.per_mm2 is None else _density(one.per_mm2)}</td></tr>"
        for one in counts.classes
        if one.class_name in shown
    )
    area = "" if counts.area_um2 is None else f", {_area(counts.area_um2)}"
    head = "<tr><td></td><th scope='col'>count</th><th scope='col'>per mm²</th></tr>"
    caption = f"<caption>Objects {escape(where + area)}</caption>"
    said = f"<p class='hw-quiet'>{escape(counts.note)}</p>" if counts.note else ""
    if positive is not None or intensity_classes(list(counts)) is not None:
        try:
            found = counts.positivity(positive, negative)
        except HistowidgetsError as error:
            said += f"<p class='hw-quiet'>{escape(str(error))}</p>"
        else:
            score = "" if found.h_score is None else f"<br>H-score {found.h_score:.0f} (0 to 300)"
            said += (
                f"<p class='hw-positivity'><b>{100 * found.share:.1f} % positive</b>, 95 % interval "
                f"{100 * found.low:.1f} to {100 * found.high:.1f} % ({found.n_positive:,} of {found.n:,}){score}</p>"
            )
    return f"<table class='hw-table'>{caption}{head}{rows}</table>{said}"


def _density(per_mm2: float) -> str:
    """Return a density with three digits that count."""
    if per_mm2 <= 0:
        return "0"
    digits = 2 - math.floor(math.log10(per_mm2))
    return f"{round(per_mm2, digits):,.{max(0, digits)}f}"


def _area(um2: float) -> str:
    return f"{um2 / 1e6:.3g} mm²" if um2 >= 1e4 else f"{um2:,.0f} µm²"
