"""The list of all annotations: filter it, step through it, and see what the prediction says about each."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets

from histowidgets.annotations import Annotation, Change, ProjectSnapshot
from histowidgets.errors import HistowidgetsError
from histowidgets.widgets.common import LatestWorker, full_width, observe, offer
from histowidgets.widgets.studio._annotation_rows import (
    ALL_CLASSES,
    ALL_IMAGES,
    ERASER,
    EVERYBODY,
    AnnotationRow,
    RowFilter,
    rows_of,
)
from histowidgets.widgets.studio._state import StudioState

if TYPE_CHECKING:  # prediction imports torch
    from histowidgets.prediction import PredictionResults

#: Number of rows that are sent to the page.
MOST_ROWS = 500
#: Seconds without another change before the list is made.
REST = 0.15

THIS_IMAGE = "this image"
ALL, CONTRADICTED = "all", "contradicted by the prediction"


@dataclass(frozen=True)
class _Request:
    snapshot: ProjectSnapshot
    wanted: RowFilter
    prediction: PredictionResults | None
    blind: bool


class AnnotationList(ipywidgets.VBox):
    """Lists the annotations of a project.

    Parameters
    ----------
    state
        Has the project, the image that is shown and the selected annotations.
    show
        Called with the image, the id and the region around an annotation, to show and select it.

    Attributes
    ----------
    rows : list of AnnotationRow
        The annotations that the filters keep.
    """

    def __init__(self, state: StudioState, show: Callable[[AnnotationRow], object]) -> None:
        self._state, self._project, self._show_on_canvas = state, state.project, show
        self._prediction: PredictionResults | None = None
        #: By image: the prediction that was compared last, and the annotations with their shares of classes.
        self._compared: dict[str, tuple[PredictionResults, dict[str, tuple[Annotation, dict[str, float]]]]] = {}
        self._lock = threading.RLock()
        self._visible, self._quiet = False, False
        #: Place of the annotation that was just changed, which the one after it takes.
        self._vacated: int | None = None
        self.rows: list[AnnotationRow] = []
        self.image = self._filter("Image", [THIS_IMAGE, ALL_IMAGES], "Whose annotations to list")
        self.class_name = self._filter("Class", [ALL_CLASSES], "List one class only")
        self.annotator = self._filter("By", [EVERYBODY], "List the annotations of one person only")
        self.which = self._filter(
            "Show",
            [ALL, CONTRADICTED],
            "List only annotations of which more is predicted as another class, the most contradicted first",
        )
        self.list = ipywidgets.Select(
            description="Annotations", rows=10, tooltip="Annotations; choose one to see it on the image"
        )
        self.list.add_class("hw-annotation-list")
        self.list.observe(self._picked, names="index")
        self.previous = self._button("Previous", "Show the annotation before", lambda: self.step(-1))
        self.next = self._button("Next", "Show the annotation after", lambda: self.step(1))
        self.relabel = self._button("Relabel", "Give this annotation the class that is predicted there", self._relabel)
        self.delete = self._button("Delete", "Delete this annotation; undo brings it back", self._delete)
        buttons = ipywidgets.HBox([self.previous, self.next, self.delete, self.relabel])
        buttons.add_class("hw-wrap")
        self._about = ipywidgets.HTML()
        self._count = ipywidgets.HTML()
        super().__init__(
            [self.image, self.class_name, self.annotator, self.which, self._count, self.list, buttons, self._about]
        )
        self.add_class("hw-section")
        self._worker: LatestWorker[_Request, Any] = LatestWorker(
            "annotation-list", self._work, self._deliver, rest=REST
        )
        self._ends = [self._project.subscribe(self._changed), observe(state, "image_name", lambda _: self.refresh())]
        self._ends.append(observe(state, "others_hidden", lambda _: self.refresh()))
        self._say_count()

    def _filter(self, name: str, options: Sequence[str], tip: str) -> ipywidgets.Dropdown:
        field: ipywidgets.Dropdown = full_width(ipywidgets.Dropdown(options=options, description=name, tooltip=tip))
        field.observe(lambda _: self.refresh(), names="value")
        return field

    def _button(self, text: str, tip: str, action: Callable[[], object]) -> ipywidgets.Button:
        button = ipywidgets.Button(description=text, tooltip=tip, disabled=True)
        button.on_click(lambda _: action())
        return button

    # -- what is listed -----------------------------------------------------------------------------

    @property
    def idle(self) -> threading.Event:
        """Set while the list is up to date."""
        return self._worker.idle

    @property
    def visible(self) -> bool:
        """Whether the list is on the screen; it is not made while it is not."""
        return self._visible

    @visible.setter
    def visible(self, value: bool) -> None:
        self._visible = value
        self.refresh()

    def follow(self, prediction: PredictionResults | None) -> None:
        """Compare the annotations with another prediction."""
        self._prediction = prediction
        self.refresh()

    def refresh(self) -> None:
        """List the annotations again, in the background, if the list is visible."""
        if not self._visible or self._quiet:
            return
        snapshot = self._project.snapshot()
        self._offer(snapshot)
        self._worker.request(_Request(snapshot, self._wanted(), self._prediction, self._state.others_hidden))

    def _changed(self, change: Change) -> None:
        self.refresh()

    def _wanted(self) -> RowFilter:
        """Return what the filters say."""
        class_name, annotator = self.class_name.value, self.annotator.value
        if self._state.others_hidden:
            annotator = self._project.annotator
        return RowFilter(
            image_name=None if self.image.value == ALL_IMAGES else self._state.image_name,
            class_name=None if class_name == ALL_CLASSES else "" if class_name == ERASER else class_name,
            annotator=None if annotator == EVERYBODY else annotator,
            contradicted=self.which.value == CONTRADICTED,
        )

    def _offer(self, snapshot: ProjectSnapshot) -> None:
        """Offer the classes and people that there are; filters with nothing to choose are hidden."""
        found = {one.annotator for some in snapshot.annotations.values() for one in some}
        offers = [
            (self.class_name, [ALL_CLASSES, *snapshot.classes, ERASER]),
            (self.annotator, [EVERYBODY, *sorted(found - {""})]),
        ]
        with self._silence():
            for field, options in offers:
                offer(field, options)
        self.annotator.layout.display = None if len(found) > 1 and not self._state.others_hidden else "none"
        self.image.layout.display = None if len(snapshot.images) > 1 else "none"

    @contextmanager
    def _silence(self) -> Iterator[None]:
        """Hold the lock, and take no change of a field as a choice of the user."""
        with self._lock:
            self._quiet = True
            try:
                yield
            finally:
                self._quiet = False

    # -- on the worker's thread -----------------------------------------------------------------------

    def _work(self, request: _Request, is_stale: Callable[[], bool]) -> list[AnnotationRow]:
        if request.prediction is not None:
            self._measure(request.prediction, request.snapshot, is_stale)
        if request.blind:  # the prediction learned from the annotations that are hidden
            return rows_of(request.snapshot, request.wanted, {})
        shares = {key: share for _, known in self._compared.values() for key, (_, share) in known.items() if share}
        return rows_of(request.snapshot, request.wanted, shares)

    def _measure(self, prediction: PredictionResults, snapshot: ProjectSnapshot, is_stale: Callable[[], bool]) -> None:
        """Count what is predicted under each annotation of the image of the prediction."""
        name = prediction.image_name
        before, known = self._compared.get(name, (None, {}))
        if before is not prediction:
            known = {}
        current: dict[str, tuple[Annotation, dict[str, float]]] = {}
        for one in snapshot.annotations.get(name, ()):
            if is_stale():
                return
            earlier = known.get(one.id)
            if earlier is not None and earlier[0].shape is one.shape:
                current[one.id] = earlier
            elif one.class_name is not None:
                current[one.id] = one, _shares(prediction.pixel_counts(one))
        self._compared[name] = prediction, current

    def _deliver(self, request: _Request, rows: list[AnnotationRow] | None, error: BaseException | None) -> None:
        if error is not None or rows is None:
            if not isinstance(error, HistowidgetsError) and error is not None:
                self._state.log("".join(traceback.format_exception(error)))
            self._count.value = f"<p class='hw-quiet' role='status' data-level='error'>{escape(str(error))}</p>"
            return
        with_image = request.wanted.image_name is None and len(request.snapshot.images) > 1
        with self._silence():
            self.rows = rows
            texts = tuple(row.text(with_image) for row in rows[:MOST_ROWS])
            with self.list.hold_sync():
                if self.list.options != texts:
                    self.list.options = texts
                self._follow_selection()
            vacated, self._vacated = self._vacated, None
        self._say_count()
        if vacated is not None and texts and self.list.index is None:
            self._show_row(min(vacated, len(texts) - 1))

    def _say_count(self) -> None:
        n, what = len(self.rows), "annotation" if len(self.rows) == 1 else "annotations"
        contradicted = self.which.value == CONTRADICTED
        if n > MOST_ROWS:
            words = f"The first {MOST_ROWS} of {n:,} {what}; choose a class or an image to see others."
        elif n == 0 and contradicted:
            words = "No annotation is contradicted by the prediction." + self._uncompared()
        elif n == 0:
            words = "No annotations yet." if not any(self._project.count().values()) else "No such annotation."
        else:
            words = f"{n:,} {what}" + (f", the most contradicted first.{self._uncompared()}" if contradicted else ".")
        self._count.value = f"<p class='hw-quiet' role='status'>{escape(words)}</p>"

    def _uncompared(self) -> str:
        """Say on which images annotations were not compared, since no prediction of them was shown."""
        if self.image.value != ALL_IMAGES:
            return "" if self._state.image_name in self._compared else " Nothing is predicted yet."
        n = sum(name not in self._compared for name in self._project.image_names)
        return (
            f" {n} image{'s are' if n > 1 else ' is'} not compared: show {'each' if n > 1 else 'it'} once." if n else ""
        )

    # -- stepping through -------------------------------------------------------------------------------

    def follow_selection(self) -> None:
        """Mark the row of the annotation that is selected on the canvas, and describe it."""
        if self._visible:
            with self._silence():
                self._follow_selection()

    def _follow_selection(self) -> None:
        chosen = {one.id for one in self._state.selection}
        places = [n for n, row in enumerate(self.rows[:MOST_ROWS]) if row.annotation.id in chosen]
        row = self.rows[places[0]] if places else None
        self.list.index = places[0] if places else None
        self.next.disabled = self.previous.disabled = not self.list.options
        self.delete.disabled = row is None or self._project.read_only
        self.relabel.disabled = self.delete.disabled or row is None or not row.contradicted
        self.relabel.description = f"Relabel as {row.predicted}" if row and row.contradicted else "Relabel"
        words = ""
        if row is not None:
            size = self._project.image(row.image_name).pixel_size_yx_um
            words = f"{places[0] + 1} of {len(self.rows):,}: {row.description(size)}"
        self._about.value = f"<p class='hw-quiet' role='status'>{escape(words)}</p>"

    def _picked(self, change: Mapping[str, Any]) -> None:
        if not self._quiet and change["new"] is not None:
            self._show_row(change["new"])

    def _show_row(self, index: int) -> None:
        self._try(lambda: self._show_on_canvas(self.rows[index]))
        self.follow_selection()

    def step(self, by: int) -> None:
        """Show the next annotation of the list (1) or the previous one (-1); after the last comes the first."""
        n = min(len(self.rows), MOST_ROWS)
        if n:
            at = self.list.index
            self._show_row((n - 1 if by < 0 else 0) if at is None else (at + by) % n)

    def _relabel(self) -> None:
        row = self._row()
        if row is not None and row.predicted is not None:
            self._change(row, lambda: self._project.reclassify([row.annotation.id], str(row.predicted)))

    def _delete(self) -> None:
        row = self._row()
        if row is not None:
            self._change(row, lambda: self._project.remove([row.annotation.id]))

    def _row(self) -> AnnotationRow | None:
        return None if self.list.index is None else self.rows[self.list.index]

    def _change(self, row: AnnotationRow, action: Callable[[], object]) -> None:
        """Change an annotation; if it leaves the list, the one that takes its place is shown."""
        self._vacated = self.rows.index(row)
        self._try(action)

    def _try(self, action: Callable[[], object]) -> None:
        try:
            action()
        except (HistowidgetsError, OSError) as error:  # such as an annotation that was deleted meanwhile
            self._state.notify(str(error), "error")

    def close(self) -> None:
        """End the worker, and close the widgets."""
        for end in self._ends:
            end()
        self._worker.close()
        super().close()


def _shares(pixels: Mapping[str, int]) -> dict[str, float]:
    """Return the share of each class; empty if nothing is predicted."""
    n = sum(pixels.values())
    return {name: count / n for name, count in pixels.items()} if n else {}
