"""The layers of an ipycanvas MultiCanvas that the kernel draws on, from the image to the annotations."""

import ipywidgets
import numpy as np
from ipycanvas import Canvas, MultiCanvas
from ipycanvas.canvas import COMMANDS

from histowidgets.images import Region
from histowidgets.widgets.canvas.drawing._paint import Paint
from histowidgets.widgets.canvas.drawing._png import empty_png, overlay_png
from histowidgets.widgets.canvas.drawing._resampling import Picture
from histowidgets.widgets.common import batch


class Layers:
    """Image, prediction, uncertainty, outlines of objects, and annotations on top; each is drawn independently.

    All but the image are kept opaque on hidden canvases, so that changing an opacity takes only a message of a few
    bytes. All coordinates are drawn pixels. Call the methods one at a time (`SerialQueue`).

    Parameters
    ----------
    width, height
        Size on the page in CSS pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        # Without a fixed layout the box around it would stretch the canvas.
        layout = ipywidgets.Layout(grid_area="1 / 1 / 2 / 2", flex="0 0 auto")
        self.canvas = MultiCanvas(3, layout=layout)
        self.canvas.add_class("hw-picture")
        self._image, self._prediction, self._annotations = (self.canvas[i] for i in range(3))
        self._prediction_source, self._uncertainty_source, self._annotation_source = Canvas(), Canvas(), Canvas()
        self._outline_source = Canvas()
        self._anchor = Canvas(width=1, height=1)
        # Two, used in turn, since ipycanvas decodes while drawing and may not have finished the previous image.
        self._pictures = [ipywidgets.Image(value=empty_png()) for _ in range(2)]
        self._prediction_alpha = self._annotation_alpha = 1.0
        self._uncertainty_alpha, self._outline_alpha = 0.0, 1.0
        self.resize(width, height, 1.0)

    def resize(self, width: int, height: int, scale: float) -> None:
        """Resize and clear the canvases, with `scale` drawn pixels per CSS pixel."""
        self.scale = scale
        self.canvas.layout.width, self.canvas.layout.height = f"{width}px", f"{height}px"
        pixels = round(width * scale), round(height * scale)
        for canvas in (self.canvas, *self._sources):
            if (canvas.width, canvas.height) != pixels:
                canvas.width, canvas.height = pixels

    @property
    def manager_id(self) -> str:
        """Model id of the manager that executes ipycanvas' commands on the page."""
        return str(self.canvas.get_state("_canvas_manager")["_canvas_manager"].removeprefix("IPY_MODEL_"))

    @property
    def top_id(self) -> str:
        """Model id of the top layer."""
        return str(self._annotations.model_id)

    @property
    def canvas_ids(self) -> list[str]:
        """Model ids of the canvases that pictures are drawn on."""
        return [str(canvas.model_id) for canvas in (self._image, *self._sources)]

    @property
    def _sources(self) -> tuple[Canvas, ...]:
        """The hidden canvases that the layers are composed from."""
        return self._prediction_source, self._uncertainty_source, self._outline_source, self._annotation_source

    @property
    def pictures(self) -> dict[str, int]:
        """Model ids of the widgets that hold pictures of the image, in a fixed order, with the bytes in each."""
        return dict(sorted((str(picture.model_id), len(picture.value)) for picture in self._pictures))

    def draw(
        self,
        picture: Picture | None = None,
        prediction: tuple[Paint, Region] | None = None,
        annotations: tuple[Paint, Region] | None = None,
        *,
        uncertainty: tuple[Paint, Region] | None = None,
        outlines: tuple[Paint, Region] | None = None,
        clear_prediction: bool = False,
        clear_annotations: bool = False,
        clear_outlines: bool = False,
    ) -> None:
        """Draw the given parts in one batch, so that the page shows them together.

        Parameters
        ----------
        picture
            Replaces the image.
        prediction, annotations, uncertainty, outlines
            Pixels and the rectangle that they replace.
        clear_prediction, clear_annotations, clear_outlines
            Whether to erase the layer first; the uncertainty is erased along with the prediction.
        """
        if picture is not None:
            self._pictures.reverse()
            self._pictures[0].format, self._pictures[0].value = picture.format, picture.data
        with batch(self._anchor):
            if picture is not None:
                self._image.clear()
                self._image.draw_image(self._pictures[0], picture.x, picture.y, picture.width, picture.height)
            for source, patch, clear in (
                (self._prediction_source, prediction, clear_prediction),
                (self._uncertainty_source, uncertainty, clear_prediction),
                (self._outline_source, outlines, clear_outlines),
                (self._annotation_source, annotations, clear_annotations),
            ):
                if clear:
                    source.clear()
                if patch is not None:
                    paint, place = patch
                    source.clear_rect(place.x, place.y, place.width, place.height)
                    _put(source, paint, place)
            self._compose()

    def set_opacity(
        self, prediction: float, annotations: float, uncertainty: float = 0.0, *, outlines: bool = True
    ) -> None:
        """Show prediction, annotations and uncertainty with these opacities (0 to 1).

        Outlines of predicted objects stay opaque while `outlines` is True.
        """
        self._prediction_alpha, self._annotation_alpha = prediction, annotations
        self._uncertainty_alpha, self._outline_alpha = uncertainty, float(outlines)
        with batch(self._anchor):
            self._compose()

    def sketch(self, points: np.ndarray, width: float, color: str) -> None:
        """Draw a line directly on the visible annotations, which lasts until these are redrawn."""
        with batch(self._anchor):
            self._annotations.line_width = width
            self._annotations.line_cap = self._annotations.line_join = "round"
            self._annotations.stroke_style = color
            self._annotations.stroke_lines(points)

    def _compose(self) -> None:
        over_image = (
            (self._prediction_source, self._prediction_alpha),
            (self._uncertainty_source, self._uncertainty_alpha),
            (self._outline_source, self._outline_alpha),
        )
        on_top = ((self._annotation_source, self._annotation_alpha),)
        for layer, sources in ((self._prediction, over_image), (self._annotations, on_top)):
            layer.clear()
            for source, alpha in sources:
                if alpha > 0:
                    layer.global_alpha = alpha
                    layer.draw_image(source, 0, 0)

    def close(self) -> None:
        """Close the canvases and images, but not the canvas manager, which is shared by the whole kernel."""
        for layer in (self._image, self._prediction, self._annotations, self.canvas):
            layer.layout.close()
            layer.close()
        for widget in (*self._sources, self._anchor, *self._pictures):
            widget.layout.close()
            widget.close()


def _put(canvas: Canvas, paint: Paint, place: Region) -> None:
    """Put pixels on an empty place. Unlike `put_image_data`, this encodes them with a palette."""
    png = overlay_png(paint, place.x, place.y)
    if png is not None:
        canvas._canvas_manager.send_draw_command(canvas, COMMANDS["putImageData"], [png.x, png.y], [png.data])
