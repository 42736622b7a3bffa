"""Map the pixels of a label map to classes of the project."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from histowidgets.annotations.io._label_pixels import LabelPixels, read_label_pixels
from histowidgets.annotations.raster import UNLABELLED
from histowidgets.annotations.shapes import MAX_CLASSES, checked_name, free_color, match_class
from histowidgets.errors import LabelPngError, UnknownClassError, UnnamedValuesError
from histowidgets.images import Image, scaled_shape

#: A value of a label map, or a colour as "#RRGGBB".
Value = int | str

#: With more colours than this, a file is a picture and not a label map.
MOST_COLORS = 1024
#: The unlabelled value of a mask.
_NOTHING = (0, "#000000")
#: Colours that count as unlabelled if the others are those of classes.
_NO_CLASS = ("#000000", "#FFFFFF")


@dataclass
class ReadLabels:
    """The labels that a label map gives an image.

    Attributes
    ----------
    labels : ndarray of (rows, columns), uint8
        Indices of `names`; 255 where unlabelled.
    pieces : ndarray of (rows, columns), integers
        0 where unlabelled; pixels with the same number that touch along an edge become one polygon.
    names : list of str
        Names of the classes to draw.
    colors : dict of class name to "#RRGGBB"
        Colours of the classes that the project does not have.
    downsample : float
        Side of a pixel of the file, in full-size pixels.
    notes : list of str
        Sentences about choices that were made.
    """

    labels: np.ndarray
    pieces: np.ndarray
    names: list[str]
    colors: dict[str, str]
    downsample: float
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Found:
    """The distinct values of a label map.

    Attributes
    ----------
    codes : ndarray of (rows, columns), integers
        Indices into `values`; -1 where a picture is transparent.
    values : list of int or "#RRGGBB"
    counts : list of int
        Number of pixels of each value.
    """

    codes: np.ndarray
    values: list[Value]
    counts: list[int]


def read_labels(source: Any, image: Image, colors: Mapping[str, str], unknown_classes: str, classes: Any) -> ReadLabels:
    """Read a label map for an image of a project with these classes.

    Parameters
    ----------
    source : Path, ndarray or Pillow image
    image : Image
    colors : mapping of class to "#RRGGBB"
        Colours of the project.
    unknown_classes : {"error", "add", "skip"}
    classes : mapping of value or colour to class or None; str; or None
        What the values mean. A single name is the class of all values except 0 (or black).

    Raises
    ------
    LabelPngError
        If it cannot be read, or has another size than the image.
    UnnamedValuesError
        If the meaning of its values is unknown.
    UnknownClassError
        If classes are unknown and `unknown_classes` is "error".
    """
    if unknown_classes not in ("error", "add", "skip"):
        raise LabelPngError(f'unknown_classes is {unknown_classes!r}; choose "error", "add" or "skip".')
    pixels = read_label_pixels(source, lambda width, height: _require_not_larger(image, width, height))
    rows, columns = pixels.values.shape[:2]
    downsample = pixels.downsample
    if downsample is None or scaled_shape(image.width, image.height, downsample) != (rows, columns):
        downsample = _factor(image, columns, rows)
    found = _found(pixels)
    notes: list[str] = []
    named = _names(pixels, found, colors, unknown_classes, classes, notes)
    names = _of_project(pixels.name, named, colors, unknown_classes, notes)
    drawn = list(dict.fromkeys(names.values()))
    if len(drawn) > MAX_CLASSES:
        raise LabelPngError(f"{pixels.name} has {len(drawn)} classes; at most {MAX_CLASSES} can be used.")
    index = np.full(len(found.values) + 1, UNLABELLED, np.uint8)  # the last entry is for transparent pixels
    for code, value in enumerate(found.values):
        if value in names:
            index[code] = drawn.index(names[value])
    labels = index[found.codes]
    # With one name for all values, these may number the objects, so that touching ones stay apart.
    pieces = np.where(
        labels == UNLABELLED, 0, found.codes.astype(np.int32) + 1 if isinstance(classes, str) else labels + 1
    )
    new = _new_colors(pixels, names, colors)
    return ReadLabels(labels, pieces.astype(np.int32), drawn, new, float(downsample), notes)


def _require_not_larger(image: Image, width: int, height: int) -> None:
    """Raise LabelPngError for a label map that is larger than the image, before decoding it."""
    if width > image.width or height > image.height:
        _factor(image, width, height)


def _factor(image: Image, width: int, height: int) -> int:
    """Return the whole-number downsample at which the image has this size (LabelPngError if there is none)."""
    factor = max(math.ceil(image.width / width), math.ceil(image.height / height)) if width and height else 1
    if scaled_shape(image.width, image.height, factor) != (height, width):
        raise LabelPngError(
            f"The label map has {width} x {height} pixels, the image {image.width} x {image.height}. It must have the "
            "same size, or that size divided by a whole number and rounded up."
        )
    return factor


def _found(pixels: LabelPixels) -> _Found:
    """Find the distinct values of the pixels."""
    values = pixels.values
    codes: np.ndarray
    if values.ndim == 3:
        packed: np.ndarray = values.astype(np.uint32)
        packed = packed[:, :, 0] << 16 | packed[:, :, 1] << 8 | packed[:, :, 2]
        some = len(np.unique(packed[:: max(1, len(packed) // 64)]))
        keys, codes = np.unique(packed, return_inverse=True) if some <= MOST_COLORS else (np.arange(some), packed)
        if len(keys) > MOST_COLORS:
            raise LabelPngError(
                f"{pixels.name} has {len(keys):,} or more colours (8-bit RGB; at most {MOST_COLORS:,} can be classes): "
                "it is a picture, or its edges are smoothed. Export it as labels, not as a picture."
            )
        listed: list[Value] = [f"#{int(key):06X}" for key in keys]
        codes = codes.reshape(packed.shape)
    elif values.dtype.kind == "u" and values.dtype.itemsize <= 2:
        present = np.flatnonzero(np.bincount(values.ravel(), minlength=1 << 8 * values.dtype.itemsize))
        codes = np.searchsorted(present, np.arange(1 << 8 * values.dtype.itemsize)).astype(np.int32)[values]
        listed = [int(value) for value in present]
    else:
        keys, codes = np.unique(values, return_inverse=True)
        listed, codes = [int(key) for key in keys], codes.reshape(values.shape)
    if pixels.hidden is not None:
        codes = np.where(pixels.hidden, len(listed), codes)
    counts = np.bincount(codes.ravel(), minlength=len(listed) + 1)
    return _Found(codes, listed, [int(n) for n in counts[: len(listed)]])


# --- what the values mean --------------------------------------------------------------------------------------------


def _names(
    pixels: LabelPixels,
    found: _Found,
    colors: Mapping[str, str],
    unknown_classes: str,
    classes: Any,
    notes: list[str],
) -> dict[Value, str]:
    """Return the class of each pixel value; values that are left out are unlabelled."""
    counts = {value: count for value, count in zip(found.values, found.counts, strict=True) if count}
    meaning, source = _meaning(pixels, counts, colors, classes, notes)
    if pixels.values.dtype == np.uint8 and pixels.values.ndim == 2 and not isinstance(classes, str):
        meaning.setdefault(UNLABELLED, None)
    missing = [value for value in counts if value not in meaning]
    if missing and unknown_classes != "skip":
        raise UnnamedValuesError(
            f"{pixels.name} has pixels of {_listed(missing)}, for which {source} names no class. Name one with "
            f'classes={{{missing[0]!r}: name}}, None for unlabelled, or leave them out with unknown_classes="skip".',
            {value: counts[value] for value in missing},
        )
    return {value: name for value in counts if (name := meaning.get(value)) is not None}


def _meaning(
    pixels: LabelPixels, counts: Mapping[Value, int], colors: Mapping[str, str], classes: Any, notes: list[str]
) -> tuple[dict[Value, str | None], str]:
    """Return the class of each value (None for unlabelled), and the source of that meaning."""
    known, present = list(colors), list(counts)
    if isinstance(classes, str):
        name = checked_name(classes)
        return {value: None if value in _NOTHING else name for value in present}, "classes="
    if classes is not None:
        return _checked(classes, pixels), "classes="
    if pixels.classes is not None:
        return {k: name for k, (name, _) in enumerate(pixels.classes)}, f"the text in {pixels.name}"
    by_color = _by_color(pixels, present, colors)
    if by_color is not None:
        notes.append(f"The colours of {pixels.name} were matched to those of the classes.")
        return by_color, "the colours of the project"
    marked = [value for value in present if value not in _NOTHING]
    is_mask = not pixels.palette and (pixels.is_mask or len(known) == 1) and len(marked) < 2
    if is_mask and len(known) == 1:
        if marked:
            notes.append(f"The value {marked[0]} of {pixels.name} was taken as {known[0]!r}, 0 as unlabelled.")
        return {value: None if value in _NOTHING else known[0] for value in present}, "the project"
    without = [value for value in present if value != UNLABELLED]
    if not is_mask and pixels.values.ndim == 2 and without == list(range(len(known))):
        listed = ", ".join(f"{k} as {name!r}" for k, name in enumerate(known))
        notes.append(f"The values of {pixels.name} were taken as places in the list of classes: {listed}.")
        return dict(enumerate(known)), "the project"
    raise UnnamedValuesError(
        f"{pixels.name} does not say what its values mean: {_listed(present)}; the project has {len(known)} classes. "
        f"Specify it with {_suggestion(present, known)}, and None for unlabelled.",
        counts,
    )


def _suggestion(present: Sequence[Value], known: Sequence[str]) -> str:
    """Return an example of `classes=` for these values, of which the first is unlabelled."""
    if len(present) == 2 and present[0] in _NOTHING:
        return f'classes="{known[0]}" if {present[1]!r} is that class, or classes={{value: name}}'
    if not 1 < len(present) <= 6:
        return "classes={value: name}"
    names = [None, *known, *known][: len(present)] if len(present) > len(known) else known
    listed = ", ".join(f"{value!r}: {name!r}" for value, name in zip(present, names, strict=False))
    return f"classes={{{listed}}}, or other names"


def _by_color(
    pixels: LabelPixels, present: Sequence[Value], colors: Mapping[str, str]
) -> dict[Value, str | None] | None:
    """Return the classes with the colours of the file, if each of its colours is that of a class."""
    of_value = {v: v if isinstance(v, str) else pixels.palette.get(v) for v in present}
    if pixels.values.ndim == 2 and not pixels.palette:
        return None
    by_color = {color.upper(): name for name, color in colors.items()}
    meaning: dict[Value, str | None] = {}
    for value, color in of_value.items():
        if color in by_color:
            meaning[value] = by_color[color]
        elif color in _NO_CLASS or (value == UNLABELLED and pixels.values.ndim == 2):
            meaning[value] = None
        else:
            return None
    return meaning if any(meaning.values()) else None


def _checked(classes: Any, pixels: LabelPixels) -> dict[Value, str | None]:
    """Return the user's table, with its values and colours in the form of the pixels."""
    wrong = LabelPngError(
        f"classes is {classes!r:.200}; it must be a mapping of pixel value, or of colour as #RRGGBB or (r, g, b), to "
        "class name."
    )
    if not isinstance(classes, Mapping):
        raise wrong
    meaning: dict[Value, str | None] = {}
    of_color: dict[str, list[int]] = {}
    for value, color in pixels.palette.items():
        of_color.setdefault(color, []).append(value)
    own = {name: k for k, (name, _) in enumerate(pixels.classes or ())}
    for key, given in classes.items():
        if not isinstance(given, str | None):
            raise wrong
        name = None if given is None else given.strip()
        if isinstance(key, str) and key in own:
            meaning[own[key]] = name
        elif (wanted := _as_color(key)) is not None:
            targets: Sequence[Value] = [wanted] if pixels.values.ndim == 3 else of_color.get(wanted, [])
            meaning.update(dict.fromkeys(targets, name))
        else:
            try:
                meaning[_as_value(key, pixels)] = name
            except (TypeError, ValueError):
                raise wrong from None
    if own and any(isinstance(key, str) and key in own for key in classes):
        meaning = {**{k: old for old, k in own.items()}, **meaning}  # other values keep the names from the file
    return meaning


def _as_value(key: Any, pixels: LabelPixels) -> int:
    value = int(key)
    if value != key and not isinstance(key, str):
        raise ValueError
    top = np.iinfo(pixels.values.dtype)
    if not top.min <= value <= top.max:
        raise ValueError
    return value


def _as_color(key: Any) -> str | None:
    if isinstance(key, str) and re.fullmatch(r"#[0-9A-Fa-f]{6}", key.strip()):
        return key.strip().upper()
    if isinstance(key, tuple | list) and len(key) in (3, 4):
        rgb = [int(value) for value in key[:3]]
        if all(0 <= value <= 255 for value in rgb):
            return "#{:02X}{:02X}{:02X}".format(*rgb)
    return None


def _listed(values: Sequence[Value]) -> str:
    shown = ", ".join(map(str, values[:12]))
    return f"value(s) {shown}{' and more' if len(values) > 12 else ''}"


def _of_project(
    file: str, named: Mapping[Value, str], colors: Mapping[str, str], unknown_classes: str, notes: list[str]
) -> dict[Value, str]:
    """Return the names as the project spells them; unknown classes are refused or left out."""
    spelled: dict[str, str] = {}
    for name in dict.fromkeys(named.values()):
        found = match_class(name, [*colors, *spelled.values()])
        if found is not None and found != name:
            notes.append(f"{name!r} was taken as the class {found!r}.")
        spelled[name] = name if found is None else found
    names = {value: spelled[name] for value, name in named.items()}
    unknown = list(dict.fromkeys(name for name in names.values() if name not in colors))
    if unknown and unknown_classes == "error":
        raise UnknownClassError(
            f"{file} has classes that the project does not: {', '.join(map(repr, unknown))}. Add them with "
            f'unknown_classes="add", leave them out with "skip", or rename a class; the project has '
            f"{', '.join(map(repr, colors))}."
        )
    if unknown_classes == "skip":
        names = {value: name for value, name in names.items() if name in colors}
    return names


def _new_colors(pixels: LabelPixels, names: Mapping[Value, str], colors: Mapping[str, str]) -> dict[str, str]:
    """Return a colour for each new class: that of the file, or a free one."""
    chosen: dict[str, str] = {}
    written = dict(pixels.classes or ())
    for value, name in names.items():
        if name not in colors and name not in chosen:
            color = written.get(name) or (value if isinstance(value, str) else pixels.palette.get(value))
            chosen[name] = color or free_color([*colors.values(), *chosen.values()])
    return chosen
