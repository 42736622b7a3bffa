"""Draw one view of an image, with its prediction and its annotations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import PIL.Image

from histowidgets.annotations import UNLABELLED, rasterize
from histowidgets.images import (
    CachedReader,
    ChannelDisplay,
    Image,
    Region,
    display_rgb,
    scaled_shape,
)
from histowidgets.widgets.canvas.drawing._channel_display import RGB_DISPLAY, default_display
from histowidgets.widgets.canvas.drawing._disagreement import contradiction, painted_contradiction
from histowidgets.widgets.canvas.drawing._layers import Layers
from histowidgets.widgets.canvas.drawing._outlines import OutlinedObject, Outlines
from histowidgets.widgets.canvas.drawing._paint import Paint, hatched, painted_annotations, painted_classes, rim_width
from histowidgets.widgets.canvas.drawing._resampling import image_in_view, labels_in_view
from histowidgets.widgets.canvas.drawing._uncertainty import uncertainty_colors, uncertainty_steps
from histowidgets.widgets.canvas.state import CanvasState

if TYPE_CHECKING:
    from histowidgets.prediction import PredictionResults

#: Up to this size, the project's label map of the whole image is used, which is updated stroke by stroke. For larger
#: images, only the view is rasterized each time.
WHOLE_MAP_PIXELS = 16_000_000


class Renderer:
    """Draws one view of one image on the layers. Call its methods one at a time.

    Parameters
    ----------
    state
        Whether classes are hatched and annotations show disagreement, and the image and view to draw first.
    layers
        The layers to draw on.

    Attributes
    ----------
    image_name : str
        The image that is drawn, or about to be.
    view : View
        The view that is drawn, or about to be.
    scale : float
        Drawn pixels per CSS pixel.
    draws_uncertainty : bool
        Whether the uncertainty of the prediction is drawn.
    """

    def __init__(self, state: CanvasState, layers: Layers) -> None:
        self._state, self._project, self._layers = state, state.project, layers
        self.image_name, self.view, self.scale = state.image_name, state.view, layers.scale
        self.draws_uncertainty = False
        self._predictions: dict[str, tuple[PredictionResults, str]] = {}
        self._displays: dict[str, tuple[ChannelDisplay, ...]] = {}
        self._outlines: dict[str, Outlines] = {}
        self._steps: tuple[PredictionResults, np.ndarray] | None = None
        self._reader: CachedReader | None = None

    @property
    def image(self) -> Image:
        """The image shown."""
        return self._project.image(self.image_name)

    @property
    def prediction(self) -> PredictionResults | None:
        """The prediction of the image shown."""
        kept = self._predictions.get(self.image_name)
        return None if kept is None else kept[0]

    @property
    def caption(self) -> str:
        """The caption of that prediction."""
        return self._predictions.get(self.image_name, (None, ""))[1]

    def show_prediction(self, prediction: PredictionResults | None, caption: str) -> bool:
        """Store a prediction for its image (None removes that of the image shown); redraw and return True if shown."""
        name = self.image_name
        if prediction is None:
            self._predictions.pop(name, None)
        else:
            if prediction.image_name in self._project.image_names:
                name = prediction.image_name
            self._predictions[name] = (prediction, caption)
        if name != self.image_name:
            return False
        self.draw_prediction()
        return True

    def show_outlines(self, image_name: str, objects: Sequence[OutlinedObject] | None) -> bool:
        """Store outlines of objects for an image; redraw and return True if it is shown. None removes all outlines."""
        if objects is None:
            if not self._outlines:
                return False
            self._outlines.clear()
        else:
            self._outlines = {image_name: Outlines(objects)}
            if image_name != self.image_name:
                return False
        self._layers.draw(outlines=self._outline_patch(self._drawn_image(self.scale), self.scale), clear_outlines=True)
        return True

    def draw_all(self) -> None:
        """Redraw all layers."""
        whole = self._drawn_image(self.scale)
        self._layers.draw(
            image_in_view(self._reader_of_image(), self.view, self.scale, self._rgb),
            self._prediction_patch(whole, self.scale),
            self._annotation_patch(whole, self.scale),
            uncertainty=self._uncertainty_patch(whole),
            outlines=self._outline_patch(whole, self.scale),
            clear_prediction=True,
            clear_annotations=True,
            clear_outlines=True,
        )

    def draw_image(self) -> None:
        """Redraw the image, as after a change of its display."""
        self._layers.draw(image_in_view(self._reader_of_image(), self.view, self.scale, self._rgb))

    def draw_prediction(self) -> None:
        """Redraw the prediction and its uncertainty."""
        whole = self._drawn_image(self.scale)
        patch = self._prediction_patch(whole, self.scale)
        annotations = self._annotation_patch(whole, self.scale) if self._state.disagreement else None
        uncertainty = self._uncertainty_patch(whole)
        self._layers.draw(prediction=patch, annotations=annotations, uncertainty=uncertainty, clear_prediction=True)

    def draw_annotations(self, region: Region | None) -> None:
        """Redraw the annotations in a region; None for all in view."""
        # A rim reaches beyond the pixels that changed, and depends on those around them.
        rim = 2 * rim_width(self.scale) + 1
        drawn = self.view.drawn_region(region or self.image.region, self.scale)
        if drawn is None and region is not None:
            drawn = self._nearest_pixel(region)
        if drawn is None:
            return
        patch = self._annotation_patch(drawn.expanded(rim).intersect(self._canvas_region()), self.scale)
        if patch is not None:
            self._layers.draw(annotations=patch)

    def _reader_of_image(self) -> CachedReader:
        """Return the reader of the image shown; only one image's pixels are cached at a time."""
        image = self.image
        if self._reader is None or self._reader.image is not image:
            self._reader = CachedReader(image)
        return self._reader

    # -- how the image is shown -------------------------------------------------------------------

    def display(self, name: str) -> tuple[ChannelDisplay, ...]:
        """Return how each channel of an image is shown; the first call chooses a default from the pixels."""
        if name not in self._displays:
            self._displays[name] = default_display(self._project.image(name))
        return self._displays[name]

    def set_display(self, name: str, displays: tuple[ChannelDisplay, ...] | None) -> None:
        """Set how the channels of an image are shown; None restores the default."""
        if displays is None:
            self._displays.pop(name, None)
        else:
            self._displays[name] = displays

    def restore_displays(self, earlier: Renderer) -> None:
        """Copy the displays of an earlier renderer of the same project."""
        self._displays |= {name: kept for name, kept in earlier._displays.items() if name in self._project.image_names}

    def describe(self, x: float, y: float) -> str:
        """Describe an image point: coordinates, painted class and likeliest predicted class, unless they are hidden."""
        if not (0 <= x < self.image.width and 0 <= y < self.image.height):
            return ""
        pixel = Region(int(x), int(y), 1, 1)
        words = [f"x {pixel.x} y {pixel.y}"]
        if self._state.annotations_on:
            index = {name: number for number, name in enumerate(self._project.classes)}
            label = int(rasterize(self._state.visible_annotations(self.image_name), index, pixel)[0, 0])
            words += [f"painted {name}" for name, number in index.items() if number == label]
        if self._state.overlay_on:
            words += [f"predicted {name} {chance:.0%}" for name, chance in self._chances(pixel)[:1]]
        return " · ".join(words)

    def _chances(self, pixel: Region) -> list[tuple[str, float]]:
        """Return the predicted classes of a pixel with their probabilities, likeliest first."""
        prediction = self.prediction
        if prediction is None or not prediction.region.contains(pixel):
            return []
        chances = prediction.probabilities_at(pixel.x, pixel.y)
        if chances is None:
            return []
        return sorted(zip(prediction.classes, chances.tolist(), strict=True), key=lambda pair: -pair[1])

    def static_picture(self, prediction_opacity: float, annotation_opacity: float) -> PIL.Image.Image:
        """Return the view as an RGB picture, drawn without a page."""
        stage = PIL.Image.new("RGB", (self.view.stage_width, self.view.stage_height), (43, 43, 43))
        drawn, region = self._drawn_image(1.0), self.view.region
        rgb = self._rgb(self.image.read(*region, downsample=max(1.0, 1 / self.view.zoom)))
        left, top = self.view.to_stage(region.x, region.y)
        size = max(1, round(region.width * self.view.zoom)), max(1, round(region.height * self.view.zoom))
        stage.paste(PIL.Image.fromarray(rgb).resize(size), (round(left), round(top)))
        for patch, opacity in (
            (self._prediction_patch(drawn, 1.0), prediction_opacity),
            (self._outline_patch(drawn, 1.0), float(prediction_opacity > 0)),
            (self._annotation_patch(drawn, 1.0), annotation_opacity),
        ):
            if patch is not None:
                paint, place = patch
                rgba = paint.rgba
                alpha = PIL.Image.fromarray((rgba[..., 3] * opacity).astype(np.uint8))
                colors = PIL.Image.fromarray(np.ascontiguousarray(rgba[..., :3]))
                stage.paste(colors, (place.x, place.y), alpha)
        return stage

    def pixels(self, region: Region, downsample: int) -> np.ndarray:
        """Return a region of the image with its display applied: uint8 RGB, ``(rows, cols, 3)``."""
        return self._rgb(self.image.read(*region, downsample=downsample))

    def _rgb(self, pixels: np.ndarray) -> np.ndarray:
        """Return pixels of the image as uint8 RGB, with the image's display applied."""
        display = self.display(self.image_name)
        if display == RGB_DISPLAY and pixels.dtype == np.uint8 and pixels.shape[-1] == 3:
            return pixels
        return display_rgb(pixels, display)

    # -- pieces -----------------------------------------------------------------------------------

    def _canvas_region(self) -> Region:
        return Region(0, 0, round(self.view.stage_width * self.scale), round(self.view.stage_height * self.scale))

    def _nearest_pixel(self, region: Region) -> Region | None:
        """Return the drawn pixel nearest to a region that covers no pixel centre."""
        x, y = self.view.to_stage(region.x + region.width / 2, region.y + region.height / 2)
        return Region(int(x * self.scale), int(y * self.scale), 1, 1).intersect(self._canvas_region())

    def _drawn_image(self, scale: float) -> Region | None:
        """Return the drawn pixels that the image covers."""
        return self.view.drawn_region(self.image.region, scale)

    def _annotation_patch(self, drawn: Region | None, scale: float) -> tuple[Paint, Region] | None:
        """Return the painted annotations, drawn with a margin so that rims at the border are complete."""
        if drawn is None:
            return None
        rim = 2 * rim_width(scale) + 1
        wide = drawn.expanded(rim)
        labels = labels_in_view(self._read_labels, self.view, scale, wide)
        # Beyond the edge of the image, the nearest label is repeated: remove these.
        labels = _only_inside(labels, wide, self._drawn_image(scale))
        colors = list(self._project.colors.values())
        if self._state.disagreement and self.prediction is not None and not self.prediction.pyramid:
            columns, rows = self.view.pixel_indices(wide, scale)
            contradicted = contradiction(self.prediction, self._project.classes, labels, rows, columns)
            return painted_contradiction(labels, contradicted).inside(rim), drawn
        paint = painted_annotations(labels, colors, scale)
        if self._state.patterns:
            paint = hatched(paint, labels, wide.x, wide.y, scale)
        return paint.inside(rim), drawn

    def _read_labels(self, region: Region, downsample: int) -> np.ndarray:
        rows, cols = scaled_shape(self.image.width, self.image.height, downsample)
        if rows * cols <= WHOLE_MAP_PIXELS and not self._state.others_hidden:
            whole = self._project.label_map(self.image_name, downsample)
            x, y = region.x // downsample, region.y // downsample
            height, width = scaled_shape(region.width, region.height, downsample)
            return whole[y : y + height, x : x + width]
        index = {name: number for number, name in enumerate(self._project.classes)}
        return rasterize(self._state.visible_annotations(self.image_name), index, region, downsample)

    def _prediction_patch(self, drawn: Region | None, scale: float) -> tuple[Paint, Region] | None:
        prediction = self.prediction
        place = self._predicted_place(drawn, scale)
        if prediction is None or place is None:
            return None
        columns, rows = self._predicted_pixels(prediction.region, place, scale)
        project_colors = self._project.colors  # a class that was recoloured since is shown in its new colour
        colors = [project_colors.get(name, prediction.colors[name]) for name in prediction.classes]
        labels = prediction.labels_on(rows, columns)
        paint = painted_classes(labels, colors)
        if self._state.prediction_patterns:  # by the project's class order, which may differ
            order = self._project.classes
            table = np.full(256, UNLABELLED, np.uint8)
            for index, name in enumerate(prediction.classes):
                if name in order:
                    table[index] = order.index(name)
            paint = hatched(paint, table[labels], place.x, place.y, scale)
        return paint, place

    def _uncertainty_patch(self, drawn: Region | None) -> tuple[Paint, Region] | None:
        """Return the uncertainty of the prediction, if it is shown."""
        prediction = self.prediction
        place = self._predicted_place(drawn, self.scale)
        # Probabilities on disk have no pyramid, so those of a whole slide would all have to be read.
        if prediction is None or place is None or not self.draws_uncertainty or prediction.pyramid:
            return None
        if self._steps is None or self._steps[0] is not prediction:
            self._steps = (prediction, uncertainty_steps(prediction))
        columns, rows = self._predicted_pixels(prediction.region, place, self.scale)
        steps = self._steps[1][np.ix_(*prediction.probability_map.places_of(rows, columns))]
        colors = np.append(uncertainty_colors(), np.full((len(uncertainty_colors()), 1), 255, np.uint8), axis=1)
        return Paint(steps, colors), place

    def _outline_patch(self, drawn: Region | None, scale: float) -> tuple[Paint, Region] | None:
        """Return the outlines of the objects of the image shown, if any."""
        outlines = self._outlines.get(self.image_name)
        if outlines is None or drawn is None:
            return None
        return outlines.painted(self.view, scale, drawn, self._project.colors), drawn

    def _predicted_place(self, drawn: Region | None, scale: float) -> Region | None:
        """Return the drawn pixels that the prediction covers."""
        if self.prediction is None or drawn is None:
            return None
        covered = self.view.drawn_region(self.prediction.region, scale)
        return None if covered is None else covered.intersect(drawn)

    def _predicted_pixels(self, region: Region, place: Region, scale: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the column and the row of the predicted region under each drawn pixel."""
        columns, rows = self.view.pixel_indices(place, scale)
        return np.clip(columns - region.x, 0, region.width - 1), np.clip(rows - region.y, 0, region.height - 1)


def _only_inside(labels: np.ndarray, place: Region, inside: Region | None) -> np.ndarray:
    """Return the labels of the pixels at `place`, set to unlabelled outside `inside`."""
    kept = np.full_like(labels, UNLABELLED)
    common = None if inside is None else place.intersect(inside)
    if common is not None:
        window = np.s_[common.y - place.y : common.bottom - place.y, common.x - place.x : common.right - place.x]
        kept[window] = labels[window]
    return kept
