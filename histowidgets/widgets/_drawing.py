"""What the canvas shows: an image, a prediction over it and the project's annotations, for one view."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import PIL.Image

from histowidgets.annotations import UNLABELLED, Project, rasterize
from histowidgets.images import ChannelDisplay, Image, Region, auto_contrast, display_rgb, scaled_shape
from histowidgets.widgets._layers import Layers
from histowidgets.widgets._render import (
    annotation_rgba,
    color_table,
    image_in_view,
    labels_in_view,
    rim_width,
)
from histowidgets.widgets._view import View

if TYPE_CHECKING:  # prediction imports torch
    from histowidgets.prediction import Prediction

# Up to this size the project's own label map of the whole image is used, which it keeps up to date stroke by
# stroke; of a larger image, only what is in view is drawn each time.
WHOLE_MAP_PIXELS = 16_000_000


@dataclass
class Drawing:
    """Draws one image's view. Its methods are called one at a time.

    Attributes
    ----------
    view
        What is drawn, or about to be.
    scale
        Drawn pixels a CSS pixel.
    """

    project: Project
    layers: Layers
    image_name: str
    view: View
    scale: float = 1.0
    _predictions: dict[str, "tuple[Prediction, str]"] = field(default_factory=dict, repr=False)
    _contrasts: dict[str, tuple[ChannelDisplay, ...]] = field(default_factory=dict, repr=False)

    @property
    def image(self) -> Image:
        """The image shown."""
        return self.project.image(self.image_name)

    @property
    def prediction(self) -> "Prediction | None":
        """The prediction kept for the image shown."""
        kept = self._predictions.get(self.image_name)
        return None if kept is None else kept[0]

    @property
    def caption(self) -> str:
        """The caption kept with the prediction."""
        return self._predictions.get(self.image_name, (None, ""))[1]

    def keep_prediction(self, prediction: "Prediction | None", caption: str) -> bool:
        """Keep a prediction for its image (None: forget that of the image shown); return whether that is shown."""
        if prediction is None:
            self._predictions.pop(self.image_name, None)
            return True
        known = prediction.image_name in self.project.image_names
        name = prediction.image_name if known else self.image_name
        self._predictions[name] = (prediction, caption)
        return name == self.image_name

    def everything(self) -> None:
        """Draw all layers again."""
        whole = self._drawn_image(self.scale)
        self.layers.draw(
            image_in_view(self.image, self.view, self.scale, self._rgb),
            self._prediction_patch(whole, self.scale),
            self._annotation_patch(whole, self.scale),
            clear_prediction=True,
            clear_annotations=True,
        )

    def only_prediction(self) -> None:
        """Draw the prediction again."""
        patch = self._prediction_patch(self._drawn_image(self.scale), self.scale)
        self.layers.draw(prediction=patch, clear_prediction=True)

    def annotations_in(self, region: Region | None) -> None:
        """Draw the annotations in a region again; None for all that are in view."""
        # A rim reaches past the pixels that changed, and is made from those around them.
        rim = 2 * rim_width(self.scale) + 1
        drawn = self.view.drawn_region(region or self.image.region, self.scale)
        if drawn is None and region is not None:
            drawn = self._nearest_pixel(region)
        if drawn is None:
            return
        patch = self._annotation_patch(drawn.expanded(rim).intersect(self._canvas_region()), self.scale)
        if patch is not None:
            self.layers.draw(annotations=patch)

    def describe(self, x: float, y: float) -> str:
        """Say what is at an image point: where it is, what was painted there, and what the prediction says."""
        if not (0 <= x < self.image.width and 0 <= y < self.image.height):
            return ""
        pixel = Region(int(x), int(y), 1, 1)
        index = {name: number for number, name in enumerate(self.project.classes)}
        label = int(rasterize(self.project.annotations(self.image_name), index, pixel)[0, 0])
        painted = [f"painted {name}" for name, number in index.items() if number == label]
        chances = [f"{name} {chance:.2f}" for name, chance in self._chances(pixel)[:3]]
        return " · ".join([f"x {pixel.x} y {pixel.y}", *painted, *chances])

    def _chances(self, pixel: Region) -> list[tuple[str, float]]:
        """Return what the prediction says about a pixel: classes with probabilities, likeliest first."""
        prediction = self.prediction
        if prediction is None or not prediction.region.contains(pixel):
            return []
        computed = prediction.probability_map  # not enlarged, which would take the time of a whole picture
        row = (pixel.y - prediction.region.y) // computed.scale
        column = (pixel.x - prediction.region.x) // computed.scale
        chances = computed.values[:, row, column].tolist()
        return sorted(zip(prediction.classes, chances, strict=True), key=lambda pair: -pair[1])

    def static_picture(self, prediction_opacity: float, annotation_opacity: float) -> PIL.Image.Image:
        """Return what is in view as a picture of its own, uint8 RGB, without the page's help."""
        stage = PIL.Image.new("RGB", (self.view.stage_width, self.view.stage_height), (43, 43, 43))
        drawn, region = self._drawn_image(1.0), self.view.region
        rgb = self._rgb(self.image.read(*region, downsample=max(1.0, 1 / self.view.zoom)))
        left, top = self.view.to_stage(region.x, region.y)
        size = max(1, round(region.width * self.view.zoom)), max(1, round(region.height * self.view.zoom))
        stage.paste(PIL.Image.fromarray(rgb).resize(size), (round(left), round(top)))
        for patch, opacity in (
            (self._prediction_patch(drawn, 1.0), prediction_opacity),
            (self._annotation_patch(drawn, 1.0), annotation_opacity),
        ):
            if patch is not None:
                rgba, place = patch
                alpha = PIL.Image.fromarray((rgba[..., 3] * opacity).astype(np.uint8))
                colors = PIL.Image.fromarray(np.ascontiguousarray(rgba[..., :3]))
                stage.paste(colors, (place.x, place.y), alpha)
        return stage

    def _rgb(self, pixels: np.ndarray) -> np.ndarray:
        """Turn pixels of the image into uint8 RGB, every part of the image with the same contrast."""
        if pixels.dtype == np.uint8 and pixels.shape[-1] == 3:
            return pixels
        if self.image_name not in self._contrasts:
            self._contrasts[self.image_name] = auto_contrast(self.image)
        return display_rgb(pixels, self._contrasts[self.image_name])

    # -- pieces -----------------------------------------------------------------------------------

    def _canvas_region(self) -> Region:
        return Region(0, 0, round(self.view.stage_width * self.scale), round(self.view.stage_height * self.scale))

    def _nearest_pixel(self, region: Region) -> Region | None:
        """Return the drawn pixel at a region that is smaller than one."""
        x, y = self.view.to_stage(region.x + region.width / 2, region.y + region.height / 2)
        return Region(int(x * self.scale), int(y * self.scale), 1, 1).intersect(self._canvas_region())

    def _drawn_image(self, scale: float) -> Region | None:
        """Return the drawn pixels that the image covers."""
        return self.view.drawn_region(self.image.region, scale)

    def _annotation_patch(self, drawn: Region | None, scale: float) -> tuple[np.ndarray, Region] | None:
        """Return RGBA of the annotations; made from a wider piece, so that rims at its border come out right."""
        if drawn is None:
            return None
        rim = 2 * rim_width(scale) + 1
        wide = drawn.expanded(rim)
        labels = labels_in_view(self._read_labels, self.view, scale, wide)
        # Past the image's edge the nearest label is repeated; there is nothing there.
        labels = _only_inside(labels, wide, self._drawn_image(scale))
        rgba = annotation_rgba(labels, list(self.project.colors.values()), scale)
        return rgba[rim:-rim, rim:-rim], drawn

    def _read_labels(self, region: Region, downsample: int) -> np.ndarray:
        rows, cols = scaled_shape(self.image.width, self.image.height, downsample)
        if rows * cols <= WHOLE_MAP_PIXELS:
            whole = self.project.label_map(self.image_name, downsample)
            x, y = region.x // downsample, region.y // downsample
            height, width = scaled_shape(region.width, region.height, downsample)
            return whole[y : y + height, x : x + width]
        index = {name: number for number, name in enumerate(self.project.classes)}
        return rasterize(self.project.annotations(self.image_name), index, region, downsample)

    def _prediction_patch(self, drawn: Region | None, scale: float) -> tuple[np.ndarray, Region] | None:
        prediction = self.prediction
        if prediction is None or drawn is None:
            return None
        region = prediction.region
        covered = self.view.drawn_region(region, scale)
        place = None if covered is None else covered.intersect(drawn)
        if place is None:
            return None
        columns, rows = self.view.pixel_indices(place, scale)
        columns = np.clip(columns - region.x, 0, region.width - 1)
        rows = np.clip(rows - region.y, 0, region.height - 1)
        colors = self.project.colors  # a class that was recoloured since is shown as it is now
        shown = [colors.get(name, prediction.colors[name]) for name in prediction.classes]
        return color_table(shown)[prediction.labels[np.ix_(rows, columns)]], place


def _only_inside(labels: np.ndarray, place: Region, inside: Region | None) -> np.ndarray:
    """Return labels of the pixels at `place`, unlabelled where `inside` does not reach."""
    kept = np.full_like(labels, UNLABELLED)
    common = None if inside is None else place.intersect(inside)
    if common is not None:
        window = np.s_[common.y - place.y : common.bottom - place.y, common.x - place.x : common.right - place.x]
        kept[window] = labels[window]
    return kept
