"""Label maps as PNG files with a palette: written for any program, read from any."""

import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import PIL.Image
import PIL.PngImagePlugin

from histowidgets._colors import hex_to_rgb
from histowidgets._io import atomic_write
from histowidgets.annotations.raster import UNLABELLED
from histowidgets.annotations.shapes import MAX_CLASSES, checked_color, free_color
from histowidgets.errors import HistowidgetsError, LabelPngError, UnknownClassError
from histowidgets.images import Image, scaled_shape

#: Version of the text beside the pixels, and its keyword.
VERSION = 1
KEYWORD = "histowidgets"

#: Most pixels of a file, written or read (8192 x 8192): tracing the areas takes about 20 bytes each.
MAX_PIXELS = 1 << 26

_COLOR_TYPES = {0: "grey", 2: "RGB", 3: "palette", 4: "grey with alpha", 6: "RGB with alpha"}


class ReadLabels(NamedTuple):
    """What a file holds for an image.

    Attributes
    ----------
    labels : ndarray of (rows, columns), uint8
        Indices of `names`; 255 where unlabelled.
    names : list of str
        Of the classes that are drawn.
    colors : dict of class name to "#RRGGBB"
        Of the classes that the project does not have.
    downsample : float
        Side of a pixel of the file, in full-size pixels.
    """

    labels: np.ndarray
    names: list[str]
    colors: dict[str, str]
    downsample: float


@dataclass(frozen=True)
class _Header:
    """The first chunk of a PNG file."""

    width: int
    height: int
    bits: int
    color_type: int


@dataclass(frozen=True)
class _Content:
    """What a file holds, before its values have a meaning."""

    pixels: np.ndarray
    palette: dict[int, str]  # value to "#RRGGBB"; empty in a grey file
    classes: list[tuple[str, str]] | None  # of our own text
    downsample: float | None  # of our own text

    def values(self) -> list[int]:
        return [int(value) for value in np.flatnonzero(np.bincount(self.pixels.ravel(), minlength=256))]


def write_label_png(
    path: str | PathLike[str],
    labels: np.ndarray,
    colors: Mapping[str, str],
    downsample: float = 1,
    error: type[HistowidgetsError] = LabelPngError,
) -> None:
    """Write a label map as a PNG that any program shows in the colours of the classes.

    The names and colours of the classes and the downsample stand in a text chunk "histowidgets", as JSON, for
    `read_label_png`.

    Parameters
    ----------
    path : path
    labels : ndarray of uint8, (rows, columns)
        Indices of the classes; 255, which becomes transparent, where unlabelled.
    colors : mapping of class name to "#rrggbb"
        In the order of the indices.
    downsample : float, default 1
        Side of a pixel, in full-size pixels.
    error : type of HistowidgetsError, default LabelPngError
        What to raise.

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
    """Refuse a label map with too many pixels (LabelPngError)."""
    if width * height > MAX_PIXELS:
        raise LabelPngError(
            f"{what} has {width} x {height} pixels; at most {MAX_PIXELS:,} can be held. Use a larger downsample."
        )


def read_label_png(
    path: Path,
    image: Image,
    colors: Mapping[str, str],
    unknown_classes: str,
    classes: Mapping[int, str | None] | None,
) -> ReadLabels:
    """Read a file for an image of a project with these classes.

    Raises
    ------
    LabelPngError
        If it cannot be read, is of another size, or its values have no known meaning.
    UnknownClassError
        If classes are unknown and that is an error.
    """
    if unknown_classes not in ("error", "add", "skip"):
        raise LabelPngError(f'unknown_classes is {unknown_classes!r}; choose "error", "add" or "skip".')
    content = _read(path, image)
    rows, columns = content.pixels.shape
    downsample = content.downsample
    if downsample is None or scaled_shape(image.width, image.height, downsample) != (rows, columns):
        downsample = _factor(image, columns, rows)
    names = _names(path, content, list(colors), unknown_classes, classes)
    unknown = list(dict.fromkeys(name for name in names.values() if name not in colors))
    if unknown and unknown_classes == "error":
        raise UnknownClassError(
            f"{path.name} has classes that the project does not: {', '.join(map(repr, unknown))}. Add them with "
            f'unknown_classes="add", leave them out with "skip", or rename a class; the project has '
            f"{', '.join(map(repr, colors))}."
        )
    if unknown_classes == "skip":
        names = {value: name for value, name in names.items() if name in colors}
    drawn = list(dict.fromkeys(names.values()))
    if len(drawn) > MAX_CLASSES:
        raise LabelPngError(f"{path.name} has {len(drawn)} classes; at most {MAX_CLASSES} can be used.")
    index = np.full(256, UNLABELLED, np.uint8)
    for value, name in names.items():
        index[value] = drawn.index(name)
    return ReadLabels(index[content.pixels], drawn, _new_colors(content, names, colors), float(downsample))


def _names(
    path: Path,
    content: _Content,
    known: Sequence[str],
    unknown_classes: str,
    classes: Mapping[int, str | None] | None,
) -> dict[int, str]:
    """Return the class of each value that the pixels have; what is left out is unlabelled."""
    found = content.values()
    if classes is not None:
        meaning = _checked(classes)
        source = "classes="
    elif content.classes is not None:
        meaning = {k: name for k, (name, _) in enumerate(content.classes)}
        source = f"the text in {path.name}"
    elif [v for v in found if v != UNLABELLED] == list(range(len(known))):
        meaning = dict(enumerate(known))
        source = "the project"
    else:
        raise LabelPngError(
            f"{path.name} does not say what its values mean: {_listed(found)}; the project has {len(known)} classes. "
            "Say it with classes={value: name}, and None for unlabelled."
        )
    meaning.setdefault(UNLABELLED, None)
    missing = [value for value in found if value not in meaning]
    if missing and unknown_classes != "skip":
        raise LabelPngError(
            f"{path.name} has pixels of {_listed(missing)}, for which {source} names no class. Name one with "
            'classes={value: name}, None for unlabelled, or leave them out with unknown_classes="skip".'
        )
    return {value: name for value in found if (name := meaning.get(value)) is not None}


def _checked(classes: Mapping[int, str | None]) -> dict[int, str | None]:
    try:
        items = {int(value): None if name is None else name.strip() for value, name in classes.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise LabelPngError(
            f"classes is {classes!r:.200}; a mapping of pixel value to class name is wanted."
        ) from error
    if not all(0 <= value <= 255 for value in items):
        raise LabelPngError(f"classes names values {sorted(items)}; those of a PNG go from 0 to 255.")
    return items


def _listed(values: Sequence[int]) -> str:
    shown = ", ".join(map(str, values[:12]))
    return f"value(s) {shown}{' and more' if len(values) > 12 else ''}"


def _new_colors(content: _Content, names: Mapping[int, str], colors: Mapping[str, str]) -> dict[str, str]:
    """Return a colour for each class that is new: that of our text, of the palette, or a free one."""
    chosen: dict[str, str] = {}
    written = dict(content.classes or ())
    for value, name in names.items():
        if name not in colors and name not in chosen:
            color = written.get(name) or content.palette.get(value)
            chosen[name] = color or free_color([*colors.values(), *chosen.values()])
    return chosen


def _factor(image: Image, width: int, height: int) -> int:
    """Return the whole downsample that makes an image this large, or say that there is none."""
    factor = max(math.ceil(image.width / width), math.ceil(image.height / height))
    if scaled_shape(image.width, image.height, factor) != (height, width):
        raise LabelPngError(
            f"The PNG has {width} x {height} pixels, the image {image.width} x {image.height}. The same size, or that "
            "size divided by a whole number and rounded up, is wanted."
        )
    return factor


def _read(path: Path, image: Image) -> _Content:
    header = _read_header(path)
    if header.width > image.width or header.height > image.height:
        _factor(image, header.width, header.height)  # which says so, before anything is decoded
    check_pixels(header.width, header.height, path.name)
    if header.color_type not in (0, 3) or (header.color_type == 0 and header.bits != 8):
        kind = _COLOR_TYPES.get(header.color_type, "unknown")
        raise LabelPngError(
            f"{path.name} is a PNG of {header.bits}-bit {kind}; one with a palette, or of 8-bit grey, is wanted. "
            "Export it as labels, not as a picture."
        )
    try:
        with PIL.Image.open(path, formats=["PNG"]) as picture:
            pixels = np.array(picture)
            palette = _palette(picture)
            text = picture.text.get(KEYWORD) if isinstance(picture, PIL.PngImagePlugin.PngImageFile) else None
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, PIL.Image.DecompressionBombError) as error:
        raise LabelPngError(f"{path} is damaged: {error}. Export it again.") from error
    classes, downsample = (None, None) if text is None else _own_text(path, text)
    return _Content(pixels, palette, classes, downsample)


def _read_header(path: Path) -> _Header:
    try:
        with path.open("rb") as file:
            start = file.read(26)
    except OSError as error:
        raise LabelPngError(f"{path} cannot be read: {error.strerror or error}. Check the path.") from error
    if len(start) < 26 or start[:8] != b"\x89PNG\r\n\x1a\n" or start[12:16] != b"IHDR":
        raise LabelPngError(f"{path} is not a PNG file. Export it again as PNG.")
    header = _Header(*struct.unpack(">IIBB", start[16:26]))
    if header.width < 1 or header.height < 1:
        raise LabelPngError(f"{path} is damaged: it says that it has {header.width} x {header.height} pixels.")
    return header


def _palette(picture: PIL.Image.Image) -> dict[int, str]:
    rgb = picture.getpalette("RGB") if picture.mode == "P" else None
    if rgb is None:
        return {}
    return {k: "#{:02X}{:02X}{:02X}".format(*rgb[3 * k : 3 * k + 3]) for k in range(len(rgb) // 3)}


def _own_text(path: Path, text: Any) -> tuple[list[tuple[str, str]], float]:
    try:
        values = json.loads(text)
        if values["version"] != VERSION:
            raise ValueError(f"its version is {values['version']!r}, and {VERSION} can be read")
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
            f'The text "{KEYWORD}" in {path.name} is damaged: {error!r}. Export the file again; or save it without '
            "that text, and say with classes= what its values mean."
        ) from error
    return classes, downsample
