"""The metadata of a TIFF: meaning of samples, channel names, pixel size."""

import math
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from histowidgets.errors import ImageSizeError
from histowidgets.images.readers._interpretation import Stored
from histowidgets.images.readers._pixel_size import UM, UNKNOWN, CheckedSize, checked_pixel_size, unit_um

#: Most planes that an OME-TIFF may claim, since tifffile lists all of them.
MOST_PLANES = 1_000_000


def channel_names_of(tiff: tifffile.TiffFile, series: Any, n_channels: int) -> tuple[str, ...] | None:
    """Return the channel names given by the file, or None if it does not name every channel."""
    pixels = _ome_pixels(tiff, series)
    names: list[str] = []
    if pixels is not None:
        for number, channel in enumerate(_children(pixels, "Channel"), start=1):
            samples = int(channel.get("SamplesPerPixel") or 1)
            name = channel.get("Name")
            if name is None and samples > 1:
                return None
            name = name or f"Channel {number}"
            names += [name] if samples == 1 else [f"{name} {i + 1}" for i in range(samples)]
    elif tiff.is_imagej:
        labels = (tiff.imagej_metadata or {}).get("Labels")
        names = [str(label) for label in labels] if isinstance(labels, list) else []
    return tuple(names) if len(names) == n_channels and any(names) else None


def require_possible_planes(tiff: tifffile.TiffFile) -> None:
    """Raise ImageSizeError for OME-XML that claims more than `MOST_PLANES` planes."""
    for pixels in _all_ome_pixels(tiff):
        sizes = [str(pixels.get(f"Size{axis}", "1")) for axis in "XYZCT"]
        planes = math.prod(int(size) for size in sizes[2:] if size.isdecimal() and len(size) < 20)
        if planes > MOST_PLANES:
            raise ImageSizeError(
                f"{tiff.filename} claims {planes} planes of {' x '.join(sizes[:2])} pixels; at most {MOST_PLANES:,} "
                "are accepted. Copy or export it again."
            )


def pixel_size_of(tiff: tifffile.TiffFile, series: Any) -> CheckedSize:
    """Return the pixel size in um that the file gives, if plausible.

    Checked in this order: OME, Aperio's MPP, ImageJ's unit, the resolution tags (if plausible for a microscope).
    """
    pixels = _ome_pixels(tiff, series)
    if pixels is not None:
        return checked_pixel_size(*(_ome_side(pixels, axis) for axis in "YX"), source="The OME-XML")
    page = series.keyframe
    if tiff.is_svs:
        found = re.search(r"\bMPP\s*=\s*([0-9.eE+-]+)", page.description)
        side = _number(found.group(1)) if found else None
        return checked_pixel_size(side, side)
    per_unit = [_per_unit(page, name) for name in ("YResolution", "XResolution")]
    if tiff.is_imagej:
        unit = unit_um((tiff.imagej_metadata or {}).get("unit", ""))
        sides = [None if unit is None or not per else unit / per for per in per_unit]
        return checked_pixel_size(*sides, source="ImageJ")
    unit_tag = page.tags.get("ResolutionUnit")
    units = {2: UM["inch"], 3: UM["cm"], 4: UM["mm"], 5: UM["um"]}
    unit = units.get(int(unit_tag.value) if unit_tag is not None else 2)
    if unit is None:
        return UNKNOWN
    # Zero and one dot per inch stand for "unknown".
    sides = [None if not per or per == 1 else unit / per for per in per_unit]
    return checked_pixel_size(*sides, is_resolution=True)


def stored_of(tiff: tifffile.TiffFile, series: Any, key: Any) -> Stored:
    """Return the description of the samples by the tags of a page of a series."""
    tags = key.tags
    pages = math.prod(series.shape) // max(1, math.prod(key.shape))
    photometric = _name(key.photometric, tifffile.PHOTOMETRIC)
    # Palettes of ImageJ and of OME-TIFF channels are only for display: the pixels are the measured values.
    shown_only = tiff.is_imagej or (series.kind == "ome" and pages > 1)
    colormap = key.colormap if photometric == "PALETTE" and not shown_only else None
    compression = int(key.compression)
    bits = key.bitspersample
    stored = Stored(
        photometric=photometric,
        samples=int(key.samplesperpixel),
        dtype=series.dtype,
        bits=int(max(bits) if isinstance(bits, tuple) else bits),
        extra=tuple(int(sample) for sample in key.extrasamples or ()),
        colormap=None if colormap is None else np.asarray(colormap).reshape(3, -1),
        # 33003 is Aperio's JPEG 2000 of YCbCr, which its codec does not convert.
        is_decoded=compression in tifffile.TIFF.IMAGE_COMPRESSIONS and compression != 33003,
        by_default=bool(key.is_shaped or series.kind == "ome" or str(key.software).startswith("tifffile")),
        has_inks=_value(tags, "InkSet", 1) == 2,
    )
    if photometric == "YCBCR":
        stored = stored._replace(
            coefficients=_numbers(_value(tags, "YCbCrCoefficients", None), 3) or stored.coefficients,
            reference=_numbers(_value(tags, "ReferenceBlackWhite", None), 6) or stored.reference,
        )
    return stored


def orientation_of(page: Any) -> int:
    """Return the orientation of a page, 1 to 8."""
    return int(_value(page.tags, "Orientation", 1) or 1)


def declared_no_data(series: Any) -> float | None:
    """Return the value for missing data from GDAL's tag, or None."""
    text = _value(series.keyframe.tags, "GDAL_NODATA", None)
    try:
        return None if text is None else float(str(text).strip("\0 "))
    except ValueError:
        return None


def missing_files(path: Path, tiff: tifffile.TiffFile) -> list[str]:
    """Return the names of files that the OME-XML of a set refers to but that are not beside it."""
    try:
        root = ElementTree.fromstring(tiff.ome_metadata or "") if tiff.is_ome else ElementTree.Element("none")
    except ElementTree.ParseError:
        return []
    named = {str(element.get("FileName")) for element in root.iter() if element.get("FileName")}
    return sorted(name for name in named if not (path.parent / name).exists())


def _value(tags: Any, name: str, missing: Any) -> Any:
    tag = tags.get(name)
    return missing if tag is None else tag.value


def _name(value: Any, enum: Any) -> str:
    try:
        return str(enum(value).name)
    except ValueError:
        return str(value)


def _numbers(values: Any, count: int) -> tuple[float, ...] | None:
    """Return the numbers of a tag, given directly or as numerators and denominators; None if implausible."""
    if not isinstance(values, tuple):
        return None
    if len(values) == 2 * count:
        if not all(values[1::2]):
            return None
        values = tuple(a / b for a, b in zip(values[::2], values[1::2], strict=True))
    if len(values) != count or (count == 6 and any(values[i] == values[i + 1] for i in (0, 2, 4))):
        return None
    return tuple(float(value) for value in values)


def _per_unit(page: Any, name: str) -> float | None:
    """Return the number of pixels per unit of length along an axis."""
    value = _value(page.tags, name, None)
    if value is None:
        return None
    number, divisor = value if isinstance(value, tuple) else (value, 1)
    return number / divisor if number and divisor else None


def _all_ome_pixels(tiff: tifffile.TiffFile) -> list[Any]:
    """Return every Pixels element of an OME-TIFF."""
    try:
        root = ElementTree.fromstring(tiff.ome_metadata or "") if tiff.is_ome else ElementTree.Element("none")
    except ElementTree.ParseError:
        return []
    return [pixels for image in _children(root, "Image") for pixels in _children(image, "Pixels")]


def _ome_pixels(tiff: tifffile.TiffFile, series: Any) -> Any:
    """Return the Pixels element of a series of an OME-TIFF, or None."""
    if not tiff.is_ome or not tiff.ome_metadata:
        return None
    try:
        root = ElementTree.fromstring(tiff.ome_metadata)
    except ElementTree.ParseError:
        return None
    images = _children(root, "Image")
    place = next((i for i, other in enumerate(tiff.series) if other is series), len(images))
    if place >= len(images):
        return None
    pixels = _children(images[place], "Pixels")
    return pixels[0] if pixels else None


def _children(element: Any, tag: str) -> list[Any]:
    """Return the child elements with a tag, in any version of the schema."""
    return [child for child in element if child.tag.rsplit("}", 1)[-1] == tag]


def _ome_side(pixels: Any, axis: str) -> float | None:
    size = _number(pixels.get(f"PhysicalSize{axis}"))
    unit = unit_um(pixels.get(f"PhysicalSize{axis}Unit", "µm"))
    return None if size is None or unit is None else size * unit


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
