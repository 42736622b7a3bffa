"""The wand on the canvas: a click takes the region of similar colours around it, as far as it is in view."""

import traitlets

from histowidgets.annotations import Project
from histowidgets.widgets.canvas._state import MOST_TOLERANCE
from histowidgets.widgets.canvas._viewport import View
from histowidgets.widgets.canvas.drawing import Drawing, power_of_two_downsample
from histowidgets.widgets.canvas.editing._editor import CanvasEditing
from histowidgets.widgets.canvas.editing._wand import Wand, WandRegion, wand_downsample

HALF_A_PIXEL = 0.5  # CSS pixel that an outline may be off
REACHES_THE_EDGE = "The region reaches the edge of the view, and is filled only as far as that. Zoom out for more."


class CanvasWand(CanvasEditing):
    """The part of the canvas that floods."""

    wand_tolerance = traitlets.Float(18.0, min=1.0, max=float(MOST_TOLERANCE))

    project: Project
    _drawing: Drawing
    _wand: tuple[object, Wand] | None = None  # what it was made of, and the wand

    def find_similar(self, x: float, y: float, tolerance: float | None = None, view: View | None = None) -> WandRegion:
        """Find the region of similar colours around an image point, as they are shown.

        Parameters
        ----------
        x, y
            Full-size pixels, in view.
        tolerance
            1 to 100, a difference of colours; `wand_tolerance` by default.
        view
            Nothing outside of it is looked at; what is in view, by default.

        Raises
        ------
        ShapeError
            If the point is not on the picture.
        """
        view = view or self.view
        wand = self._wand_for(view)
        return wand.find(x, y, self.wand_tolerance if tolerance is None else tolerance, HALF_A_PIXEL / view.zoom)

    def fill_similar(
        self,
        x: float,
        y: float,
        class_name: str | None = None,
        tolerance: float | None = None,
        view: View | None = None,
    ) -> str:
        """Annotate what `find_similar` finds with a class, by default the chosen one; return the annotation's id.

        Nothing outside of the view is filled; the status line says so where that cuts the region. One step of undo.

        Raises
        ------
        ShapeError, ClassNameError, ReadOnlyError
            As `find_similar` and `draw` do.
        """
        found = self.find_similar(x, y, tolerance, view)
        annotation_id = self.draw(found.polygon, class_name or self.class_name)
        if found.is_cut:
            # Behind what shows the edit, which clears the line.
            self._queue.submit(lambda: self.say(REACHES_THE_EDGE))
        return annotation_id

    def _wand_for(self, view: View) -> Wand:
        """Return the wand for a view of the image, the last one if that is the same."""
        region = view.region
        downsample = wand_downsample(region, power_of_two_downsample(view.zoom))
        made_of = self.image_name, region, downsample, self._drawing.display(self.image_name)
        kept = self._wand
        if kept is not None and kept[0] == made_of:
            return kept[1]
        size = view.image_width, view.image_height
        wand = Wand(self._drawing.pixels(region, downsample), region, downsample, size)
        self._wand = made_of, wand
        return wand
