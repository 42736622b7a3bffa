"""Editing the project on the canvas: drawing, undo, the wand, and changes of a selection."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import traitlets

from histowidgets.annotations import Annotation, Line, Polygon, Rectangle, Shape, Stroke, enclosed_areas, topmost_at
from histowidgets.errors import HistowidgetsError, ShapeError
from histowidgets.images import Region
from histowidgets.widgets.canvas.drawing import Renderer, power_of_two_downsample
from histowidgets.widgets.canvas.editing._outlines import selection_outlines
from histowidgets.widgets.canvas.editing._wand import Wand, WandRegion, wand_downsample
from histowidgets.widgets.canvas.state import CanvasState, View
from histowidgets.widgets.common import SerialQueue

COPY_OFFSET = 14.0  # CSS pixels to the right and down, so that a copy does not hide its original
OUTLINE_ERROR = 0.5  # CSS pixels that the outline of a wand's region may be off
REACHES_THE_EDGE = "The region was filled only up to the edge of the view. Zoom out to fill more."


class CanvasEditor:
    """Edits the project on behalf of the user of the canvas.

    Each edit is one step of undo, and is shown once the project reports it. Methods may be called from any thread.
    Those that `AnnotationCanvas` also has are documented in full there.

    Parameters
    ----------
    state
        Has the image to edit and the settings of the tools.
    renderer
        Has the displayed pixels, which the wand uses.
    queue
        The queue of the canvas.
    say
        Called with a message for the user and its level, "info" or "error".
    """

    def __init__(
        self, state: CanvasState, renderer: Renderer, queue: SerialQueue, say: Callable[[str, str], None]
    ) -> None:
        self._state, self._project, self._renderer = state, state.project, renderer
        self._queue, self._tell = queue, say
        self._wand: tuple[object, Wand] | None = None  # the input that it was made from, and the wand
        state.observe(self._selection_changed, names="selection")
        state.observe(self._tool_changed, names="tool")
        state.observe(lambda _: self._queue.submit(self.refresh_selection), names="others_hidden")

    def _say(self, text: str, level: str = "info") -> None:
        self._tell(text, level)

    # -- drawing ----------------------------------------------------------------------------------

    def draw(self, shape: Shape, class_name: str | None, image_name: str | None = None) -> str:
        """Add a shape to an image, by default the one shown, and return the annotation's id; class None erases.

        While others' annotations are hidden, erasing cuts only those of the project's annotator, and returns "".
        """
        name = self._state.image_name if image_name is None else image_name
        if class_name is None and self._state.others_hidden:
            if not self._project.erase_own(name, shape):
                self._say("There is nothing of yours under the eraser. Others' annotations are hidden, and stay.")
            return ""
        if class_name is None:
            return self._project.erase(name, shape)
        return self._project.annotate(name, shape, class_name)

    def draw_points(
        self,
        tool: str,
        points: np.ndarray,
        width: float | np.ndarray,
        class_name: str,
        image_name: str | None = None,
    ) -> str:
        """Add the shape that a tool makes from points to an image; return the annotation's id.

        Parameters
        ----------
        tool
            "brush", "eraser", "line", "rectangle" or "polygon".
        points
            ``(n, 2)``, x then y, in image pixels: the path of the brush, the ends of a line, two opposite corners
            of a rectangle, or the outline of a polygon.
        width
            Width of a stroke or line, in image pixels; a stroke may have one per point.
        class_name
            A class of the project; the eraser ignores it.
        image_name
            By default the image shown.

        Raises
        ------
        ShapeError, ClassNameError, ImageNameError, ReadOnlyError
            As for `Project.annotate`.
        """
        return self.draw(_shape_from(tool, points, width), None if tool == "eraser" else class_name, image_name)

    def undo(self) -> bool:
        """Undo the project's last edit; return whether there was one."""
        return self._step(self._project.undo, "Nothing to undo.")

    def redo(self) -> bool:
        """Redo the edit undone last; return whether there was one."""
        return self._step(self._project.redo, "Nothing to redo.")

    def _step(self, step: Callable[[], bool], nothing: str) -> bool:
        try:
            done = step()
        except (HistowidgetsError, OSError) as error:
            self._say(str(error), "error")
            return False
        if not done:
            self._say(nothing)
        return done

    def fill_ring(self, image_name: str | None = None) -> list[str]:
        """Fill what the last annotation of an image encloses, with its class; return the ids of the new annotations.

        Several strokes of the class can form the ring together. Labels inside it stay.
        """
        name = self._state.image_name if image_name is None else image_name
        shown = self._state.visible_annotations(name)
        last = next((one for one in reversed(shown) if one.class_name is not None), None)
        if last is None:
            self._say("Draw a closed ring first. Then I fills its inside.")
            return []
        snapshot = self._project.snapshot()
        inside = enclosed_areas(replace(snapshot, annotations={**snapshot.annotations, name: tuple(shown)}), name, last)
        if not inside:
            self._say("What was drawn last encloses nothing: let its ends meet, then press I again.")
            return []
        return self._project.paste(name, [replace(last, shape=area) for area in inside])

    # -- the wand ---------------------------------------------------------------------------------

    def find_similar(self, x: float, y: float, tolerance: float | None = None, view: View | None = None) -> WandRegion:
        """Find the region of similar colours around an image point in a view (ShapeError outside the image)."""
        view = view or self._state.view
        tolerance = self._state.wand_tolerance if tolerance is None else tolerance
        return self._wand_for(view).find(x, y, tolerance, OUTLINE_ERROR / view.zoom)

    def fill_similar(
        self,
        x: float,
        y: float,
        class_name: str | None = None,
        tolerance: float | None = None,
        view: View | None = None,
    ) -> str:
        """Annotate the region that `find_similar` finds, and return the annotation's id; report if the view cuts it."""
        found = self.find_similar(x, y, tolerance, view)
        annotation_id = self.draw(found.polygon, class_name or self._state.class_name)
        if found.is_cut:
            # Queued after the job that shows the edit, since that clears the status line.
            self._queue.submit(lambda: self._say(REACHES_THE_EDGE))
        return annotation_id

    def _wand_for(self, view: View) -> Wand:
        """Return the wand for a view of the image; the last one is kept."""
        region, name = view.region, self._state.image_name
        downsample = wand_downsample(region, power_of_two_downsample(view.zoom))
        made_of = name, region, downsample, self._renderer.display(name)
        kept = self._wand
        if kept is not None and kept[0] == made_of:
            return kept[1]
        size = view.image_width, view.image_height
        wand = Wand(self._renderer.pixels(region, downsample), region, downsample, size)
        self._wand = made_of, wand
        return wand

    # -- the selection ----------------------------------------------------------------------------

    def pick(self, x: float, y: float, tolerance: float = 0, *, add: bool = False) -> bool:
        """Select the topmost annotation within a tolerance (`add` toggles it); return whether it is now selected."""
        state = self._state
        found = topmost_at(state.visible_annotations(), x, y, tolerance)
        if not add:
            state.selection = () if found is None else (found,)
        elif found in state.selection:
            state.selection = tuple(each for each in state.selection if each != found)
        elif found is not None:
            state.selection = (*state.selection, found)
        return found in state.selection

    def select_in(self, region: Region, *, add: bool = False) -> None:
        """Select the annotations that lie entirely in a region, or add them to the selection."""
        known = {each.id for each in self._state.visible_annotations()}
        inside = self._project.annotations_in(self._state.image_name, region)
        found = [each for each in inside if each in known]
        self._state.selection = (*self._state.selection, *found) if add else tuple(found)
        self._say_selected()

    def select_all(self) -> None:
        """Select all annotations of the image, except erasers."""
        annotations = self._state.visible_annotations()
        self._state.selection = tuple(each.id for each in annotations if each.class_name is not None)
        self._say_selected()

    def deselect(self) -> None:
        """Clear the selection."""
        self._state.selection = ()

    def _say_selected(self) -> None:
        self._say(f"{len(self._state.selection) or 'Nothing'} selected.")

    def selected_annotations(self) -> tuple[Annotation, ...]:
        """Return the selected annotations, in the order of drawing."""
        wanted = set(self._state.selection)
        return tuple(each for each in self._state.visible_annotations() if each.id in wanted)

    def move_selection(self, dx: float, dy: float) -> None:
        """Move the selection to the right and down, in full-size pixels. One step of undo."""
        chosen = self._selected_ids()
        if chosen:
            self._project.move(chosen, dx, dy)

    def delete_selection(self) -> None:
        """Delete the selection. One step of undo."""
        chosen = self._selected_ids()
        if chosen:
            self._project.remove(chosen)
            self._say(f"{len(chosen)} deleted.")

    def choose_class(self, class_name: str) -> None:
        """Choose the class to paint with, and assign it to the selection. One step of undo."""
        self._state.class_name = class_name
        others = [each.id for each in self.selected_annotations() if each.class_name not in (class_name, None)]
        if others:
            self._project.reclassify(others, class_name)
            self._say(f"Class of {len(others)} changed to {class_name}.")

    def copy(self) -> None:
        """Copy the selection to the clipboard."""
        if self._selected_ids():
            self._state.clipboard = self.selected_annotations()
            self._say(f"{len(self._state.clipboard)} copied.")

    def cut(self) -> None:
        """Copy the selection, and delete it. One step of undo."""
        self.copy()
        self.delete_selection()

    def paste(self) -> None:
        """Paste the clipboard into the view, offset from the original, and select the copies. One step of undo."""
        annotations = self._state.clipboard
        if annotations:
            self._paste(annotations, *self._way_into_view(annotations))
        else:
            self._say("Nothing to paste. Copy a selection first.")

    def duplicate(self) -> None:
        """Copy the selection a little to the right and down, and select the copies. One step of undo."""
        if self._selected_ids():
            step = COPY_OFFSET / self._state.view.zoom
            self._paste(self.selected_annotations(), step, step)

    def _paste(self, annotations: tuple[Annotation, ...], dx: float, dy: float) -> None:
        self._state.selection = tuple(self._project.paste(self._state.image_name, annotations, dx, dy))
        self._say(f"{len(self._state.selection)} pasted.")

    def _way_into_view(self, annotations: tuple[Annotation, ...]) -> tuple[float, float]:
        """Return the offset at which to paste annotations, to the right and down."""
        bounds = np.array([each.shape.bounds for each in annotations])
        x, y = (bounds[:, :2].min(axis=0) + bounds[:, 2:].max(axis=0)) / 2
        view = self._state.view
        region = view.region
        if not (region.x <= x <= region.right and region.y <= y <= region.bottom):
            return float(view.x - x), float(view.y - y)
        here = {each.shape for each in self._project.annotations(self._state.image_name)}
        step, moved = COPY_OFFSET / view.zoom, 0.0
        while annotations[0].shape.moved(moved, moved) in here:
            moved += step
        return moved, moved

    def _selected_ids(self) -> list[str]:
        """Return the ids selected on the image shown, with a message if there are none.

        Another thread may have selected something while the image changed. Annotations of other images are never
        edited.
        """
        chosen = [each.id for each in self.selected_annotations()]
        if not chosen:
            self._say("Nothing is selected.")
        return chosen

    # -- following state and project --------------------------------------------------------------

    def _selection_changed(self, change: Any) -> None:
        if self._state.selection:
            self._say_selected()
        elif change["old"] not in ((), traitlets.Undefined):
            self._say("")
        self._queue.submit(self.refresh_selection)

    def _tool_changed(self, _: Any) -> None:
        if self._state.tool != "polygon":
            self._queue.submit(self._discard_draft)

    def _discard_draft(self) -> None:
        self._state.draft = {}

    def refresh_selection(self) -> None:
        """Deselect annotations that no longer exist, and outline the rest; called inside the queue."""
        wanted = self._state.selection
        annotations = self.selected_annotations() if wanted else ()
        if len(annotations) < len(wanted):
            known = {each.id for each in annotations}
            self._state.selection = tuple(each for each in wanted if each in known)
        self._state.set_trait("outlines", selection_outlines(annotations, self._project.colors))


def _shape_from(tool: str, points: np.ndarray, width: float | np.ndarray) -> Shape:
    if tool == "polygon":
        return Polygon(points)
    if tool not in ("line", "rectangle"):
        return Stroke(points, width=width)
    if len(points) != 2:
        raise ShapeError(f"A {tool} needs two points; got {len(points)}.")
    if tool == "line":
        return Line(points, width=float(width))
    left, top = points.min(axis=0)
    across, down = np.ptp(points, axis=0)
    return Rectangle(left, top, across, down)
