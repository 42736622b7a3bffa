"""What the annotation canvas does to its project: drawing, undo, and all that works on a selection."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from histowidgets.annotations import Annotation, Project, Shape
from histowidgets.errors import HistowidgetsError, ProjectError
from histowidgets.images import Region
from histowidgets.widgets.canvas._viewport import View
from histowidgets.widgets.canvas.drawing import Layers
from histowidgets.widgets.canvas.editing._outlines import selection_outlines
from histowidgets.widgets.common import SerialQueue

COPY_OFFSET = 14.0  # CSS pixels to the right and down, so that a copy is seen beside its original

if TYPE_CHECKING:
    from histowidgets.widgets.canvas.pointer import PointerLayer


class CanvasEditing(traitlets.HasTraits):
    """The part of the canvas that edits. Each edit is one step of undo, and shown when the project tells of it."""

    selection = traitlets.Tuple()

    project: Project
    image_name: str
    tool: str
    class_name: str
    _queue: SerialQueue
    _layers: Layers
    _pointer: "PointerLayer"
    _clipboard: tuple[Annotation, ...] = ()

    @property
    def view(self) -> View:
        """What is in view; the canvas knows."""
        raise NotImplementedError

    def say(self, text: str, level: str = "info") -> None:
        """Put a line of text in the status line; the canvas does."""
        raise NotImplementedError

    def draw(self, shape: Shape, class_name: str | None, image_name: str | None = None) -> str:
        """Add a shape to an image, as the tools do; class None erases.

        Parameters
        ----------
        shape
            A stroke, line, polygon or rectangle, in image pixels.
        class_name
            One of the project's classes, or None.
        image_name
            The image that is shown, by default.

        Returns
        -------
        str
            The id of the annotation.

        Raises
        ------
        ShapeError, ClassNameError, ImageNameError, ReadOnlyError
            As `Project.annotate` does.
        """
        name = self.image_name if image_name is None else image_name
        if class_name is None:
            return self.project.erase(name, shape)
        return self.project.annotate(name, shape, class_name)

    def sketch(self, points: np.ndarray, width: float, color: str) -> None:
        """Draw a line that lasts until the annotations are next drawn; points and width in drawn pixels."""
        self._queue.submit(lambda: self._layers.sketch(points, width, color))

    def undo(self) -> bool:
        """Take the project's last edit back; return whether there was one."""
        return self._step(self.project.undo, "Nothing to undo.")

    def redo(self) -> bool:
        """Do again what was taken back last; return whether there was something."""
        return self._step(self.project.redo, "Nothing to redo.")

    def _step(self, step: Callable[[], bool], nothing: str) -> bool:
        try:
            done = step()
        except (HistowidgetsError, OSError) as error:
            self.say(str(error), "error")
            return False
        if not done:
            self.say(nothing)
        return done

    # -- the selection -------------------------------------------------------------------------------

    def pick(self, x: float, y: float, tolerance: float = 0, *, add: bool = False) -> bool:
        """Select the topmost annotation at an image point, or nothing if there is none.

        Parameters
        ----------
        x, y
            Full-size pixels.
        tolerance
            How far away the annotation may be, in full-size pixels.
        add
            Leave the rest of the selection as it is; what was selected already is taken out of it.

        Returns
        -------
        bool
            Whether what is at the point is selected now.
        """
        found = self.project.annotation_at(self.image_name, x, y, tolerance)
        if not add:
            self.selection = () if found is None else (found,)
        elif found in self.selection:
            self.selection = tuple(each for each in self.selection if each != found)
        elif found is not None:
            self.selection = (*self.selection, found)
        return found in self.selection

    def select_in(self, region: Region, *, add: bool = False) -> None:
        """Select the annotations that lie wholly in a region of the image, or add them to the selection."""
        found = self.project.annotations_in(self.image_name, region)
        self.selection = (*self.selection, *found) if add else tuple(found)
        self._say_selected()

    def select_all(self) -> None:
        """Select all annotations of the image that is shown; erasers are none."""
        annotations = self.project.annotations(self.image_name)
        self.selection = tuple(each.id for each in annotations if each.class_name is not None)
        self._say_selected()

    def _say_selected(self) -> None:
        self.say(f"{len(self.selection) or 'Nothing'} selected.")

    def selected_annotations(self) -> tuple[Annotation, ...]:
        """Return what is selected, in the order of drawing."""
        wanted = set(self.selection)
        return tuple(each for each in self.project.annotations(self.image_name) if each.id in wanted)

    def move_selection(self, dx: float, dy: float) -> None:
        """Move what is selected to the right and down, in full-size pixels. One step of undo."""
        if self._has_selection():
            self.project.move(self.selection, dx, dy)

    def delete_selection(self) -> None:
        """Remove what is selected. One step of undo."""
        if self._has_selection():
            count = len(self.selection)
            self.project.remove(self.selection)
            self.say(f"{count} deleted.")

    def choose_class(self, class_name: str) -> None:
        """Choose the class to paint with; what is selected becomes of it too, as one step of undo."""
        self.class_name = class_name
        annotations = self.selected_annotations()
        others = [each.id for each in annotations if each.class_name not in (class_name, None)]
        if others:
            self.project.reclassify(others, class_name)
            self.say(f"{len(others)} of class {class_name} now.")

    def copy(self) -> None:
        """Keep copies of what is selected, for `paste`."""
        if self._has_selection():
            self._clipboard = self.selected_annotations()
            self._pointer.copied = len(self._clipboard)
            self.say(f"{len(self._clipboard)} copied.")

    def cut(self) -> None:
        """Copy what is selected, and remove it. One step of undo."""
        self.copy()
        self.delete_selection()

    def paste(self) -> None:
        """Paste what was copied on the image that is shown; it becomes the selection. One step of undo.

        It comes to the place where it was, or to the middle of the view if that is not in view. Beside an original
        that is still there, it comes a little to the right of it and down.
        """
        if not self._clipboard:
            self.say("Nothing was copied yet.")
            return
        self._paste(self._clipboard, *self._way_into_view(self._clipboard))

    def duplicate(self) -> None:
        """Copy what is selected a little to the right and down; the copies become the selection. One step of undo."""
        if self._has_selection():
            step = COPY_OFFSET / self.view.zoom
            self._paste(self.selected_annotations(), step, step)

    def take_selection(self, earlier: "CanvasEditing") -> None:
        """Select what is selected on an earlier canvas of the same project, and take over what was copied there."""
        self._clipboard = earlier._clipboard
        self._pointer.copied = len(self._clipboard)
        known = {each.id for each in self.project.annotations(self.image_name)}
        self.selection = tuple(each for each in earlier.selection if each in known)

    def _paste(self, annotations: tuple[Annotation, ...], dx: float, dy: float) -> None:
        self.selection = tuple(self.project.paste(self.image_name, annotations, dx, dy))
        self.say(f"{len(self.selection)} pasted.")

    def _way_into_view(self, annotations: tuple[Annotation, ...]) -> tuple[float, float]:
        """Return how far from their place to paste annotations, right and down."""
        bounds = np.array([each.shape.bounds for each in annotations])
        x, y = (bounds[:, :2].min(axis=0) + bounds[:, 2:].max(axis=0)) / 2
        view, region = self.view, self.view.region
        if not (region.x <= x <= region.right and region.y <= y <= region.bottom):
            return float(view.x - x), float(view.y - y)
        here = {each.shape for each in self.project.annotations(self.image_name)}
        step, moved = COPY_OFFSET / view.zoom, 0.0
        while annotations[0].shape.moved(moved, moved) in here:
            moved += step
        return moved, moved

    def _has_selection(self) -> bool:
        if not self.selection:
            self.say("Nothing is selected.")
        return bool(self.selection)

    @traitlets.validate("selection")
    def _known_ids(self, proposal: Any) -> tuple[str, ...]:
        wanted = tuple(dict.fromkeys(map(str, proposal["value"])))
        if not wanted:
            return ()
        unknown = set(wanted).difference(each.id for each in self.project.annotations(self.image_name))
        if unknown:
            raise ProjectError(
                f"Image {self.image_name!r} has no annotation with the id {', '.join(map(repr, sorted(unknown)))}."
            )
        return wanted

    @traitlets.observe("selection")
    def _selection_changed(self, change: Any) -> None:
        if self.selection:
            self.tool = "select"  # only that tool shows what a key would delete
            self._say_selected()
        elif change["old"] not in ((), traitlets.Undefined):
            self.say("")
        self._queue.submit(self._show_selection)

    @traitlets.observe("tool")
    def _tool_changed(self, _: Any) -> None:
        if self.tool != "select" and self.selection:
            self.selection = ()
        if self.tool != "polygon":
            self._queue.submit(self._pointer.forget_draft)

    def _show_selection(self) -> None:
        """Show what is selected as it is now, within the queue; what is gone is selected no more."""
        wanted = self.selection
        annotations = self.selected_annotations() if wanted else ()
        if len(annotations) < len(wanted):
            known = {each.id for each in annotations}
            self.selection = tuple(each for each in wanted if each in known)
        self._pointer.selected = selection_outlines(annotations, self.project.colors)
