"""Exporting the annotations of a project for other programs, and importing theirs."""

import os
import warnings
from collections.abc import Callable, Mapping

from histowidgets._io import as_path
from histowidgets.annotations.io import check_pixels, read_geojson, read_label_png, write_geojson, write_label_png
from histowidgets.annotations.project._annotate import new_annotation
from histowidgets.annotations.project._edit import image_state
from histowidgets.annotations.project._edit_log import EditLog
from histowidgets.annotations.project._edits_annotations import AddAnnotations
from histowidgets.annotations.project._state import State
from histowidgets.annotations.raster import UNLABELLED, find_areas, trace
from histowidgets.annotations.shapes import Rectangle
from histowidgets.errors import GeoJSONError, LabelPngError
from histowidgets.images import scaled_shape

#: Most areas that a PNG label map may have, as each becomes an annotation.
MOST_AREAS = 100_000


def export_geojson(log: EditLog, name: str, path: "str | os.PathLike[str]") -> None:
    """Write the annotations of an image as GeoJSON. See `Project.export_geojson`."""
    with log.lock:
        annotations, colors = image_state(log.state, name).frozen(), dict(log.state.colors)
    write_geojson(as_path(path, GeoJSONError), annotations, colors)


def import_geojson(
    log: EditLog,
    name: str,
    path: "str | os.PathLike[str]",
    unknown_classes: str,
    tell: Callable[[str], object] | None,
) -> int:
    """Draw the annotations of a GeoJSON file on an image. See `Project.import_geojson`."""
    path = as_path(path, GeoJSONError)
    with log.lock:
        image, colors = image_state(log.state, name).image, dict(log.state.colors)
    read = read_geojson(path, image, colors, unknown_classes)

    def make(state: State) -> AddAnnotations:
        taken = {a.id for image in state.images.values() for a in image.annotations}
        return AddAnnotations.make(state, name, read.annotations(str(log.annotator), taken), read.new_classes)

    if read.shapes:
        log.do(make)
    words = read.left_out(path)
    if words and tell is not None:
        tell(words)
    elif words:
        warnings.warn(words, stacklevel=3)  # the line that called the project
    return len(read.shapes)


def export_label_png(log: EditLog, name: str, path: "str | os.PathLike[str]", downsample: float) -> None:
    """Write the label map of an image as a PNG. See `Project.export_label_png`."""
    with log.lock:
        image = image_state(log.state, name).image
    rows, columns = scaled_shape(image.width, image.height, downsample)
    check_pixels(columns, rows, f"The label map of {name!r}")
    with log.lock:
        labels = log.label_map(name, downsample)
        colors = {k: log.state.colors[k] for k in log.state.classes}
    write_label_png(as_path(path, LabelPngError), labels, colors, downsample)


def import_label_png(
    log: EditLog,
    name: str,
    path: "str | os.PathLike[str]",
    unknown_classes: str,
    classes: Mapping[int, str | None] | None,
) -> int:
    """Replace the label map of an image by that of a PNG. See `Project.import_label_png`."""
    path = as_path(path, LabelPngError)
    with log.lock:
        state = image_state(log.state, name)
        image, covered, colors = state.image, bool(state.annotations), dict(log.state.colors)
    read = read_label_png(path, image, colors, unknown_classes, classes)
    areas = find_areas(read.labels, UNLABELLED)
    if areas.count > MOST_AREAS:
        raise LabelPngError(
            f"{path.name} has {areas.count:,} separate areas; at most {MOST_AREAS:,} can be kept. Smooth it, or "
            "take out the small ones, and import it again."
        )
    eraser = new_annotation(log, Rectangle(0, 0, image.width, image.height), None)
    drawn = [
        new_annotation(log, polygon, read.names[int(read.labels[row, column])])
        for row, column, polygon in trace(areas, read.downsample)
    ]

    def make(state: State) -> AddAnnotations:
        covered = bool(image_state(state, name).annotations)
        return AddAnnotations.make(state, name, [eraser, *drawn] if covered else drawn, list(read.colors.items()))

    if drawn or covered:
        log.do(make)
    return areas.count
