"""Fit the content of a file to an image: positions, planes and classes."""

import time
import unicodedata
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from histowidgets._checks import is_within
from histowidgets.annotations.io._content import FileContent, FileShape
from histowidgets.annotations.raster import spans_of
from histowidgets.annotations.shapes import (
    Annotation,
    Line,
    PathShape,
    Polygon,
    Rectangle,
    Shape,
    Stroke,
    checked_name,
    free_color,
    is_ignored_class,
    match_class,
)
from histowidgets.errors import AnnotationFileError, ClassNameError, ImageError, UnknownClassError
from histowidgets.images import Image

#: What to do with classes that the project does not have, and with annotations that it already has.
UNKNOWN_CLASSES = ("error", "add", "skip")
ON_DUPLICATE = ("skip", "replace", "replace_all", "add", "error")
UNITS = ("px", "um")

#: Most names listed in a message.
_MOST_NAMES = 12
#: Pixel size above which coordinates in um cannot be distinguished from pixels, and the share of the image's side in um
#: that coordinates in um span.
_UM_PIXEL, _UM_REACH = 0.75, 0.5


#: QuPath's class for areas to work in, such as those that are annotated or measured.
REGION_CLASS = "Region*"


@dataclass(frozen=True)
class ImportOptions:
    """Options for reading a file; see `Project.import_annotations`.

    Raises
    ------
    AnnotationFileError
        If a value is not one of the choices.
    """

    classes: Any = None
    unknown_classes: str = "error"
    on_duplicate: str = "skip"
    unit: str = "px"
    scale: float | None = None
    offset: tuple[float, float] | None = None
    plane: tuple[int, int] | str | None = None
    entry: str | None = None

    def __post_init__(self) -> None:
        for name, known in (
            ("unknown_classes", UNKNOWN_CLASSES),
            ("on_duplicate", ON_DUPLICATE),
            ("unit", UNITS),
        ):
            if getattr(self, name) not in known:
                listed = ", ".join(f'"{one}"' for one in known[:-1])
                raise AnnotationFileError(f'{name} is {getattr(self, name)!r}; choose {listed} or "{known[-1]}".')
        if self.scale is not None and not (is_within(self.scale, 1e-9, 1e9) and self.unit == "px"):
            raise AnnotationFileError(
                f"scale is {self.scale!r} with the unit {self.unit!r}; it must be a number above 0, in pixels."
            )
        if self.offset is not None and not _is_pair(self.offset, -1e9):
            raise AnnotationFileError(f"offset is {self.offset!r}; it must be (x, y) in full-size pixels.")
        if self.plane is not None and self.plane != "all" and not _is_pair(self.plane, 0):
            raise AnnotationFileError(f'plane is {self.plane!r}; it must be (z, t), counted from 0, or "all".')


def _is_pair(value: Any, low: float) -> bool:
    return isinstance(value, tuple | list) and len(value) == 2 and all(is_within(v, low, 1e9) for v in value)


class _Placed(NamedTuple):
    """A shape of the file, placed in the image, with its class; None is an eraser."""

    item: FileShape
    shape: Shape
    class_name: str | None


@dataclass
class Fitted:
    """The content of a file that fits an image.

    Attributes
    ----------
    format : str
        Format of the file.
    placed : list of _Placed
        In the order of drawing.
    left_out : dict of reason to count
    unnamed : dict of name (or None) to count
        Objects without a class, by their names.
    unknown : dict of name to colour or None
        Classes that the project does not have.
    new_classes : list of (name, colour)
        Classes to add before drawing.
    notes : list of str
        Sentences about choices that were made and possible problems.
    problems : list of (number, reason)
    """

    format: str = ""
    placed: list[_Placed] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    unnamed: dict[str | None, int] = field(default_factory=dict)
    unknown: dict[str, str | None] = field(default_factory=dict)
    new_classes: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def annotations(self, annotator: str, taken: Collection[str]) -> list[Annotation]:
        """Return the shapes as annotations.

        Parameters
        ----------
        annotator : str
            Annotator for shapes whose file does not name one.
        taken : collection of str
            Ids that are in use. An annotation keeps its id from the file unless it is taken.
        """
        now = time.time()
        used = set(taken)
        drawn = []
        for item, shape, class_name in self.placed:
            own_id = uuid.uuid4().hex if item.id is None or item.id in used else item.id
            used.add(own_id)
            drawn_at = now if item.time is None else item.time
            drawn_by = annotator if item.annotator is None else item.annotator
            drawn.append(Annotation(own_id, shape, class_name, drawn_at, drawn_by))
        return drawn

    def skip(self, reason: str, count: int = 1) -> None:
        """Count something that was left out."""
        self.left_out[reason] = self.left_out.get(reason, 0) + count

    def words(self, file: str) -> str:
        """Describe what was left out or chosen and possible problems; "" if there is nothing to report."""
        sentences = []
        left_out = dict(self.left_out)
        if self.problems:
            left_out["that cannot be read"] = len(self.problems)
        if left_out:
            sentences.append(f"Left out of {file}: {', '.join(f'{n:,} {why}' for why, n in left_out.items())}.")
        if self.problems:
            number, why = self.problems[0]
            what = "Feature" if self.format == "GeoJSON" else "Object"
            others = ", ".join(str(n) for n, _ in self.problems[1:_MOST_NAMES])
            more = f" The others are number {others}{' and more' if len(self.problems) > _MOST_NAMES else ''}."
            sentences.append(f"{what} {number} cannot be read: {why}{more if others else ''}")
        names = {name: count for name, count in self.unnamed.items() if name is not None}
        if names:
            shown = ", ".join(
                f"{name!r}" + (f" ({n:,})" if n > 1 else "") for name, n in list(names.items())[:_MOST_NAMES]
            )
            more = " and more" if len(names) > _MOST_NAMES else ""
            sentences.append(
                f"Those without a class are named {shown}{more}; assign classes with classes={{name: class}}."
            )
        return " ".join([*sentences, *self.notes])


def fit(file: str, content: FileContent, image: Image, colors: Mapping[str, str], options: ImportOptions) -> Fitted:
    """Fit the content of a file to an image of a project with these classes.

    Parameters
    ----------
    file : str
        Name of the file, for messages.
    content : FileContent
    image : Image
        The image; shapes entirely outside it are left out.
    colors : mapping of class to "#RRGGBB"
        Colours of the project.
    options : ImportOptions

    Raises
    ------
    UnknownClassError
        If classes are unknown and the options make that an error.
    AnnotationFileError
        If coordinates are in um and the image has no pixel size, or `classes` is not a table.
    """
    fitted = Fitted(content.format, [], dict(content.left_out), notes=[*content.notes], problems=[*content.problems])
    place = _Placement.of(content, image, options, fitted)
    naming = _Naming(options, colors, fitted)
    for item in _of_plane(content.shapes, image, options, fitted):
        shape = place(item)
        class_name: str | None = None
        if not item.erases:
            class_name = naming.class_of(item)
            if class_name is None:
                continue
        if shape.region().intersect(image.region) is None:
            fitted.skip("outside the image")
            continue
        if naming.is_left_out(class_name):
            continue
        fitted.placed.append(_Placed(item, shape, class_name))
    naming.say(file)
    _note_thin(fitted, image)
    return fitted


# --- planes ----------------------------------------------------------------------------------------------------------


def _of_plane(shapes: Sequence[FileShape], image: Image, options: ImportOptions, fitted: Fitted) -> list[FileShape]:
    """Return the shapes on the image's plane of the stack."""
    if options.plane == "all":
        return list(shapes)
    wanted = plane_of(image) if options.plane is None else options.plane
    others: dict[tuple[int, int], int] = {}
    kept = []
    for item in shapes:
        # Shapes without a plane lie on every plane in ImageJ, and on the first in QuPath.
        if item.plane is None or item.plane == tuple(wanted):
            kept.append(item)
        else:
            others[item.plane] = others.get(item.plane, 0) + 1
    for (z, t), count in others.items():
        fitted.skip(f"on another plane (z {z}, t {t})", count)
    if others:
        fitted.notes.append('Use plane=(z, t) to import those of one plane, or plane="all" for all planes.')
    return kept


def plane_of(image: Image) -> tuple[int, int]:
    """Return z and t, from 0, of the image's plane in a stack; (0, 0) for a file without planes."""
    plane = getattr(image, "opened_with", {}).get("plane")
    if isinstance(plane, int):
        return (plane, 0)
    if isinstance(plane, tuple | list):
        z, t, *_ = [*(0 if one is None else int(one) for one in plane), 0, 0]
        return (z, t)
    return (0, 0)


# --- places ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Placement:
    """The transform from file to image coordinates: scale, then offset."""

    scale: tuple[float, float]
    offset: tuple[float, float]
    is_chosen: bool  # whether the user gave the offset

    @classmethod
    def of(cls, content: FileContent, image: Image, options: ImportOptions, fitted: Fitted) -> "_Placement":
        size = pixel_size_xy(image)
        scale = (1.0, 1.0)
        if options.unit == "um":
            if size is None:
                raise AnnotationFileError(
                    f"The coordinates are in um, but the pixel size of image {image.name!r} is not known. Open the "
                    "image with pixel_size_um=, or give scale=, the number of pixels per unit."
                )
            scale = (1 / size[0], 1 / size[1])
        elif options.scale is not None:
            scale = (float(options.scale), float(options.scale))
        elif content.size is not None:
            scale = _scale_of_size(content.size, image, fitted)
        if options.unit == "px" and options.scale is None and content.may_be_um and size is not None:
            _note_if_um(content, image, size, fitted)
        if options.offset is not None:
            return cls(scale, (float(options.offset[0]), float(options.offset[1])), True)
        offset = file_offset(content.counts_from, image)
        if offset != (0.0, 0.0) and any(not item.in_image and item.offset != offset for item in content.shapes):
            corner = "whole slide" if content.counts_from == "slide" else content.counts_from
            fitted.notes.append(
                f"The coordinates were moved by ({offset[0]:g}, {offset[1]:g}) pixels, as they start at the corner of "
                f"the {corner}; offset=(0, 0) prevents this."
            )
        return cls(scale, offset, False)

    def __call__(self, item: FileShape) -> Shape:
        if item.in_image and not self.is_chosen:
            return item.shape
        done = item.offset or (0.0, 0.0)
        shape = item.shape
        if self.scale != (1.0, 1.0):
            shape = scaled(shape, *self.scale)
        dx, dy = self.offset[0] - done[0], self.offset[1] - done[1]
        return shape.moved(dx, dy) if dx or dy else shape


def pixel_size_xy(image: Image) -> tuple[float, float] | None:
    """Return the width and height of a pixel in um; None if unknown."""
    both = getattr(image, "pixel_size_yx_um", None)
    if both is not None:
        return float(both[1]), float(both[0])
    return None if image.pixel_size_um is None else (image.pixel_size_um, image.pixel_size_um)


def file_offset(counts_from: str, image: Image) -> tuple[float, float]:
    """Return the offset from coordinates of a file to those of an image.

    Parameters
    ----------
    counts_from : {"image", "scanned area", "slide"}
        Origin of the coordinates in the file.
    image : Image
        The image. `bounds_offset` of a whole slide is the origin of its scanned area; `slide_origin` of an image of
        the scanned area is its origin on the slide.
    """
    if counts_from == "image":
        return (0.0, 0.0)
    name, sign = ("bounds_offset", 1) if counts_from == "scanned area" else ("slide_origin", -1)
    try:
        x, y = getattr(image, name)  # which may open the file
    except ImageError:
        return (0.0, 0.0)
    return (sign * float(x) + 0.0, sign * float(y) + 0.0)


def scaled(shape: Shape, across: float, down: float) -> Shape:
    """Return a shape with scaled coordinates; the width of a line is not scaled."""
    factors = np.array([across, down])
    if isinstance(shape, Polygon):
        return Polygon(shape.points * factors, [hole * factors for hole in shape.holes])
    if isinstance(shape, Line):
        return Line(shape.points * factors, shape.mean_width)
    if isinstance(shape, Stroke):
        return Stroke(shape.points * factors, shape.width * float(np.sqrt(across * down)))
    if isinstance(shape, Rectangle):
        return Rectangle(shape.x * across, shape.y * down, shape.width * across, shape.height * down)
    raise AnnotationFileError(f"A {type(shape).__name__} cannot be scaled.")


def _scale_of_size(size: tuple[int, int], image: Image, fitted: Fitted) -> tuple[float, float]:
    """Return the scale from an image of another size, if the two have the same proportions."""
    width, height = size
    if (width, height) == (image.width, image.height):
        return (1.0, 1.0)
    across, down = image.width / width, image.height / height
    # The sides of a reduced image are rounded.
    if abs(across / down - 1) <= 0.01 + 1 / min(width, height):
        fitted.notes.append(
            f"They were drawn on {width} x {height} pixels and the image has {image.width} x {image.height}, so "
            f"coordinates were multiplied by {across:g}; scale=1 prevents this."
        )
        return (across, down)
    fitted.notes.append(
        f"They were drawn on {width} x {height} pixels, which is not a smaller or larger copy of this image "
        f"({image.width} x {image.height}). Check that they are in the right place."
    )
    return (1.0, 1.0)


def _note_if_um(content: FileContent, image: Image, size: tuple[float, float], fitted: Fitted) -> None:
    """Add a note if coordinates look like um: they fill the image's size in um, or have many decimals."""
    if not content.shapes or max(size) > _UM_PIXEL:
        return
    bounds = np.array([item.shape.bounds for item in content.shapes])
    frame = np.array([image.width * size[0], image.height * size[1]])
    far = bounds[:, 2:].max(axis=0)
    if (bounds[:, :2].min() < 0) or (far > frame).any():
        return
    numbers = np.concatenate([np.ravel(getattr(item.shape, "points", item.shape.bounds)) for item in content.shapes])
    with_decimals = np.abs(numbers * 100 - np.round(numbers * 100)) > 1e-6
    if with_decimals.mean() > 0.5 or (far > _UM_REACH * frame).all():
        fitted.notes.append(
            f"All coordinates lie within {frame[0]:,.0f} x {frame[1]:,.0f}, the size of the image in µm. If they are "
            'µm, undo this and import with unit="um".'
        )


def _note_thin(fitted: Fitted, image: Image) -> None:
    """Add a note on shapes that are too thin to cover the centre of a pixel."""
    thin = [item.shape for item in fitted.placed if item.class_name is not None and _may_be_thin(item.shape)]
    if not thin:
        return
    empty = len(thin) - len(np.unique(spans_of(thin, image.region).owner))
    if empty:
        fitted.notes.append(
            f"{empty:,} {'is' if empty == 1 else 'are'} so thin or small that no pixel's centre lies inside: "
            "they were drawn, but label no pixel."
        )


def _may_be_thin(shape: Shape) -> bool:
    left, top, right, bottom = shape.bounds
    if min(right - left, bottom - top) < 2:
        return True
    if isinstance(shape, PathShape):
        return shape.mean_width < 2
    if not isinstance(shape, Polygon):
        return False
    x, y = shape.points.T
    area = abs(float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())) / 2
    length = float(np.hypot(x - np.roll(x, -1), y - np.roll(y, -1)).sum())
    return area < 2 * length or bool(shape.holes)


# --- classes ---------------------------------------------------------------------------------------------------------


class _Naming:
    """The mapping from names in a file to classes of the project."""

    def __init__(self, options: ImportOptions, colors: Mapping[str, str], fitted: Fitted) -> None:
        table = options.classes
        if not (table is None or isinstance(table, str | Mapping)):
            raise AnnotationFileError(
                f"classes is {table!r:.200}; it must be a mapping of name to class, or one class for all."
            )
        self._table = table
        self._unknown_classes = options.unknown_classes
        self._colors = colors
        self._fitted = fitted
        self._matched: dict[str, str] = {}
        self._by_name: dict[str, int] = {}
        self._kept: dict[str, str | None] = {}  # unknown classes with at least one shape in the image

    def class_of(self, item: FileShape) -> str | None:
        """Return the class of a shape, which may be unknown to the project; None, counted, if it has none."""
        wanted, named = self._wanted(item)
        if wanted is None:
            return None
        known = [*self._colors, *self._fitted.unknown]
        found = match_class(wanted, known)
        if found is None and wanted.strip() == REGION_CLASS:
            self._fitted.skip(
                f"of QuPath's class {REGION_CLASS!r}, which marks areas to work in and not a kind of tissue"
            )
            return None
        if found is None:
            try:
                found = unicodedata.normalize("NFC", checked_name(wanted))
            except ClassNameError as error:
                self._fitted.skip(f"with a class that cannot be kept ({error})")
                return None
            self._fitted.unknown[found] = item.color
        elif found != wanted:
            self._matched[wanted] = found
        if named:
            self._by_name[found] = self._by_name.get(found, 0) + 1
        return found

    def _wanted(self, item: FileShape) -> tuple[str | None, bool]:
        """Return the name that gives the class of a shape, and whether it is the object's own name."""
        if item.class_name is not None:
            if isinstance(self._table, str):
                return (item.class_name if match_class(item.class_name, self._colors) else self._table), False
            given, value = self._looked_up(item.class_name)
            if not given:
                return item.class_name, False
            if value is None:
                self._fitted.skip(f"of class {item.class_name!r}, as classes= says")
            return value, False
        if isinstance(self._table, str):
            return self._table, False
        given, value = self._looked_up(item.name)
        if not given and item.name is not None and (found := match_class(item.name, self._colors)) is not None:
            return found, True
        if not given:
            given, value = self._looked_up(None)
        if not given:
            self._fitted.unnamed[item.name] = self._fitted.unnamed.get(item.name, 0) + 1
            self._fitted.skip("without a class")
        elif value is None:
            self._fitted.skip("without a class, as classes= says")
        return value, False

    def _looked_up(self, word: str | None) -> tuple[bool, str | None]:
        """Return whether the table has a name, and the class it maps to."""
        if not isinstance(self._table, Mapping):
            return False, None
        key = word
        if word is not None and word not in self._table:
            key = match_class(word, [one for one in self._table if isinstance(one, str)])
            if key is None:
                return False, None
        if key not in self._table:
            return False, None
        value = self._table[key]
        if value is not None and not isinstance(value, str):
            raise AnnotationFileError(f"classes gives {value!r} for {key!r}; it must be the name of a class, or None.")
        return True, value

    def is_left_out(self, class_name: str | None) -> bool:
        """Return whether a shape is left out because its class is unknown, and count it."""
        if class_name is None or class_name in self._colors:
            return False
        if self._unknown_classes == "skip":
            self._fitted.skip(f"of the unknown class {class_name!r}")
            return True
        self._kept[class_name] = self._fitted.unknown[class_name]
        return False

    def say(self, file: str) -> None:
        """Add unknown classes or raise an error for them, and note how names were matched.

        Raises
        ------
        UnknownClassError
        """
        fitted = self._fitted
        if self._unknown_classes != "skip":
            fitted.unknown = self._kept
        ignored = [name for name in fitted.unknown if is_ignored_class(name)]
        unknown = [name for name in fitted.unknown if name not in ignored]
        if unknown and self._unknown_classes == "error":
            raise UnknownClassError(
                f"{file} has classes that the project does not: {', '.join(map(repr, unknown))}. Add them with "
                f'unknown_classes="add", leave them out with "skip", map them with classes={{name: class}}, '
                f"or rename a class; the project has {', '.join(map(repr, self._colors))}."
            )
        for name, color in fitted.unknown.items() if self._unknown_classes != "skip" else ():
            taken = [*self._colors.values(), *(c for _, c in fitted.new_classes)]
            fitted.new_classes.append((name, color or free_color(taken)))
        if ignored and self._unknown_classes != "skip":
            fitted.notes.append(
                f"Added {', '.join(map(repr, ignored))} as ignored: as in QuPath, a class whose name ends in * is "
                "learnt but has no objects and is no part of measured areas."
            )
        for wanted, found in self._matched.items():
            fitted.notes.append(f"{wanted!r} was taken as the class {found!r}.")
        for name, count in self._by_name.items():
            fitted.notes.append(
                f"{count:,} without a class {'is' if count == 1 else 'are'} named like the class {name!r}, and got it."
            )


def without(fitted: Fitted, places: Collection[int]) -> Fitted:
    """Return the same content without the shapes at the given indices."""
    dropped = set(places)
    return replace(fitted, placed=[one for i, one in enumerate(fitted.placed) if i not in dropped])
