"""Export the annotations of a project to other programs, and import theirs."""

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from histowidgets._io import as_path
from histowidgets.annotations.io import (
    ImportOptions,
    ReadLabels,
    check_pixels,
    file_offset,
    fit,
    is_picture,
    plane_of,
    read_annotations,
    read_labels,
    require_readable,
    without,
    write_geojson,
    write_label_png,
)
from histowidgets.annotations.project._annotate import new_annotation
from histowidgets.annotations.project._edit import image_state
from histowidgets.annotations.project._edit_log import EditLog
from histowidgets.annotations.project._edits_annotations import AddAnnotations, ImportAnnotations
from histowidgets.annotations.project._state import State
from histowidgets.annotations.raster import find_areas, trace
from histowidgets.annotations.shapes import Annotation, Rectangle
from histowidgets.errors import (
    AnnotationFileError,
    DuplicateAnnotationsError,
    GeoJSONError,
    HistowidgetsWarning,
    LabelPngError,
    SeveralEntriesError,
    UnnamedValuesError,
)
from histowidgets.images import Image, scaled_shape

#: Most areas of a label map, since each becomes an annotation.
MOST_AREAS = 100_000


class Imported(NamedTuple):
    """The number of annotations drawn, and a message for the user ("" for none)."""

    drawn: int
    words: str

    def tell(self, tell: Callable[[str], object] | None) -> int:
        """Pass on the message, by default as a warning; return the count."""
        if self.words and tell is not None:
            tell(self.words)
        elif self.words:
            warnings.warn(self.words, HistowidgetsWarning, stacklevel=3)  # points at the line that called the project
        return self.drawn


@dataclass(frozen=True)
class ImportPreview:
    """What an import would do, and what it would need to know; see `Project.preview_import`.

    Attributes
    ----------
    format : str
        Format of the file, such as "GeoJSON" or "label map".
    count : int
        Number of annotations that would be drawn.
    duplicates : int
        Number of them that are already on the image.
    unnamed : dict of name (or None) to count
        Annotations without a class, by the names of the objects; `classes` can assign classes.
    unknown_classes : list of str
        Classes that the project does not have.
    values : dict of value or "#RRGGBB" to number of pixels
        Values of a label map without known classes; `classes` can assign them.
    entries : list of str
        Names in a file about several images, if it is unclear which one to read; `entry` chooses one.
    notes : str
        What would be left out or was chosen, and possible problems.
    """

    format: str
    count: int = 0
    duplicates: int = 0
    unnamed: dict[str | None, int] = field(default_factory=dict)
    unknown_classes: list[str] = field(default_factory=list)
    values: dict[int | str, int] = field(default_factory=dict)
    entries: list[str] = field(default_factory=list)
    notes: str = ""


def export_geojson(log: EditLog, name: str, path: "str | os.PathLike[str]", offset: tuple[float, float] | None) -> None:
    """Write the annotations of an image as GeoJSON. See `Project.export_geojson`."""
    given = ImportOptions(offset=offset).offset
    with log.lock:
        state = image_state(log.state, name)
        image, annotations, colors = state.image, state.frozen(), dict(log.state.colors)
    begins = file_offset("scanned area", image) if given is None else (float(given[0]), float(given[1]))
    write_geojson(as_path(path, GeoJSONError), annotations, colors, begins, plane_of(image))


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


# --- import ----------------------------------------------------------------------------------------------------------


def import_annotations(log: EditLog, name: str, source: Any, options: ImportOptions) -> Imported:
    """Draw the annotations of a file of any known format. See `Project.import_annotations`."""
    checked = _checked_source(source, AnnotationFileError)
    if _is_label_map(checked):
        _refuse_placing(options)
        return import_label_map(log, name, checked, options.unknown_classes, options.classes)
    return _import_shapes(log, name, checked, options)


def _refuse_placing(options: ImportOptions) -> None:
    """Raise AnnotationFileError for options that a label map cannot follow."""
    without_effect = ("unit", "scale", "offset", "plane")
    given = [name for name in without_effect if getattr(options, name) != getattr(ImportOptions, name)]
    if given:
        raise AnnotationFileError(
            f"{given[0]} has no effect on a label map, which covers the whole image. Leave it out; for a part of the "
            "image, pass an array of the image's size."
        )


def import_geojson(log: EditLog, name: str, path: "str | os.PathLike[str]", options: ImportOptions) -> Imported:
    """Draw the annotations of a GeoJSON file. See `Project.import_geojson`."""
    return _import_shapes(log, name, as_path(path, GeoJSONError), options, only="GeoJSON")


def import_label_map(log: EditLog, name: str, source: Any, unknown_classes: str, classes: Any) -> Imported:
    """Replace the label map of an image with a picture or an array. See `Project.import_label_png`."""
    checked = _checked_source(source, LabelPngError)
    file = _file_name(checked)
    with log.lock:
        state = image_state(log.state, name)
        image, colors = state.image, _colors(log.state)
    read = read_labels(checked, image, colors, unknown_classes, classes)
    drawn = _traced(log, read, file)

    def make(state: State) -> AddAnnotations:
        covered = bool(image_state(state, name).annotations)
        eraser = new_annotation(log, Rectangle(0, 0, image.width, image.height), None)
        return AddAnnotations.make(state, name, [eraser, *drawn] if covered else drawn, list(read.colors.items()))

    with log.lock:
        covered = bool(image_state(log.state, name).annotations)
    if drawn or covered:
        log.do(make)
    return Imported(len(drawn), " ".join(read.notes))


def preview_import(log: EditLog, name: str, source: Any, options: ImportOptions) -> ImportPreview:
    """Return what an import would do. See `Project.preview_import`."""
    checked = _checked_source(source, AnnotationFileError)
    file = _file_name(checked)
    with log.lock:
        state = image_state(log.state, name)
        image, colors, there = state.image, _colors(log.state), state.frozen()
    unasked = replace(options, unknown_classes="add" if options.unknown_classes == "error" else options.unknown_classes)
    if _is_label_map(checked):
        _refuse_placing(options)
        try:
            read = read_labels(checked, image, colors, unasked.unknown_classes, options.classes)
        except UnnamedValuesError as error:
            return ImportPreview("label map", values=error.values, notes=str(error))
        count = find_areas(read.pieces, 0).count
        return ImportPreview("label map", count, unknown_classes=list(read.colors), notes=" ".join(read.notes))
    try:
        content = read_annotations(checked, options.entry, _stems(name, image))
    except SeveralEntriesError as error:
        return ImportPreview("archive", entries=error.entries, notes=str(error))
    require_readable(file, content)
    fitted = fit(file, content, image, colors, unasked)
    twice = _duplicates(fitted.annotations("", ()), there)
    return ImportPreview(
        content.format,
        len(fitted.placed),
        len(twice),
        fitted.unnamed,
        [name for name, _ in fitted.new_classes],
        notes=fitted.words(file),
    )


def _import_shapes(log: EditLog, name: str, path: Path, options: ImportOptions, only: str | None = None) -> Imported:
    with log.lock:
        image, colors = image_state(log.state, name).image, _colors(log.state)
    content = read_annotations(path, options.entry, _stems(name, image))
    if only is not None and content.format != only:
        raise GeoJSONError(
            f"{path.name} is not {only} but has annotations of {content.format}: import_annotations reads them."
        )
    require_readable(path.name, content)
    fitted = fit(path.name, content, image, colors, options)
    drawn: list[Annotation] = []
    words: list[str] = []

    def make(state: State) -> ImportAnnotations | AddAnnotations:
        there = image_state(state, name).frozen()
        new = fitted.annotations(str(log.annotator), ())
        left_out, ids, said = _decide(new, there, options.on_duplicate, path.name)
        words.append(said)
        chosen = without(fitted, left_out)
        removed = set(ids)
        taken = {a.id for image in state.images.values() for a in image.annotations if a.id not in removed}
        drawn.extend(chosen.annotations(str(log.annotator), taken))
        if not drawn and not ids:
            raise _NothingToDo
        if not ids:
            return AddAnnotations.make(state, name, drawn, fitted.new_classes)
        return ImportAnnotations.make(state, name, ids, drawn, fitted.new_classes)

    if fitted.placed or options.on_duplicate == "replace_all":
        try:
            log.do(make)
        except _NothingToDo:
            drawn.clear()
    return Imported(len(drawn), " ".join(filter(None, [fitted.words(path.name), *words])))


class _NothingToDo(Exception):
    """Raised if every annotation of the file is already on the image."""


def _duplicates(new: Sequence[Annotation], there: Sequence[Annotation]) -> dict[int, Annotation]:
    """Return the new annotations that are already on the image, by place; matched by id, else by shape and class.

    Each annotation of the image matches only once: of two equal ones in the file, the second is not a duplicate.
    """
    by_id = {annotation.id: annotation for annotation in there}
    by_shape: dict[Any, list[Annotation]] = {}
    for annotation in there:
        by_shape.setdefault((annotation.shape, annotation.class_name), []).append(annotation)
    found: dict[int, Annotation] = {}
    used: set[str] = set()
    for place, annotation in enumerate(new):
        same = by_id.get(annotation.id)
        if same is None or same.id in used:
            alike = by_shape.get((annotation.shape, annotation.class_name), [])
            same = next((one for one in alike if one.id not in used), None)
        if same is not None:
            found[place] = same
            used.add(same.id)
    return found


def _decide(
    new: Sequence[Annotation], there: Sequence[Annotation], choice: str, file: str
) -> tuple[set[int], list[str], str]:
    """Return the places in the file to leave out, the ids to remove from the image, and a message."""
    found = _duplicates(new, there)
    if choice == "replace_all":
        said = f"Replaced the {len(there):,} annotations of the image with those of {file}." if there else ""
        return set(), [annotation.id for annotation in there], said
    if not found or choice == "add":
        return set(), [], ""
    several = len(found) > 1
    counted = f"{len(found):,} of {len(new):,} annotations of {file} {'are' if several else 'is'}"
    if choice == "error":
        raise DuplicateAnnotationsError(
            f'{counted} on the image already. Choose on_duplicate="skip", "replace", "replace_all" or "add".',
            len(found),
        )
    if choice == "replace":
        others = len(there) - len(found)
        rest = (
            f' {others:,} that the file does not have were kept; on_duplicate="replace_all" removes them.'
            if others
            else ""
        )
        return (
            set(),
            [annotation.id for annotation in found.values()],
            f"Replaced {len(found):,} with those of {file}.{rest}",
        )
    differ = sum((a.shape, a.class_name) != (new[i].shape, new[i].class_name) for i, a in found.items())
    changed = f" ({differ:,} of them differently)" if differ else ""
    left = "were left out" if several else "was left out"
    said = f'{counted} on the image already{changed}, and {left}; on_duplicate="replace" uses those of the file.'
    return set(found), [], said


def _checked_source(source: Any, error: type[AnnotationFileError]) -> Any:
    """Return a path as a Path, and arrays and pictures unchanged."""
    is_pixels = hasattr(source, "__array__") or hasattr(source, "__array_interface__")
    return source if is_pixels or isinstance(source, np.ndarray) else as_path(source, error)


def _is_label_map(source: Any) -> bool:
    return not isinstance(source, Path) or is_picture(source)


def _file_name(source: Any) -> str:
    return source.name if isinstance(source, Path) else "The array"


def _stems(name: str, image: Image) -> set[str]:
    """Return the possible names, without ending, of a file about this image."""
    names = {name, image.name}
    if image.source is not None:
        names.add(Path(image.source).name)
    return {one.split(".")[0] for one in names} | names


def _colors(state: State) -> dict[str, str]:
    return {name: state.colors[name] for name in state.classes}


def _traced(log: EditLog, read: ReadLabels, file: str) -> list[Annotation]:
    areas = find_areas(read.pieces, 0)
    if areas.count > MOST_AREAS:
        raise LabelPngError(
            f"{file} has {areas.count:,} separate areas; at most {MOST_AREAS:,} are supported. Smooth it, or "
            "remove small areas, then import it again."
        )
    return [
        new_annotation(log, polygon, read.names[int(read.labels[row, column])])
        for row, column, polygon in trace(areas, read.downsample)
    ]
