"""Choose the image of a file and the plane of a stack: as requested, or by a default that is reported."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from histowidgets.errors import ImageChoiceWarning, ImageError
from histowidgets.images._warn import warn_user

#: Most images listed in a message.
MOST_LISTED = 12
#: Axes of a stack, in the order in which `plane=` takes them.
STACK_AXES = {"Z": "planes in depth (z)", "T": "time points (t)"}


class Listed(NamedTuple):
    """An image of a file with several.

    Attributes
    ----------
    name : str
        "" if it has none.
    width, height : int
        In pixels.
    is_minor : bool
        Whether it is a label, overview or preview, which need not be mentioned if not opened.
    """

    name: str
    width: int
    height: int
    is_minor: bool = False


class Choice(NamedTuple):
    """The image to open in a file.

    Attributes
    ----------
    at : int
        Number of the image.
    notes : tuple of str
    opened_with : dict
        Arguments with which `open_image` opens the same image again.
    """

    at: int
    notes: tuple[str, ...]
    opened_with: dict[str, Any]


class Planes(NamedTuple):
    """The plane to open in a stack.

    Attributes
    ----------
    at : dict
        Number of the plane along each axis of the stack.
    notes : tuple of str
    opened_with : dict
    """

    at: dict[str, int]
    notes: tuple[str, ...]
    opened_with: dict[str, Any]


def choose_image(file: str, images: Sequence[Listed], series: Any) -> Choice:
    """Choose an image of a file: by `series`, else the first of the largest.

    Parameters
    ----------
    file : str
        Name of the file, for messages.
    images : sequence of Listed
        At least one.
    series : int, str or None

    Raises
    ------
    ImageError
        If there is no such image; the message lists the existing ones.
    """
    if series is not None:
        at = _numbered(file, images, series)
        return Choice(at, (), {"series": at} if len(images) > 1 else {})
    at = max(range(len(images)), key=lambda i: (not images[i].is_minor, images[i].width * images[i].height, -i))
    if len(images) == 1:
        return Choice(at, (), {})
    notes: tuple[str, ...] = ()
    if any(not one.is_minor for i, one in enumerate(images) if i != at):
        held = f"{file} has {len(images)} images: {_listing(images)}."
        notes = (f"{held} Image {at} is opened; choose another with series=.",)
        warn_user(ImageChoiceWarning(notes[0]))
    return Choice(at, notes, {"series": at})


def choose_planes(file: str, stack: Mapping[str, int], plane: Any) -> Planes:
    """Choose a plane of a stack: by `plane`, else the middle one in depth and the first in time.

    Parameters
    ----------
    file : str
        Name of the file, for messages.
    stack : mapping of str to int
        The axes of the stack ("Z", "T" or an unknown one) with their number of planes, without those of length 1.
    plane : int, (z, t) or None

    Raises
    ------
    ImageError
        If there is no such plane, or the file is not a stack.
    """
    if not stack:
        if plane is None or _is_first(plane):
            return Planes({}, (), {})
        raise ImageError(f"{file} is not a stack, but plane {plane!r} was requested. Omit plane=.")
    order = [axis for axis in STACK_AXES if axis in stack] + [axis for axis in stack if axis not in STACK_AXES]
    if plane is not None:
        at = _planes_given(file, stack, order, plane)
        return Planes(at, (), {"plane": _as_argument(at)})
    at = {axis: size // 2 if axis == "Z" else 0 for axis, size in stack.items()}
    sizes = " and ".join(f"{stack[axis]} {STACK_AXES.get(axis, 'pages')}" for axis in order)
    chosen = ", ".join(f"{'page' if axis not in STACK_AXES else axis.lower()} {at[axis]}" for axis in order)
    example = "plane=(z, t)" if len(order) > 1 else "plane="
    note = f"{file} is a stack of {sizes}; {chosen} (counted from 0) is opened. Choose another with {example}."
    warn_user(ImageChoiceWarning(note))
    return Planes(at, (note,), {"plane": _as_argument(at)})


def _numbered(file: str, images: Sequence[Listed], series: Any) -> int:
    if isinstance(series, str):
        found = [i for i, one in enumerate(images) if one.name == series]
        if len(found) == 1:
            return found[0]
        problem = "has no image named" if not found else f"has {len(found)} images named"
        raise ImageError(
            f"{file} {problem} {series!r}. Its images are {_listing(images)}. Pass one of the numbers as series=."
        )
    if isinstance(series, int) and not isinstance(series, bool) and 0 <= series < len(images):
        return series
    raise ImageError(
        f"{file} has no image {series!r}. Its images are {_listing(images)}. Pass a number or a name as series=."
    )


def _listing(images: Sequence[Listed]) -> str:
    listed = [
        f"{i}{f' {one.name!r}' if one.name else ''} ({one.width} x {one.height})"
        for i, one in enumerate(images[:MOST_LISTED])
    ]
    more = len(images) - len(listed)
    return ", ".join(listed) + (f" and {more} more" if more else "")


def _planes_given(file: str, stack: Mapping[str, int], order: Sequence[str], plane: Any) -> dict[str, int]:
    sizes = ", ".join(f"{axis.lower() if axis in STACK_AXES else 'page'} 0 to {stack[axis] - 1}" for axis in order)
    wrong = ImageError(
        f"{file} has no plane {plane!r}; it has {sizes}. Pass a number as plane=, or (z, t) if it has both."
    )
    if isinstance(plane, int) and not isinstance(plane, bool):
        if len(order) != 1:
            raise wrong
        given: dict[str, Any] = {order[0]: plane}
    elif isinstance(plane, Sequence) and not isinstance(plane, str) and len(plane) in (1, 2):
        by_axis = dict(zip("ZT", plane, strict=False))
        given = {axis: by_axis.get(axis) for axis in order if axis in STACK_AXES}
        if any(value not in (None, 0) for axis, value in by_axis.items() if axis not in order):
            raise wrong
        given |= {axis: plane[0] for axis in order if axis not in STACK_AXES}
    else:
        raise wrong
    at = {axis: 0 if given[axis] is None else given[axis] for axis in order}
    if any(
        isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < stack[axis]
        for axis, number in at.items()
    ):
        raise wrong
    return at


def _as_argument(at: Mapping[str, int]) -> int | tuple[int, int]:
    if set(at) <= set(STACK_AXES):
        return at.get("Z", 0), at.get("T", 0)
    return next(iter(at.values()))


def _is_first(plane: Any) -> bool:
    """Return whether a plane is the first one, which every image has."""
    if isinstance(plane, Sequence) and not isinstance(plane, str):
        return all(one in (None, 0) for one in plane)
    return plane == 0 and not isinstance(plane, bool)
