"""The metadata of an OME-Zarr: levels, axes, pixel size, channel names and colours."""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from histowidgets.errors import ImageOpenError
from histowidgets.images.readers._units import UM


class Multiscale(NamedTuple):
    """The description of a pyramid.

    Attributes
    ----------
    axes : tuple of str
        Lower-case names, such as ("t", "c", "z", "y", "x").
    paths : tuple of str
        Of the arrays, the full-size one first, relative to the group.
    pixel_size_um : float or None
    """

    axes: tuple[str, ...]
    paths: tuple[str, ...]
    pixel_size_um: float | None


def ome_attributes(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the OME part of a group's attributes: below "ome" from version 0.5 on, at the top before."""
    ome = attributes.get("ome")
    return ome if isinstance(ome, Mapping) else attributes


def multiscale_of(path: Path, ome: Mapping[str, Any]) -> Multiscale:
    """Read the first pyramid of a group.

    Raises
    ------
    ImageOpenError
        If the group is not an image, or its description is damaged.
    """
    if "plate" in ome or "well" in ome:
        raise ImageOpenError(f"{path} is a plate of many images. Give the folder of one of them, such as {path}/A/1/0.")
    if not ome.get("multiscales"):
        raise ImageOpenError(
            f"{path} is a Zarr folder without an image of OME-Zarr ('multiscales' is missing). Give the folder of the "
            "image itself."
        )
    try:
        described = ome["multiscales"][0]
        datasets = described["datasets"]
        paths = tuple(str(dataset["path"]) for dataset in datasets)
        axes = _axes(described)
        size = _pixel_size(described, axes)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise ImageOpenError(
            f"The description of the image in {path} is damaged: {error!r}. Copy it again, or write it again."
        ) from error
    if not paths or len(set(axes)) < len(axes) or not {"y", "x"} <= set(axes):
        raise ImageOpenError(
            f"The image in {path} has axes {', '.join(axes) or 'none'} and {len(paths)} level(s); y and x, each once, "
            "and at least one level are wanted."
        )
    return Multiscale(axes, paths, size)


def channels_of(ome: Mapping[str, Any], n_channels: int) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """Return (names, colours "#RRGGBB") of the channels; each is None unless it is given for every channel."""
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
    if "axes" not in described:  # before version 0.3 there were always these
        return ("t", "c", "z", "y", "x")
    return tuple(str(axis["name"] if isinstance(axis, Mapping) else axis).lower() for axis in described["axes"])


def _pixel_size(described: Mapping[str, Any], axes: tuple[str, ...]) -> float | None:
    """Return the width of a full-size pixel in um, or None if there is no scale, or one without a unit."""
    axis = described["axes"][axes.index("x")] if "axes" in described and "x" in axes else None
    unit = axis.get("unit") if isinstance(axis, Mapping) else None
    if unit is None or str(unit).lower() not in UM:
        return None
    size, found = UM[str(unit).lower()], False
    # The scale of the level, and then that of the whole pyramid.
    for owner in (described["datasets"][0], described):
        for transformation in owner.get("coordinateTransformations") or ():
            if transformation["type"] == "scale" and "scale" in transformation:
                size, found = size * float(transformation["scale"][axes.index("x")]), True
    return size if found and math.isfinite(size) and size > 0 else None
