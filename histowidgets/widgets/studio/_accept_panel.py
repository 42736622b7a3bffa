"""Accept areas of the prediction as labels, after their number is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets

from histowidgets.annotations import Annotation, is_ignored_class, painted_area
from histowidgets.errors import HistowidgetsError, PredictionCancelled
from histowidgets.images import Region
from histowidgets.widgets.common import LatestWorker, full_width
from histowidgets.widgets.studio._state import StudioState

if TYPE_CHECKING:  # prediction imports torch
    from histowidgets.prediction import PredictionResults

#: Seconds that the view or a slider must rest before areas are counted.
REST = 0.3
IN_VIEW, SELECTED = "what is in view", "the selected annotations"
#: Pixels of which the classifier is less certain are left out at first.
LEAST_PROBABILITY = 0.8
_INTRO = "Predicted areas become annotations. What you have painted stays."
_FRAME = "The selected annotations are replaced by what is predicted inside them."


@dataclass(frozen=True)
class _Request:
    """What to accept, and the annotations as they were."""

    prediction: PredictionResults
    image_name: str
    within: Region | list[Annotation]
    replacing: tuple[str, ...]
    annotations: tuple[Annotation, ...]
    options: dict[str, Any]


class AcceptPanel(ipywidgets.VBox):
    """A switch, fields for what to accept, the number of areas, and the button that adds them in one step of undo.

    Parameters
    ----------
    state
        Has the project, the view and the selected annotations.
    prediction
        Returns the prediction that is shown; None if there is none yet.
    """

    def __init__(self, state: StudioState, prediction: Callable[[], PredictionResults | None]) -> None:
        self._state, self._prediction = state, prediction
        self._found: tuple[_Request, list[Annotation]] | None = None
        self._offering = False  # while the list of classes is renewed
        self.worker: LatestWorker[_Request | None, list[Annotation]] = LatestWorker(
            "accept", self._work, self._deliver, rest=REST
        )
        self.switch = ipywidgets.Checkbox(
            value=False,
            description="Accept predicted areas as labels",
            tooltip="Count the predicted areas, then make them annotations",
            indent=False,
        )
        self.where = full_width(
            ipywidgets.Dropdown(options=[IN_VIEW, SELECTED], description="Where", tooltip="Which part to accept")
        )
        self.classes = full_width(
            ipywidgets.SelectMultiple(
                description="Classes", rows=3, tooltip="Classes to accept; Ctrl or Shift for several"
            )
        )
        self.least = full_width(
            ipywidgets.FloatSlider(
                value=LEAST_PROBABILITY,
                min=0.0,
                max=0.99,
                step=0.01,
                description="Probability",
                tooltip="Pixels whose class is less probable are left out",
                continuous_update=False,
            )
        )
        self.area = full_width(
            ipywidgets.BoundedFloatText(
                value=50.0,
                min=0.0,
                max=1e9,
                description="Min. area (µm²)",
                tooltip="Smaller areas are left out; in px² if the image has no pixel size",
            )
        )
        self.add_button = ipywidgets.Button(
            description="Accept as label",
            icon="check",
            button_style="primary",
            tooltip="Add the counted areas as annotations; Ctrl+Z takes them back",
        )
        self.add_button.on_click(lambda _: self.accept())
        self._said = ipywidgets.HTML()
        fields = [self.where, self.classes, self.least, self.area]
        self._body = ipywidgets.VBox([*fields, self._said, self.add_button])
        title = ipywidgets.HTML("<h4 class='hw-title'>Accept as label</h4>")
        super().__init__([title, self.switch, self._body])
        self.add_class("hw-section")
        self.add_class("hw-accept")
        self._body.layout.display = "none"
        self.switch.observe(self._switched, names="value")
        for field in fields:
            field.observe(lambda _: self.refresh(), names="value")

    @property
    def active(self) -> bool:
        """Whether areas are counted."""
        return bool(self.switch.value)

    def _switched(self, change: dict[str, Any]) -> None:
        self._body.layout.display = None if change["new"] else "none"
        self.refresh()

    def refresh(self) -> None:
        """Count again, if the panel is in use, since the prediction, the view, the selection or a label changed."""
        if not self.active or self._offering:
            return
        self._found = None
        try:
            request = self._request()
        except HistowidgetsError as error:
            self.worker.request(None)  # so that an earlier answer is dropped
            self._say(str(error))
            return
        self._say("Counting…")
        self.worker.request(request)

    def _request(self) -> _Request:
        """Return what to count.

        Raises
        ------
        HistowidgetsError
            If nothing is predicted or selected.
        """
        prediction, (name, view) = self._prediction(), self._state.view()
        if prediction is None or prediction.image_name != name:
            raise HistowidgetsError("Nothing is predicted on this image yet.")
        self._offer(prediction.classes)
        annotations = self._state.project.annotations(name)
        replacing: tuple[str, ...] = ()
        within: Region | list[Annotation] = view
        if self.where.value == SELECTED:
            chosen = [one for one in self._state.selection if one.class_name is not None]
            if not chosen:
                raise HistowidgetsError(f"Select annotations with the select tool first. {_FRAME}")
            replacing, within = tuple(one.id for one in chosen), chosen
        elif view.intersect(prediction.region) is None:
            raise HistowidgetsError("Nothing is predicted in view.")
        options = {"min_area_um2": self.area.value}
        if prediction.has_probabilities:
            options["min_probability"] = self.least.value
        chosen_classes = list(self.classes.value)
        if not chosen_classes:
            raise HistowidgetsError("Choose at least one class.")
        return _Request(prediction, name, within, replacing, annotations, {**options, "classes": chosen_classes})

    def _offer(self, classes: Sequence[str]) -> None:
        """Offer the classes of the prediction that the project still has."""
        known = self._state.project.classes
        kept = tuple(name for name in classes if name in known and not is_ignored_class(name))
        if self.classes.options != kept:
            chosen = tuple(name for name in self.classes.value if name in kept)
            self._offering = True
            self.classes.options = kept  # which also clears the choice
            self.classes.value = chosen or kept
            self._offering = False

    # -- on the worker's thread -----------------------------------------------------------------------

    def _work(self, request: _Request | None, is_stale: Callable[[], bool]) -> list[Annotation]:
        if request is None:
            return []
        existing = [one for one in request.annotations if one.id not in request.replacing]
        return request.prediction.annotations(
            within=request.within, existing=existing, should_stop=is_stale, **request.options
        )

    def _deliver(self, request: _Request | None, answer: list[Annotation] | None, error: BaseException | None) -> None:
        if request is None or isinstance(error, PredictionCancelled):
            return
        if isinstance(error, HistowidgetsError):
            self._say(str(error), "error")
            return
        if error is not None or answer is None:
            raise error or RuntimeError("No answer.")
        self._found = (request, answer) if answer else None
        self._say(_counted(answer, request))

    # -- adding -----------------------------------------------------------------------------------------

    def accept(self) -> None:
        """Add the counted areas as annotations; count again if nothing is counted, or labels changed since."""
        found, project = self._found, self._state.project
        if found is None:
            self.refresh()
            return
        request, areas = found
        self._found = None
        try:
            if project.annotations(request.image_name) != request.annotations:
                self.refresh()
                return
            project.paste(request.image_name, areas, replacing=request.replacing)
        except HistowidgetsError as error:
            self._say(str(error), "error")
            return
        self._state.notify(f"{_areas(len(areas))} added as labels. Ctrl+Z takes them back.", "info")

    def _say(self, words: str, level: str = "info") -> None:
        intro = f"{escape(_INTRO)}<br>" if self.where.value == IN_VIEW else ""
        self._said.value = (
            f"<p class='hw-quiet hw-said-here' role='status' data-level='{level}'>{intro}{escape(words)}</p>"
        )

    def close(self) -> None:
        """End the worker, and close the widgets."""
        self.worker.close()
        super().close()


def _areas(n: int) -> str:
    return f"{n:,} area{'' if n == 1 else 's'}"


def _counted(areas: Sequence[Annotation], request: _Request) -> str:
    """Return the number and the size of the areas of each class in words."""
    if not areas:
        return "No area is accepted: lower the probability or the least area."
    prediction, parts = request.prediction, []
    for name in prediction.classes:
        some = [painted_area(one.shape).area for one in areas if one.class_name == name]
        if some:
            size = prediction.pixel_size_um
            total = f"{sum(some):,.0f} px²" if size is None else f"{sum(some) * size**2:,.0f} µm²"
            parts.append(f"{name}: {_areas(len(some))}, {total}")
    replaced = f" {_FRAME}" if request.replacing else ""
    return f"{'; '.join(parts)}.{replaced}"
