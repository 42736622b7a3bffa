"""OME-Zarr in a local folder, of which only the chunks that are needed are read."""

import itertools
import math
import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from histowidgets._byte_cache import ByteCache
from histowidgets.errors import ImageError, ImageOpenError, ImageSizeError
from histowidgets.images._claims import require_possible_part
from histowidgets.images._image import Image, default_channel_names, named_after
from histowidgets.images._limits import CACHE_BYTES
from histowidgets.images.readers._layout import as_kept, kept_dtype
from histowidgets.images.readers._zarr_metadata import Multiscale, channels_of, multiscale_of, ome_attributes

#: What zarr and its codecs raise on missing and damaged files.
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
#: Smaller chunks than this are read several at once.
_BLOCK_SIDE = 256
#: Versions, flags, type size; bytes before, of a block, and after compression.
_BLOSC_HEADER = struct.Struct("<4B3I")
_METADATA_FILES = {"zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata"}
_AXES = {"z": "planes", "t": "time points"}


class ZarrImage(Image):
    """An OME-Zarr."""

    def __init__(
        self,
        path: Path,
        multiscale: Multiscale,
        arrays: Sequence[Any],
        ome: Any,
        name: str,
        channel_names: Sequence[str] | None,
        pixel_size_um: float | None,
    ) -> None:
        self._levels = [_Level(path, array, multiscale.axes) for array in arrays]
        full = self._levels[0]
        for level in self._levels[1:]:
            if (level.n_channels, level.array.dtype) != (full.n_channels, full.array.dtype):
                raise ImageOpenError(f"The levels of {path} differ in their channels or dtypes. Write it again.")
            if level.width > full.width or level.height > full.height:
                raise ImageOpenError(f"A level of {path} is larger than the first, which is the full size.")
        names, colors = channels_of(ome, full.n_channels)
        dtype = kept_dtype(full.array.dtype, name)
        super().__init__(
            name=name,
            width=full.width,
            height=full.height,
            dtype=dtype,
            channel_names=channel_names or names or default_channel_names(full.n_channels, dtype),
            channel_colors=colors,
            pixel_size_um=multiscale.pixel_size_um if pixel_size_um is None else pixel_size_um,
            level_sizes=[level.size for level in self._levels],
            source=str(path),
        )
        self._require_names_for(full.n_channels)
        self._path = path
        self._cache: ByteCache[Any, np.ndarray] = ByteCache(CACHE_BYTES, keep_largest=True)

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
        """Return the block of chunks that begins at a place; not to be changed."""
        key = (level, left, top)
        kept = self._cache.get(key)
        if kept is not None:
            return kept
        try:
            stored = self._levels[level].read(left, top)
        except _ZARR_ERRORS as error:
            raise ImageOpenError(
                f"A part of {self._path} (level {level}, near x={left}, y={top} of it) cannot be read: {error}. It may "
                "be cut short or damaged; copy it again."
            ) from error
        block = as_kept(stored, self.name)
        self._cache.put(key, block)
        return block


class _Level:
    """One array of a pyramid, seen as (rows, columns, channels)."""

    def __init__(self, path: Path, array: Any, axes: tuple[str, ...]) -> None:
        if not isinstance(array, zarr.Array):
            raise ImageOpenError(f"A level of {path} is a group, not an array. Write it again.")
        if array.ndim != len(axes):
            raise ImageOpenError(
                f"A level of {path} has {array.ndim} axes (shape {array.shape}), but its description names "
                f"{len(axes)}: {', '.join(axes)}. Write it again."
            )
        for axis, size in zip(axes, array.shape, strict=True):
            if axis not in ("c", "y", "x") and size != 1:
                raise ImageSizeError(
                    f"{path} is a stack of {size} {_AXES.get(axis, 'along ' + axis)} (axes {', '.join(axes)}, shape "
                    f"{array.shape}). Save the one that you want as a separate image, or project the stack first."
                )
        self.array = array
        self._axes = axes
        self._folder = path / array.path
        # Sharded chunks lie in files with a checksum of their own.
        self._is_blosc = array.shards is None and any("Blosc" in type(c).__name__ for c in array.compressors)
        self.width, self.height = self.size = array.shape[axes.index("x")], array.shape[axes.index("y")]
        self.n_channels = array.shape[axes.index("c")] if "c" in axes else 1
        rows, cols = array.chunks[axes.index("y")], array.chunks[axes.index("x")]
        bytes_each = math.prod(array.chunks) * array.dtype.itemsize
        require_possible_part(path.name, cols, rows, bytes_each)
        self.block = rows * max(1, _BLOCK_SIDE // rows), cols * max(1, _BLOCK_SIDE // cols)

    def read(self, left: int, top: int) -> np.ndarray:
        """Read the block that begins at (left, top), cut at the level's edge, as (rows, cols, channels)."""
        chosen = {
            "y": slice(top, min(top + self.block[0], self.height)),
            "x": slice(left, min(left + self.block[1], self.width)),
            "c": slice(None),
        }
        if self._is_blosc:
            self._require_whole_chunks(chosen)
        pixels = np.asarray(self.array[tuple(chosen.get(axis, 0) for axis in self._axes)])
        kept = [axis for axis in self._axes if axis in chosen]
        if "c" not in kept:
            pixels, kept = pixels[..., None], [*kept, "c"]
        return np.ascontiguousarray(pixels.transpose([kept.index(axis) for axis in "yxc"]))

    def _require_whole_chunks(self, chosen: dict[str, slice]) -> None:
        """Refuse a chunk whose file is shorter than its header says.

        Blosc, the usual compressor of OME-Zarr, does not check: it reads past the end, into whatever memory is there,
        and returns that as pixels.
        """
        along = []
        for axis, size, chunk in zip(self._axes, self.array.shape, self.array.chunks, strict=True):
            start, stop, _ = chosen.get(axis, slice(0, 1)).indices(size)
            along.append(range(start // chunk, -(-stop // chunk)))
        for place in itertools.product(*along):
            file = self._folder / self.array.metadata.encode_chunk_key(place)
            try:
                with file.open("rb") as opened:
                    header, size = opened.read(_BLOSC_HEADER.size), os.fstat(opened.fileno()).st_size
            except FileNotFoundError:
                continue  # a chunk of nothing but the fill value is not stored
            wanted = _BLOSC_HEADER.unpack(header)[-1]
            if size < wanted:
                raise EOFError(f"the chunk {file.relative_to(self._folder)} has {size:,} bytes of {wanted:,}")


def open_zarr(
    path: Path,
    name: str | None = None,
    channel_names: Sequence[str] | None = None,
    pixel_size_um: float | None = None,
) -> ZarrImage:
    """Open an OME-Zarr of version 0.4 or 0.5 (or earlier, as far as the versions agree).

    Raises
    ------
    ImageOpenError
        If it is not an image, is damaged, or was not copied whole.
    ImageSizeError
        If it is a stack or a movie, or has too many channels.
    """
    try:
        root: Any = zarr.open_group(str(path), mode="r", use_consolidated=False)
        ome = ome_attributes(root.attrs.asdict())
        group = root
        # bioformats2raw puts the image in "0", and a slide's label and overview in "1" and "2".
        if "bioformats2raw.layout" in ome and not ome.get("multiscales"):
            group = root["0"]
            ome = ome_attributes(group.attrs.asdict())
        multiscale = multiscale_of(path, ome)
        arrays = [group[level] for level in multiscale.paths]
        _require_chunks(path, path / group.path / multiscale.paths[0])
        return ZarrImage(path, multiscale, arrays, ome, name or named_after(path), channel_names, pixel_size_um)
    except ImageError:
        raise
    except _ZARR_ERRORS as error:
        # A KeyError shows just the missing name, in quotes.
        why = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) and error.args else str(error)
        raise ImageOpenError(
            f"{path} cannot be read as OME-Zarr: {why}. It may not have been copied whole; copy it again."
        ) from error


def _require_chunks(path: Path, level: Path) -> None:
    """Refuse an image without pixels: Zarr takes a missing chunk for a black one, so it would open as all black."""
    if all(child.name in _METADATA_FILES for child in level.iterdir()):
        raise ImageOpenError(f"{path} holds no pixels ({level.name} has no chunk). Copy it again, whole.")
