"""Write label maps as palette PNG files, with a text that names the classes."""

import json
import math
from collections.abc import Mapping
from os import PathLike
from typing import Any

import numpy as np
import PIL.Image
import PIL.PngImagePlugin

from histowidgets._colors import hex_to_rgb
from histowidgets._io import atomic_write
from histowidgets.annotations.raster import UNLABELLED
from histowidgets.annotations.shapes import checked_color
from histowidgets.errors import HistowidgetsError, LabelPngError

#: Version of the text chunk, and its keyword.
VERSION = 1
KEYWORD = "histowidgets"

#: Most pixels of a file, written or read (8192 x 8192): tracing the areas takes about 20 bytes each.
MAX_PIXELS = 1 << 26


def write_label_png(
    path: str | PathLike[str],
    labels: np.ndarray,
    colors: Mapping[str, str],
    downsample: float = 1,
    error: type[HistowidgetsError] = LabelPngError,
) -> None:
    """Write a label map as a PNG that any program shows in the class colours.

    The names and colours of the classes and the downsample are stored in a text chunk "histowidgets", as JSON, for
    `read_labels`.

    Parameters
    ----------
    path : path
    labels : ndarray of uint8, (rows, columns)
        Class indices; 255, which becomes transparent, where unlabelled.
    colors : mapping of class name to "#rrggbb"
        In the order of the indices.
    downsample : float, default 1
        Side of a pixel, in full-size pixels.
    error : type of HistowidgetsError, default LabelPngError
        Type of error to raise.

    Raises
    ------
    HistowidgetsError
        Of the type `error`, if the file cannot be written.
    """
    palette = np.zeros((256, 3), np.uint8)
    for k, color in enumerate(colors.values()):
        palette[k] = hex_to_rgb(color)
    image = PIL.Image.fromarray(labels)
    image.putpalette(palette.tobytes())  # makes it a palette image
    classes = [{"name": name, "color": color} for name, color in colors.items()]
    text = PIL.PngImagePlugin.PngInfo()
    text.add_text(KEYWORD, json.dumps({"version": VERSION, "downsample": downsample, "classes": classes}))
    with atomic_write(path, error) as part:
        image.save(part, format="PNG", bits=8, transparency=UNLABELLED, pnginfo=text)


def check_pixels(width: int, height: int, what: str) -> None:
    """Raise LabelPngError for a label map with too many pixels."""
    if width * height > MAX_PIXELS:
        raise LabelPngError(
            f"{what} has {width} x {height} pixels; at most {MAX_PIXELS:,} are supported. Use a larger downsample."
        )


def own_text(file: str, text: Any) -> tuple[list[tuple[str, str]], float]:
    """Return the class names and colours, and the downsample, that `write_label_png` wrote into a file.

    Raises
    ------
    LabelPngError
        If the text is damaged.
    """
    try:
        values = json.loads(text)
        if values["version"] != VERSION:
            raise ValueError(f"its version is {values['version']!r}, but only {VERSION} can be read")
        classes = []
        for entry in values["classes"]:
            if not isinstance(entry["name"], str) or not entry["name"].strip():
                raise ValueError(f"a class is named {entry['name']!r}")
            classes.append((entry["name"].strip(), checked_color(entry["color"])))
        downsample = float(values["downsample"])
        if not (math.isfinite(downsample) and downsample >= 1):
            raise ValueError(f"its downsample is {downsample}")
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise LabelPngError(
            f'The text "{KEYWORD}" in {file} is damaged: {error!r}. Export the file again; or save it without '
            "that text, and say with classes= what its values mean."
        ) from error
    return classes, downsample
