"""The metadata of an OME-Zarr: levels, axes, pixel size, channel names and colours."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from histowidgets.errors import ImageOpenError
from histowidgets.images.readers._pixel_size import UNKNOWN, CheckedSize, checked_pixel_size, unit_um


class Multiscale(NamedTuple):
    """The description of a pyramid.

    Attributes
    ----------
    axes : tuple of str
        Lower-case names, such as ("t", "c", "z", "y", "x").
    paths : tuple of str
        Paths of the arrays relative to the group, the full-size one first.
    name : str
        "" if it has none.
    size : CheckedSize
        Size of a full-size pixel.
    """

    axes: tuple[str, ...]
    paths: tuple[str, ...]
    name: str
    size: CheckedSize


def ome_attributes(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the OME part of a group's attributes: under "ome" from version 0.5 on, at the top level before."""
    ome = attributes.get("ome")
    return ome if isinstance(ome, Mapping) else attributes


def multiscales_of(where: str, ome: Mapping[str, Any]) -> list[Multiscale]:
    """Read the pyramids of a group; usually there is one.

    Raises
    ------
    ImageOpenError
        If the group is not an image, or its description is damaged.
    """
    if "plate" in ome or "well" in ome:
        raise ImageOpenError(
            f"{where} is a plate of many images. Pass the folder of one of them, such as {where}/{_first_field(ome)}."
        )
    if not ome.get("multiscales"):
        raise ImageOpenError(
            f"{where} is a Zarr folder without an OME-Zarr image ('multiscales' is missing). Pass the folder of the "
            "image itself."
        )
    try:
        return [_multiscale(where, described) for described in ome["multiscales"]]
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, ImageOpenError):
            raise
        raise ImageOpenError(
            f"The description of the image in {where} is damaged: {error!r}. Copy or export it again."
        ) from error


def _multiscale(where: str, described: Mapping[str, Any]) -> Multiscale:
    paths = tuple(str(dataset["path"]) for dataset in described["datasets"])
    axes = _axes(described)
    if not paths or len(set(axes)) < len(axes) or not {"y", "x"} <= set(axes):
        raise ImageOpenError(
            f"The image in {where} has axes {', '.join(axes) or 'none'} and {len(paths)} level(s); it must have "
            "y and x once each, and at least one level."
        )
    return Multiscale(axes, paths, str(described.get("name") or ""), _pixel_size(described, axes))


def _first_field(ome: Mapping[str, Any]) -> str:
    """Return the path of an image of a plate or a well."""
    try:
        if "well" in ome:
            return str(ome["well"]["images"][0]["path"])
        return str(ome["plate"]["wells"][0]["path"]) + "/0"
    except (KeyError, IndexError, TypeError):
        return "0" if "well" in ome else "A/1/0"


def channels_of(ome: Mapping[str, Any], n_channels: int) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """Return (names, colours "#RRGGBB") of the channels, each None unless given for every channel."""
    omero = ome.get("omero")
    channels = omero.get("channels") if isinstance(omero, Mapping) else None
    if not isinstance(channels, Sequence) or len(channels) != n_channels:
        return None, None
    channels = [channel if isinstance(channel, Mapping) else {} for channel in channels]
    labels = [str(channel.get("label") or "").strip() for channel in channels]
    names = tuple(label or f"Channel {i}" for i, label in enumerate(labels, start=1)) if any(labels) else None
    colors = tuple("#" + str(channel.get("color") or "").lstrip("#").upper() for channel in channels)
    return names, colors if all(re.fullmatch(r"#[0-9A-F]{6}", color) for color in colors) else None


def _axes(described: Mapping[str, Any]) -> tuple[str, ...]:
    if "axes" not in described:  # before version 0.3, the axes were always these
        return ("t", "c", "z", "y", "x")
    return tuple(str(axis["name"] if isinstance(axis, Mapping) else axis).lower() for axis in described["axes"])


def _pixel_size(described: Mapping[str, Any], axes: tuple[str, ...]) -> CheckedSize:
    """Return the size of a full-size pixel; unknown without a scale or its unit."""
    sides = [_side(described, axes, name) for name in "yx"]
    if sides == [None, None] and "axes" in described and _scale(described, axes, "x") not in (None, 1.0):
        return CheckedSize(None, (f"Its scale of {_scale(described, axes, 'x'):g} has no unit of length.",))
    return checked_pixel_size(*sides, source="The OME-Zarr") if sides != [None, None] else UNKNOWN


def _side(described: Mapping[str, Any], axes: tuple[str, ...], name: str) -> float | None:
    axis = described["axes"][axes.index(name)] if "axes" in described else None
    unit = axis.get("unit") if isinstance(axis, Mapping) else None
    length = None if unit is None else unit_um(unit)
    scale = _scale(described, axes, name)
    return None if length is None or scale is None else length * scale


def _scale(described: Mapping[str, Any], axes: tuple[str, ...], name: str) -> float | None:
    """Return the scale of the first level times that of the whole pyramid, along an axis."""
    size, found = 1.0, False
    for owner in (described["datasets"][0], described):
        for transformation in owner.get("coordinateTransformations") or ():
            if transformation["type"] == "scale" and "scale" in transformation:
                size, found = size * float(transformation["scale"][axes.index(name)]), True
    return size if found else None
