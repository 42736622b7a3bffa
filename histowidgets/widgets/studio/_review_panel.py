"""The review: tiles ranked by loss, a confusion matrix that filters them, and actions for each tile."""

import threading
from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from histowidgets.advice import ContradictedAnnotation, LabelReview, ReviewTile, find_label_errors
from histowidgets.annotations import Annotation, Change
from histowidgets.errors import HistowidgetsError
from histowidgets.widgets.common import LatestWorker, bundle, style_sheet
from histowidgets.widgets.studio._review_marks import ReviewMarks
from histowidgets.widgets.studio._review_picture import tile_picture
from histowidgets.widgets.studio._state import StudioState

#: A review, and the row that is shown for each of its tiles.
Found = tuple[LabelReview, list[dict[str, Any]]]
#: Number of rows with a picture; later rows are rarely looked at, and each picture takes about 4 KB.
PICTURES = 60
#: Number of contradicted strokes that are listed.
MOST_STROKES = 30

_IDLE = "See where the classifier and your labels disagree: areas it has not learned, or labels that are wrong."


class ReviewPanel(anywidget.AnyWidget):
    """Reviews a classifier on the labels of a project.

    Parameters
    ----------
    state
        Has the project, whose labels are taken as the truth, and the classifier to review. Labels that the user
        marks as right are remembered in the project's folder, if it has one.

    Attributes
    ----------
    review : LabelReview or None
        The review that is shown.
    """

    _esm = bundle("review")
    _css = style_sheet("review/style")

    # Written from Python only; the page answers with messages.
    _view = traitlets.Dict().tag(sync=True)
    _strokes: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)

    def __init__(self, state: StudioState) -> None:
        self._state = state
        self._marks = ReviewMarks(state.project)
        self._lock = threading.RLock()
        self._rows: list[dict[str, Any]] = []
        self.review: LabelReview | None = None
        super().__init__(
            _view={"status": _IDLE, "busy": False, "overlay": False, "rows": [], "classes": [], "confusion": []}
        )
        self._worker: LatestWorker[Any, Found] = LatestWorker("review", self._work, self._answered)
        self.on_msg(self._message)
        self._unsubscribe = state.project.subscribe(self._project_changed)

    @property
    def idle(self) -> threading.Event:
        """Set while no review is under way."""
        return self._worker.idle

    def ask(self) -> None:
        """Review the classifier in the background."""
        classifier = self._state.classifier
        if classifier is None:
            self._say("There is no classifier yet: paint at least two classes first.")
            return
        self._say("Reviewing…", busy=True)
        self._worker.request((classifier, self._state.project.snapshot()))

    def mark(self, tile: ReviewTile, right: bool) -> None:
        """Remember, or forget, that the labels of a tile are right."""
        try:
            self._marks.mark(tile, right)
        except OSError as error:
            self._say(f"The mark could not be saved and lasts only until the kernel ends: {error}")
        self._show()

    def overlay(self, on: bool) -> None:
        """Colour the strokes on the canvas by how far the prediction contradicts them, or by class if `on` is False."""
        with self._lock:
            self._view = {**self._view, "overlay": on}
        self._state.disagreement = on

    def relabel(self, stroke: ContradictedAnnotation) -> None:
        """Give a contradicted annotation the class that it is predicted as. One step of undo."""
        if self._current(stroke) is None:
            self._say("This stroke has changed since the review. Review again.")
            return
        try:
            self._state.project.reclassify(stroke.id, stroke.predicted)
        except HistowidgetsError as error:
            self._say(str(error))
            return
        self._state.notify(f"The {stroke.class_name} stroke is {stroke.predicted} now. Ctrl+Z takes it back.")

    def close(self) -> None:
        """End the worker and the widget."""
        self._unsubscribe()
        self._worker.close()
        super().close()

    # -- what the page says ---------------------------------------------------------------------

    def _message(self, widget: Any, content: Any, buffers: Any) -> None:
        if not isinstance(content, dict):
            return
        if content.get("kind") == "review":
            self.ask()
            return
        if content.get("kind") == "overlay":
            self.overlay(bool(content.get("on")))
            return
        found, number = self.review, content.get("tile")
        if content.get("kind") in ("show-stroke", "relabel-stroke"):
            self._stroke_message(found, content)
            return
        if found is None or not isinstance(number, int) or not 0 <= number < len(found.tiles):
            return
        tile = found.tiles[number]
        if content.get("kind") == "show":
            self.overlay(True)
            self._state.go_to(tile)
        elif content.get("kind") == "relabel":
            self.overlay(False)  # painting needs the class colours
            brush = _mistaken_for(tile, found.classes)
            self._state.paint_at(tile, brush)
            self._state.notify(f"Paint {brush} over what is wrong here.")
        elif content.get("kind") == "right":
            self.mark(tile, bool(content.get("right")))

    def _stroke_message(self, found: LabelReview | None, content: dict[str, Any]) -> None:
        known = {} if found is None else {one.id: one for one in found.contradicted}
        stroke = known.get(str(content.get("id")))
        if stroke is None:
            return
        if content["kind"] == "relabel-stroke":
            self.relabel(stroke)
        else:
            self._state.go_to(stroke)

    def _current(self, stroke: ContradictedAnnotation) -> Annotation | None:
        """Return the annotation of a contradicted stroke, if it still has the class that was reviewed."""
        project = self._state.project
        if stroke.image_name not in project.image_names:
            return None
        known = {one.id: one for one in project.annotations(stroke.image_name)}
        one = known.get(stroke.id)
        return one if one is not None and one.class_name == stroke.class_name else None

    def _project_changed(self, change: Change) -> None:
        if self.review is not None and change.kind != "audits":
            self._show_strokes()

    # -- the work -------------------------------------------------------------------------------

    def _work(self, payload: Any, is_stale: Callable[[], bool]) -> Found:
        classifier, snapshot = payload

        def tell(done: int, total: int) -> None:
            if done % 5 == 0:
                self._say(f"Reviewing tile {done} of {total}…", busy=True)

        found = find_label_errors(snapshot, classifier, progress=tell, should_stop=is_stale)
        pictures = []
        for tile in found.tiles[:PICTURES]:
            if is_stale():
                break
            try:
                pictures.append(tile_picture(snapshot.images[tile.image_name], tile))
            except (HistowidgetsError, OSError):
                pictures.append("")
        rows = [_row(n, tile, found.classes) for n, tile in enumerate(found.tiles)]
        for row, picture in zip(rows, pictures, strict=False):
            row["picture"] = picture
        return found, rows

    def _answered(self, payload: Any, answer: Found | None, error: BaseException | None) -> None:
        if answer is None:
            words = str(error) if isinstance(error, HistowidgetsError) else f"{type(error).__name__}: {error}"
            self._say(f"No review: {words}")
            return
        found, rows = answer
        with self._lock:  # together, since marks that arrive in the meantime refer to the rows that are shown
            self.review, self._rows = found, rows
        left_out = f" ({found.n_left_out} more were left out)" if found.n_left_out else ""
        self._say(f"{len(found.tiles)} tiles with labels{left_out}, the highest loss first.")
        self._show()

    def _say(self, words: str, busy: bool = False) -> None:
        with self._lock:
            self._view = {**self._view, "status": words, "busy": busy}

    def _show_strokes(self) -> None:
        """List the contradicted strokes that are still as they were reviewed."""
        with self._lock:
            found = () if self.review is None else self.review.contradicted
            classes = self._state.project.classes
            shown = [one for one in found if one.predicted in classes and self._current(one) is not None]
            rows = [
                {
                    "id": one.id,
                    "image": one.image_name,
                    "class": one.class_name,
                    "predicted": one.predicted,
                    "share": round(one.share, 3),
                }
                for one in shown[:MOST_STROKES]
            ]
            if rows != self._strokes:
                self._strokes = rows

    def _show(self) -> None:
        self._show_strokes()
        with self._lock:
            found = self.review
            if found is None:
                return
            rows = [
                {**row, "right": self._marks.is_right(tile)} for row, tile in zip(self._rows, found.tiles, strict=True)
            ]
            self._view = {
                **self._view,
                "rows": rows,
                "classes": list(found.classes),
                "confusion": found.confusion.tolist(),
            }


def _row(number: int, tile: ReviewTile, classes: tuple[str, ...]) -> dict[str, Any]:
    cells = [[int(t), int(p)] for t, p in zip(*tile.confusion.nonzero(), strict=True)]
    return {
        "tile": number,
        "image": tile.image_name,
        "place": f"{tile.region.x}, {tile.region.y}",
        "loss": round(tile.loss, 4),
        "disagreement": round(tile.disagreement, 4),
        "iou": round(tile.iou, 4),
        "labelled": tile.n_labelled,
        "heldOut": tile.held_out,
        "cells": cells,
        "brush": _mistaken_for(tile, classes),
        "picture": "",
    }


def _mistaken_for(tile: ReviewTile, classes: tuple[str, ...]) -> str:
    """Return the class that other classes were most often predicted as, which may be the right label."""
    wrong = tile.confusion.copy()
    wrong[range(len(classes)), range(len(classes))] = 0
    if not wrong.any():
        wrong = tile.confusion
    return classes[int(wrong.sum(axis=0).argmax())]
