"""Pictures of images with their annotations or their prediction, small enough to be part of a report."""

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import PIL.Image
import PIL.ImageDraw

from histowidgets._colors import hex_to_rgb
from histowidgets.annotations import Annotation, Line, Stroke, rasterize
from histowidgets.images import Image, Region, auto_contrast, display_rgb
from histowidgets.prediction import PredictionResults, overlay_rgba

#: Longest side of a picture, in pixels: sharp at the width of half a page.
SIDE = 900
JPEG_QUALITY = 85
#: Narrowest drawn stroke, and smallest drawn area, in pixels of the picture.
LEAST_STROKE = 4.0
#: Opacity of strokes, and of a prediction, from 0 to 255.
STROKE_ALPHA, PREDICTION_ALPHA = 190, 110
#: Longest scale bar, as a share of the width of a picture.
LONGEST_BAR = 0.25
_LIGHT, _DARK = (255, 255, 255), (0, 0, 0)


@dataclass(frozen=True)
class Picture:
    """A picture in a report.

    Attributes
    ----------
    url : str
        The JPEG, as a ``data:`` address.
    width, height : int
        In pixels.
    bar : str
        Length of the scale bar with its unit, such as "200 µm"; "" if the image has no pixel size.
    """

    url: str
    width: int
    height: int
    bar: str = ""


def plain_picture(image: Image, side: int = SIDE) -> np.ndarray:
    """Return an image as it is shown on the screen: (rows, cols, 3), uint8, of at most `side` pixels."""
    return display_rgb(image.read(0, 0, image.width, image.height, _downsample(image, side)), auto_contrast(image))


def annotated_picture(
    image: Image,
    pixels: np.ndarray,
    annotations: Sequence[Annotation],
    colors: Mapping[str, str],
    held_out: Sequence[Region] = (),
) -> Picture:
    """Draw the annotations of an image, and dashed outlines of its held-out regions.

    Parameters
    ----------
    image : Image
    pixels : ndarray of (rows, cols, 3), uint8
        From `plain_picture`.
    annotations : sequence of Annotation
        In drawing order. Those too small to be seen at this size are drawn larger.
    colors : mapping of class to "#RRGGBB"
    held_out : sequence of Region
    """
    downsample = _scale(image, pixels)
    index = {name: i for i, name in enumerate(colors)}
    shown = [_visible(one, downsample) for one in annotations if one.class_name is None or one.class_name in index]
    labels = rasterize(shown, index, image.region, downsample)
    drawn = PIL.Image.fromarray(_blended(pixels, labels, list(colors.values()), STROKE_ALPHA))
    draw = PIL.ImageDraw.Draw(drawn)
    for region in held_out:
        _dashed(draw, [value / downsample for value in (region.x, region.y, region.right - 1, region.bottom - 1)])
    return _finished(drawn, image, downsample)


def predicted_picture(image: Image, pixels: np.ndarray, prediction: PredictionResults) -> Picture:
    """Draw a prediction over an image, as translucent areas with outlines; what was not predicted stays plain."""
    downsample = _scale(image, pixels)
    rows, columns = (
        np.minimum((np.arange(n) + 0.5) * downsample, size - 1).astype(int)
        for n, size in zip(pixels.shape[:2], (image.height, image.width), strict=True)
    )
    region, labels = prediction.region, np.full(pixels.shape[:2], 255, np.uint8)
    inside_rows = np.flatnonzero((rows >= region.y) & (rows < region.bottom))
    inside_columns = np.flatnonzero((columns >= region.x) & (columns < region.right))
    if inside_rows.size and inside_columns.size:
        found = prediction.labels_on(rows[inside_rows] - region.y, columns[inside_columns] - region.x)
        labels[np.ix_(inside_rows, inside_columns)] = found
    colors = list(prediction.colors.values())
    blended = _blended(pixels, labels, colors, PREDICTION_ALPHA)
    edge = np.zeros(labels.shape, bool)
    edge[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    edge[1:] |= labels[1:] != labels[:-1]
    edge &= labels != 255
    blended[edge] = overlay_rgba(labels[edge], colors)[:, :3]
    return _finished(PIL.Image.fromarray(blended), image, downsample)


def bar_length(pixel_size_um: float, downsample: float, width: int) -> tuple[float, str]:
    """Return the length of a scale bar in pixels of a picture, and its text: 1, 2 or 5 times a power of ten."""
    micrometres = pixel_size_um * downsample
    longest = LONGEST_BAR * width * micrometres
    power = 10.0 ** math.floor(math.log10(longest))
    length = next(factor * power for factor in (5, 2, 1) if factor * power <= longest)
    text = f"{length / 1000:g} mm" if length >= 1000 else f"{length:g} µm"
    return length / micrometres, text


def _downsample(image: Image, side: int) -> int:
    return max(1, math.ceil(max(image.width, image.height) / side))


def _scale(image: Image, pixels: np.ndarray) -> int:
    """Return the downsample of a picture from `plain_picture`."""
    return max(1, math.ceil(image.width / pixels.shape[1]), math.ceil(image.height / pixels.shape[0]))


def _visible(annotation: Annotation, downsample: float) -> Annotation:
    """Return an annotation that is large enough to be seen in the picture."""
    shape, least = annotation.shape, LEAST_STROKE * downsample
    if isinstance(shape, Stroke | Line):
        return annotation if shape.mean_width >= least else replace(annotation, shape=Stroke(shape.points, least))
    left, top, right, bottom = shape.bounds
    if max(right - left, bottom - top) >= least:
        return annotation
    return replace(annotation, shape=Stroke([((left + right) / 2, (top + bottom) / 2)], least))


def _blended(pixels: np.ndarray, labels: np.ndarray, colors: Sequence[str], alpha: int) -> np.ndarray:
    rgba = overlay_rgba(labels[: pixels.shape[0], : pixels.shape[1]], colors, alpha).astype(np.float32)
    share = rgba[..., 3:] / 255
    mixed: np.ndarray = np.rint(pixels * (1 - share) + rgba[..., :3] * share).astype(np.uint8)
    return mixed


def _dashed(draw: PIL.ImageDraw.ImageDraw, edges: Sequence[float]) -> None:
    """Draw a rectangle in black and white dashes, which are seen on any tissue."""
    left, top, right, bottom = edges
    draw.rectangle((left, top, right, bottom), outline=_LIGHT, width=3)
    for start, end in (
        ((left, top), (right, top)),
        ((left, bottom), (right, bottom)),
        ((left, top), (left, bottom)),
        ((right, top), (right, bottom)),
    ):
        length = math.hypot(end[0] - start[0], end[1] - start[1])
        for at in np.arange(0, length, 16):
            a, b = at / max(length, 1), min(at + 9, length) / max(length, 1)
            points = [tuple(s + (e - s) * share for s, e in zip(start, end, strict=True)) for share in (a, b)]
            draw.line([(float(x), float(y)) for x, y in points], fill=_DARK, width=3)


def _finished(drawn: PIL.Image.Image, image: Image, downsample: float) -> Picture:
    """Add the scale bar, and pack the picture."""
    text = ""
    if image.pixel_size_um is not None:
        sides = image.pixel_size_yx_um or (image.pixel_size_um, image.pixel_size_um)
        length, text = bar_length(sides[1], downsample, drawn.width)
        draw = PIL.ImageDraw.Draw(drawn)
        right, bottom = drawn.width - 12, drawn.height - 12
        draw.rectangle((right - length - 2, bottom - 8, right + 2, bottom + 2), fill=_DARK)
        draw.rectangle((right - length, bottom - 6, right, bottom), fill=_LIGHT)
    buffer = io.BytesIO()
    drawn.save(buffer, "JPEG", quality=JPEG_QUALITY)
    url = "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
    return Picture(url, drawn.width, drawn.height, text)


def swatches(colors: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return (class, "#rrggbb") for a legend; a colour that is not one, as in a damaged file, becomes grey."""
    found = []
    for name, color in colors.items():
        try:
            hex_to_rgb(color)
        except ValueError:
            color = "#808080"
        found.append((name, color))
    return found
