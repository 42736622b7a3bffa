"""Read COCO JSON: polygons, run lengths and boxes; see https://cocodataset.org/#format-data."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from histowidgets.annotations.io._content import FileContent, FileShape, open_ring
from histowidgets.annotations.io._unpack import stem_of
from histowidgets.annotations.raster import find_areas, trace
from histowidgets.annotations.shapes import Polygon, Shape
from histowidgets.errors import SeveralEntriesError

#: Most pixels of a mask.
_MOST_PIXELS = 1 << 26


def is_coco(values: Any) -> bool:
    """Return whether a JSON file is COCO: a data set, or a list of results."""
    if isinstance(values, list):
        return bool(values) and all(isinstance(one, Mapping) and "category_id" in one for one in values)
    has_more = isinstance(values, Mapping) and ("categories" in values or "images" in values)
    return has_more and isinstance(values.get("annotations"), list)


def read_coco(file: str, values: Any, entry: str | None, stems: Collection[str]) -> FileContent:
    """Read the annotations of one image.

    Parameters
    ----------
    file : str
        Name of the file.
    values : dict or list
    entry : str or None
        The `file_name` of the image whose annotations to read.
    stems : collection of str
        Possible names of the image, without ending, if `entry` is None and the file is about several images.

    Raises
    ------
    SeveralEntriesError
        If the file is about several images and it is unclear which one to read.
    """
    data = values if isinstance(values, Mapping) else {"annotations": values}
    content = FileContent("COCO (JSON)")
    image = _chosen(file, _objects(data.get("images")), entry, stems)
    width, height = (0, 0) if image is None else (image.get("width"), image.get("height"))
    if isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0:
        content.size = (width, height)
    categories = {str(one.get("id")): str(one.get("name", "")).strip() for one in _objects(data.get("categories"))}
    boxes = 0
    for number, annotation in enumerate(data["annotations"], start=1):
        with content.reading(number):
            if image is not None and annotation.get("image_id", image.get("id")) != image.get("id"):
                continue
            category = annotation.get("category_id")
            class_name = categories.get(str(category)) or None
            name = None if category is None else f"category {category}"
            shapes = _shapes(annotation.get("segmentation"), content)
            if not shapes and annotation.get("bbox"):
                left, top, width, height = (float(value) for value in annotation["bbox"])
                right, bottom = left + width, top + height
                shapes = [Polygon([(left, top), (right, top), (right, bottom), (left, bottom)])]
                boxes += 1
            if not shapes:
                raise ValueError("it has no area: neither a segmentation nor a box.")
            content.shapes += [FileShape(shape, class_name, name) for shape in shapes]
    if boxes:
        content.notes.append(f"{boxes:,} had no outline, so their boxes were drawn.")
    return content


def _objects(values: Any) -> list[Mapping[str, Any]]:
    return [one for one in values if isinstance(one, Mapping)] if isinstance(values, list) else []


def _chosen(
    file: str, images: list[Mapping[str, Any]], entry: str | None, stems: Collection[str]
) -> Mapping[str, Any] | None:
    names = [str(one.get("file_name", one.get("id"))) for one in images]
    if entry is not None:
        found = [one for one, name in zip(images, names, strict=True) if entry in (name, name.rpartition("/")[2])]
    elif len(images) < 2:
        return images[0] if images else None
    else:
        found = [one for one, name in zip(images, names, strict=True) if stem_of(name) in stems]
    if len(found) != 1:
        raise SeveralEntriesError(f"{file} is about {len(images)} images", names)
    return found[0]


def _shapes(segmentation: Any, content: FileContent) -> list[Shape]:
    if not segmentation:
        return []
    if isinstance(segmentation, Mapping):
        return _run_lengths(segmentation, content)
    rings = segmentation if isinstance(segmentation[0], list) else [segmentation]
    if any(len(ring) % 2 for ring in rings):
        raise ValueError("an outline has an odd number of coordinates; x and y take turns.")
    return [Polygon(open_ring(np.asarray(ring, float).reshape(-1, 2))) for ring in rings]


def _run_lengths(segmentation: Mapping[str, Any], content: FileContent) -> list[Shape]:
    height, width = (int(side) for side in segmentation["size"])
    if not (width > 0 and height > 0 and width * height <= _MOST_PIXELS):
        raise ValueError(f"its mask has {width} x {height} pixels; at most {_MOST_PIXELS:,} are supported.")
    if content.size is not None and content.size != (width, height):
        raise ValueError(f"its mask has {width} x {height} pixels, its image {content.size[0]} x {content.size[1]}.")
    content.size = (width, height)
    counts = segmentation["counts"]
    if isinstance(counts, str | bytes):
        counts = _decompressed(counts.encode("ascii") if isinstance(counts, str) else counts)
    lengths = np.asarray(counts, np.int64)
    if (lengths < 0).any():
        raise ValueError("a run length is below 0.")
    if len(lengths) == 0 or lengths.sum() != width * height:
        raise ValueError(f"its run lengths add up to {int(lengths.sum()):,} pixels, not {width * height:,}.")
    # Runs of background and object alternate, column by column.
    mask = np.repeat(np.arange(len(lengths)) % 2, lengths).astype(np.uint8).reshape(width, height).T
    return [polygon for _, _, polygon in trace(find_areas(np.ascontiguousarray(mask), 0))]


def _decompressed(text: bytes) -> list[int]:
    """Decode COCO's text form of run lengths.

    Each number is stored as 5 bits per letter, lowest bits first. From the fourth on, it is the difference from the
    number two places before (`rleFrString` in COCO's maskApi.c).
    """
    lengths: list[int] = []
    value = shift = 0
    for letter in text:
        bits = letter - 48
        if not 0 <= bits < 64:
            raise ValueError("its run lengths have a letter that COCO does not use.")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        lengths.append(value + (lengths[-2] if len(lengths) > 2 else 0))
        value = shift = 0
    return lengths
