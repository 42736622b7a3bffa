"""Read an annotation file, whose format is recognized by its content and not by its name."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from histowidgets.annotations.io._coco_read import is_coco, read_coco
from histowidgets.annotations.io._content import FileContent
from histowidgets.annotations.io._geojson_read import read_geojson
from histowidgets.annotations.io._imagej_read import read_rois
from histowidgets.annotations.io._labelme_read import is_labelme, read_labelme
from histowidgets.annotations.io._unpack import Unpacked, read_unpacked
from histowidgets.annotations.io._xml_read import read_xml
from histowidgets.errors import AnnotationFileError, GeoJSONError

#: The first bytes of picture files, whose pixels may be labels.
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"\x93NUMPY", b"BM", b"GIF8")
_OTHERS = {
    b"\xff\xd8\xff": "a JPEG, whose compression changes values: export labels as PNG or TIFF",
    b"\xac\xed\0\x05": "QuPath's own data: open it in QuPath, and export the objects as GeoJSON",
    b"\x89HDF": "HDF5: export labels as TIFF, or open it with h5py and pass the array",
    b"%PDF": "a PDF",
}


def is_picture(path: Path) -> bool:
    """Return whether a file is a picture, whose pixels may be labels.

    Raises
    ------
    AnnotationFileError
        If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(8).startswith(_PICTURES)
    except OSError as error:
        raise AnnotationFileError(f"{path} cannot be read: {error.strerror or error}. Check the path.") from error


def read_annotations(path: Path, entry: str | None = None, stems: Collection[str] = ()) -> FileContent:
    """Read an annotation file.

    Parameters
    ----------
    path : Path
        GeoJSON, XML of ASAP, ImageScope or HALO, ROIs of ImageJ, COCO or labelme; compressed with gzip or zip, or not.
    entry : str, optional
        Which file of an archive, or which image of a COCO file, to read.
    stems : collection of str
        Possible names of the entry, without ending, if `entry` is None and there are several.

    Raises
    ------
    AnnotationFileError
        If it cannot be read or is of an unknown format.
    """
    found = read_unpacked(path, entry, stems)
    return _parsed(found, entry, stems)


def require_readable(file: str, content: FileContent) -> None:
    """Raise GeoJSONError or AnnotationFileError, with the first reason, if nothing of a file can be read."""
    if content.problems and not content.shapes and not content.left_out:
        number, why = content.problems[0]
        more = f" {len(content.problems) - 1} more cannot be read." if len(content.problems) > 1 else ""
        if content.format == "GeoJSON":
            raise GeoJSONError(f"Feature {number} of {file} cannot be read: {why}{more}")
        raise AnnotationFileError(f"Object {number} of {file}, {content.format}, cannot be read: {why}{more}")


def _parsed(found: Unpacked, entry: str | None, stems: Collection[str]) -> FileContent:
    data = found.data
    if found.rois:
        return read_rois(found.rois)
    if data[:4] == b"Iout":
        return read_rois({found.name: data})
    for start, what in _OTHERS.items():
        if data.startswith(start):
            raise AnnotationFileError(f"{found.name} is {what}.")
    if data[:64].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")[:1] == b"<":
        return read_xml(found.name, data)
    values, notes = _json(found)
    if is_labelme(values):
        content = read_labelme(values)
    elif is_coco(values):
        content = read_coco(found.name, values, entry, stems)
    else:
        content = read_geojson(found.name, values)
    content.notes[:0] = notes
    return content


def _json(found: Unpacked) -> tuple[Any, list[str]]:
    notes: list[str] = []
    try:
        try:
            return json.loads(found.data), notes
        except UnicodeDecodeError:  # as scripts on Windows write it
            text = found.data.decode("cp1252")
            notes.append(f"{found.name} is not UTF-8; it was read in the encoding of Windows.")
            return json.loads(text), notes
        except json.JSONDecodeError as error:
            if not error.msg.startswith("Extra data"):
                raise
            return [json.loads(line) for line in found.data.splitlines() if line.strip()], notes
    except (ValueError, RecursionError) as error:
        raise GeoJSONError(
            f"{found.name} is not JSON: {error}. GeoJSON, XML of ASAP, ImageScope or HALO, ROIs of ImageJ, and JSON of "
            "COCO or labelme can be read; export it again as one of these."
        ) from error
