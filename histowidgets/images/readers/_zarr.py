"""Read OME-Zarr from a folder, a ZIP file or an address, fetching only the needed chunks."""

import functools
import itertools
import math
import os
import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import zarr

from histowidgets._byte_cache import ByteCache
from histowidgets.errors import ImageError, ImageOpenError
from histowidgets.images._claims import require_possible_part
from histowidgets.images._image import Image, default_channel_names, named_after
from histowidgets.images._limits import CACHE_BYTES
from histowidgets.images.readers._choice import Listed, choose_image, choose_planes
from histowidgets.images.readers._layout import as_kept, kept_dtype
from histowidgets.images.readers._no_data import find_no_data, no_data_notes
from histowidgets.images.readers._options import DEFAULT_OPTIONS, OpenOptions
from histowidgets.images.readers._zarr_metadata import Multiscale, channels_of, multiscales_of, ome_attributes
from histowidgets.images.readers._zarr_store import ZarrPlace, folder_place, remote_place, zip_place

#: Errors that zarr and its codecs raise for missing and damaged files.
_ZARR_ERRORS = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RuntimeError,
    AssertionError,
    OSError,
    EOFError,
    struct.error,
    zlib.error,
)
#: Chunks smaller than this are read several at a time.
_BLOCK_SIDE = 256
#: Blosc header: versions, flags, type size; bytes uncompressed, per block, and compressed.
_BLOSC_HEADER = struct.Struct("<4B3I")
_METADATA_FILES = {"zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata"}
#: Number of images to look for in a collection without a list.
_MOST_IMAGES = 1000
#: Number of pixels of the smallest level to examine to decide what values mean.
_LOOKED_AT_SIDE = 1024


class _Found(NamedTuple):
    """An image of a Zarr: its group, the description of its pyramid, and other metadata."""

    group: Any
    multiscale: Multiscale
    ome: Mapping[str, Any]
    name: str


class ZarrImage(Image):
    """An OME-Zarr.

    Parameters
    ----------
    place : ZarrPlace
    found : _Found
    chosen : mapping of str to int
        Plane of a stack, by axis name.
    options : OpenOptions
    notes : sequence of str
        Notes on how the image and the plane were chosen.
    opened_with : mapping
        See `Image.opened_with`.
    """

    def __init__(
        self,
        place: ZarrPlace,
        found: _Found,
        chosen: Mapping[str, int],
        options: OpenOptions,
        notes: Sequence[str],
        opened_with: Mapping[str, Any],
    ) -> None:
        where, multiscale = place.where, found.multiscale
        name = options.name or named_after(where)
        arrays = [found.group[level] for level in multiscale.paths]
        self._levels = [_Level(place, array, multiscale.axes, chosen) for array in arrays]
        self._place = place
        full = self._levels[0]
        for level in self._levels[1:]:
            if (level.n_channels, level.array.dtype) != (full.n_channels, full.array.dtype):
                raise ImageOpenError(f"The levels of {where} differ in their channels or dtypes. Export it again.")
            if level.width > full.width or level.height > full.height:
                raise ImageOpenError(
                    f"A level of {where} is larger than the first, which must be the full size. Export it again."
                )
        names, colors = channels_of(found.ome, full.n_channels)
        dtype = kept_dtype(full.array.dtype, name)
        no_data, more = self._no_data_of(dtype)
        super().__init__(
            name=name,
            width=full.width,
            height=full.height,
            dtype=dtype,
            channel_names=options.channel_names or names or default_channel_names(full.n_channels, dtype),
            channel_colors=colors,
            pixel_size_um=options.pixel_size_or(multiscale.size.yx_um),
            level_sizes=[level.size for level in self._levels],
            source=where,
            notes=(*notes, *more, *multiscale.size.notes),
            opened_with=opened_with,
            no_data=no_data,
        )
        self._require_names_for(full.n_channels)
        self._cache: ByteCache[Any, np.ndarray] = ByteCache(CACHE_BYTES, keep_largest=True)

    def _no_data_of(self, dtype: np.dtype) -> tuple[float | None, tuple[str, ...]]:
        """Return the value that stands for no data, if any, and notes about it."""
        small = self._levels[-1]
        stored = small.array.dtype
        if stored.kind not in "if" or max(small.size) > _LOOKED_AT_SIDE:
            return None, ()
        height, width = small.block
        try:
            parts = [
                self._place.patiently(functools.partial(small.read, x, y)).reshape(-1, small.n_channels)
                for y in range(0, small.height, height)
                for x in range(0, small.width, width)
            ]
        except _ZARR_ERRORS:  # reported when it is read
            return None, ()
        pixels = np.concatenate(parts)
        value = find_no_data(pixels, stored, None)
        return value, no_data_notes(pixels.astype(dtype), value, is_sample=len(self._levels) > 1)

    def _read_level(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        out = np.empty((height, width, len(self.channel_names)), self.dtype)
        block_height, block_width = self._levels[level].block
        for top in range(y // block_height * block_height, y + height, block_height):
            for left in range(x // block_width * block_width, x + width, block_width):
                block = self._block(level, left, top)
                from_x, from_y = max(x - left, 0), max(y - top, 0)
                to_x, to_y = max(left - x, 0), max(top - y, 0)
                part = block[from_y : from_y + height - to_y, from_x : from_x + width - to_x]
                out[to_y : to_y + part.shape[0], to_x : to_x + part.shape[1]] = part
        return out

    def _block(self, level: int, left: int, top: int) -> np.ndarray:
        """Return the block of chunks that begins at a position; it must not be changed."""
        key = (level, left, top)
        kept = self._cache.get(key)
        if kept is not None:
            return kept
        try:
            stored = self._place.patiently(lambda: self._levels[level].read(left, top))
        except ImageError:
            raise
        except _ZARR_ERRORS as error:
            raise ImageOpenError(
                f"A part of {self.source} (level {level}, near x={left}, y={top} of it) cannot be read: {error}. It "
                "may be truncated or damaged; copy it again."
            ) from error
        block = as_kept(stored, self.name)
        self._cache.put(key, block)
        return block


class _Level:
    """An array of a pyramid, viewed as (rows, columns, channels)."""

    def __init__(self, place: ZarrPlace, array: Any, axes: tuple[str, ...], chosen: Mapping[str, int]) -> None:
        where = place.where
        if not isinstance(array, zarr.Array):
            raise ImageOpenError(f"A level of {where} is a group, not an array. Export it again.")
        if array.ndim != len(axes):
            raise ImageOpenError(
                f"A level of {where} has {array.ndim} axes (shape {array.shape}), but its description names "
                f"{len(axes)}: {', '.join(axes)}. Export it again."
            )
        self.array = array
        self._axes, self._chosen = axes, chosen
        self._folder = None if place.folder is None else place.folder / array.path
        # Sharded chunks are in files with their own checksum.
        self._is_blosc = array.shards is None and any("Blosc" in type(c).__name__ for c in array.compressors)
        self.width, self.height = self.size = array.shape[axes.index("x")], array.shape[axes.index("y")]
        self.n_channels = array.shape[axes.index("c")] if "c" in axes else 1
        rows, cols = array.chunks[axes.index("y")], array.chunks[axes.index("x")]
        bytes_each = math.prod(array.chunks) * array.dtype.itemsize
        require_possible_part(named_after(where), cols, rows, bytes_each)
        self.block = rows * max(1, _BLOCK_SIDE // rows), cols * max(1, _BLOCK_SIDE // cols)

    def read(self, left: int, top: int) -> np.ndarray:
        """Read the block at (left, top), cut at the level's edge, as (rows, cols, channels)."""
        chosen = {
            "y": slice(top, min(top + self.block[0], self.height)),
            "x": slice(left, min(left + self.block[1], self.width)),
            "c": slice(None),
        }
        if self._is_blosc and self._folder is not None:
            self._require_whole_chunks(chosen)
        pixels = np.asarray(self.array[tuple(chosen.get(axis, self._chosen.get(axis, 0)) for axis in self._axes)])
        kept = [axis for axis in self._axes if axis in chosen]
        if "c" not in kept:
            pixels, kept = pixels[..., None], [*kept, "c"]
        return np.ascontiguousarray(pixels.transpose([kept.index(axis) for axis in "yxc"]))

    def _require_whole_chunks(self, chosen: dict[str, slice]) -> None:
        """Raise an error for a chunk whose file is shorter than its header says.

        Blosc, the usual compressor of OME-Zarr, does not check this: it reads beyond the end of the buffer and returns
        arbitrary memory as pixels.
        """
        assert self._folder is not None  # only called for files
        along = []
        for axis, size, chunk in zip(self._axes, self.array.shape, self.array.chunks, strict=True):
            at = self._chosen.get(axis, 0)
            start, stop, _ = chosen.get(axis, slice(at, at + 1)).indices(size)
            along.append(range(start // chunk, -(-stop // chunk)))
        for place in itertools.product(*along):
            file = self._folder / self.array.metadata.encode_chunk_key(place)
            try:
                with file.open("rb") as opened:
                    header, size = opened.read(_BLOSC_HEADER.size), os.fstat(opened.fileno()).st_size
            except FileNotFoundError:
                continue  # a chunk of only the fill value is not stored
            wanted = _BLOSC_HEADER.unpack(header)[-1]
            if size < wanted:
                raise EOFError(f"the chunk {file.relative_to(self._folder)} has {size:,} bytes of {wanted:,}")


def open_zarr(path: Path, options: OpenOptions = DEFAULT_OPTIONS) -> ZarrImage:
    """Open the folder of an OME-Zarr of version 0.4 or 0.5 (or earlier, as far as the versions agree).

    Raises
    ------
    ImageOpenError
        If it is not an image, is damaged, or was not copied completely.
    ImageSizeError
        If it has too many channels.
    """
    _require_no_array(path)
    return _open(folder_place(path), options)


def open_zipped_zarr(path: Path, options: OpenOptions = DEFAULT_OPTIONS) -> ZarrImage | None:
    """Open an OME-Zarr in a ZIP file, as `open_zarr` does; None if the file has none."""
    place = zip_place(path)
    return None if place is None else _open(place, options)


def open_remote_zarr(address: str, options: OpenOptions = DEFAULT_OPTIONS) -> ZarrImage:
    """Open an OME-Zarr by its address, as `open_zarr` does."""
    return _open(remote_place(address), options)


def _open(place: ZarrPlace, options: OpenOptions) -> ZarrImage:
    where = place.where
    try:
        images = place.patiently(lambda: _images_of(place))
        listed = [_listed(found) for found in images] if len(images) > 1 else [Listed(images[0].name, 0, 0)]
        image = choose_image(named_after(where), listed, options.series)
        found = images[image.at]
        first = place.patiently(lambda: found.group[found.multiscale.paths[0]])
        stack = _stack_of(first, found.multiscale.axes)
        planes = choose_planes(named_after(where), stack, options.plane)
        chosen = {axis.lower(): number for axis, number in planes.at.items()}
        if place.folder is not None:
            _require_chunks(place.folder, place.folder / first.path)
        notes, opened_with = (*image.notes, *planes.notes), image.opened_with | planes.opened_with
        return place.patiently(lambda: ZarrImage(place, found, chosen, options, notes, opened_with))
    except ImageError:
        raise
    except _ZARR_ERRORS as error:
        # A KeyError shows only the missing name, in quotes.
        why = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) and error.args else str(error)
        if place.is_remote:
            raise ImageOpenError(
                f"There is no OME-Zarr at {where}, or it may not be read: {why}. Check the address; for s3:// log in "
                "with your credentials (AWS_PROFILE, or `aws configure`)."
            ) from error
        raise ImageOpenError(
            f"{where} cannot be read as OME-Zarr: {why}. It may not have been copied completely; copy it again."
        ) from error


def _images_of(place: ZarrPlace) -> list[_Found]:
    """Return the images of a Zarr (at least one)."""
    root = place.group()
    ome = ome_attributes(root.attrs.asdict())
    if ome.get("multiscales") or "plate" in ome or "well" in ome:
        return _images_in(place, root, ome)
    # bioformats2raw stores images in "0", "1", …, including the label and overview of a slide.
    found = [image for name in _members(place, root, ome) for image in _images_below(place, root, name)]
    return found or _images_in(place, root, ome)


def _images_in(place: ZarrPlace, group: Any, ome: Mapping[str, Any], name: str = "") -> list[_Found]:
    return [_Found(group, one, ome, one.name or name) for one in multiscales_of(place.where, ome)]


def _images_below(place: ZarrPlace, root: Any, name: str) -> list[_Found]:
    try:
        group = root[name]
    except KeyError:
        return []
    ome = ome_attributes(group.attrs.asdict()) if isinstance(group, zarr.Group) else {}
    return _images_in(place, group, ome, name) if ome.get("multiscales") else []


def _members(place: ZarrPlace, root: Any, ome: Mapping[str, Any]) -> list[str]:
    """Return the names of the groups that may be images."""
    if "bioformats2raw.layout" in ome:
        try:
            series = ome_attributes(root["OME"].attrs.asdict()).get("series")
        except KeyError:
            series = None
        if isinstance(series, Sequence) and not isinstance(series, str) and series:
            return [str(name) for name in series]
    if not place.is_remote:
        return sorted((name for name, _ in root.groups()), key=lambda name: (not name.isdecimal(), name.zfill(9)))
    return _numbered(root)  # a server does not list its contents


def _numbered(root: Any) -> list[str]:
    found = []
    for number in range(_MOST_IMAGES):
        if str(number) not in root:
            break
        found.append(str(number))
    return found


def _listed(found: _Found) -> Listed:
    array = found.group[found.multiscale.paths[0]]
    axes = found.multiscale.axes
    is_minor = found.name.lower() in ("label", "macro", "thumbnail", "overview", "label image", "macro image")
    if not isinstance(array, zarr.Array) or array.ndim != len(axes):
        return Listed(found.name, 0, 0, is_minor=True)
    return Listed(found.name, array.shape[axes.index("x")], array.shape[axes.index("y")], is_minor)


def _stack_of(array: Any, axes: tuple[str, ...]) -> dict[str, int]:
    """Return the axes along which to choose a plane."""
    if not isinstance(array, zarr.Array) or array.ndim != len(axes):
        return {}
    sizes = zip(axes, array.shape, strict=True)
    return {axis.upper(): int(size) for axis, size in sizes if axis not in ("c", "y", "x") and size > 1}


def _require_no_array(path: Path) -> None:
    """Raise an error for a plain array, which may be a level of an OME-Zarr or saved by another program."""
    try:
        array = zarr.open_array(str(path), mode="r")
    except Exception:  # noqa: BLE001 - not an array, as required
        return
    for above in list(path.parents)[:3]:
        try:
            ome = ome_attributes(zarr.open_group(str(above), mode="r", use_consolidated=False).attrs.asdict())
        except Exception:  # noqa: BLE001 - not a group either
            continue
        if ome.get("multiscales"):
            raise ImageOpenError(
                f"{path} is one level of the OME-Zarr {above}. Open that: hw.open_image({str(above)!r})."
            )
    raise ImageOpenError(
        f"{path} is a plain Zarr array of shape {array.shape}, not an OME-Zarr: its axes are unknown. Open "
        f"it as an array: hw.open_image(numpy.asarray(zarr.open_array({str(path)!r})), name=…)."
    )


def _require_chunks(path: Path, level: Path) -> None:
    """Raise an error for an image without pixels, which would open as black since missing chunks count as black."""
    if all(child.name in _METADATA_FILES for child in level.iterdir()):
        raise ImageOpenError(f"{path} has no pixels ({level.name} has no chunks). Copy it again completely.")
