"""The metadata of a TIFF: channel names and pixel size."""

import math
import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import tifffile

from histowidgets.errors import ImageSizeError
from histowidgets.images.readers._units import LARGEST_PIXEL_UM, UM

#: Most planes that an OME-TIFF may claim to have: tifffile makes a list of them.
MOST_PLANES = 1_000_000


def channel_names_of(tiff: tifffile.TiffFile, series: Any, n_channels: int) -> tuple[str, ...] | None:
    """Return the channel names that the file gives, or None if it does not name each channel."""
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
    """Refuse OME-XML that claims more than `MOST_PLANES` planes (ImageSizeError)."""
    for pixels in _all_ome_pixels(tiff):
        sizes = [str(pixels.get(f"Size{axis}", "1")) for axis in "XYZCT"]
        planes = math.prod(int(size) for size in sizes[2:] if size.isdecimal() and len(size) < 20)
        if planes > MOST_PLANES:
            raise ImageSizeError(
                f"{tiff.filename} says that it has {planes} planes of {' x '.join(sizes[:2])} pixels; at most "
                f"{MOST_PLANES:,} are believed. Copy it again, or write it again."
            )


def pixel_size_of(tiff: tifffile.TiffFile, series: Any) -> float | None:
    """Return the pixel size in um that the file gives, or None.

    In this order: OME, Aperio's MPP, ImageJ's unit, the resolution tags (where they can be a microscope's).
    """
    pixels = _ome_pixels(tiff, series)
    if pixels is not None:
        return _ome_size(pixels)
    page = series.keyframe
    if tiff.is_svs:
        found = re.search(r"\bMPP\s*=\s*([0-9.]+)", page.description)
        return _positive(found.group(1)) if found else None
    resolution = _per_unit(page)
    if resolution is None:
        return None
    if tiff.is_imagej:
        unit = str((tiff.imagej_metadata or {}).get("unit", "")).replace("\\u00B5", "µ").replace("μ", "µ")
        return UM[unit.lower()] / resolution if unit.lower() in UM else None
    unit_tag = page.tags.get("ResolutionUnit")
    unit_um = {2: UM["inch"], 3: UM["cm"]}.get(int(unit_tag.value) if unit_tag is not None else 2)
    size = None if unit_um is None else unit_um / resolution
    return size if size is not None and size <= LARGEST_PIXEL_UM else None


def _per_unit(page: Any) -> float | None:
    """Return pixels per unit of length."""
    tag = page.tags.get("XResolution")
    if tag is None:
        return None
    value = tag.value
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
    """Return the children of a tag, whatever the version of the schema."""
    return [child for child in element if child.tag.rsplit("}", 1)[-1] == tag]


def _ome_size(pixels: Any) -> float | None:
    size = _positive(pixels.get("PhysicalSizeX"))
    unit = str(pixels.get("PhysicalSizeXUnit", "µm")).replace("μ", "µ").lower()
    return None if size is None or unit not in UM else size * UM[unit]


def _positive(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None
