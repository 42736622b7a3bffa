"""Read parts of a TIFF page: only the needed tiles or strips, of which the latest are cached."""

import os
import struct
import threading
from collections.abc import Iterator
from io import BufferedReader
from typing import Any

import numpy as np
import tifffile

from histowidgets._byte_cache import ByteCache
from histowidgets.errors import ImageError, ImageOpenError
from histowidgets.images._claims import require_possible_part
from histowidgets.images._limits import CACHE_BYTES

#: Errors that tifffile and its codecs raise for damaged data.
DECODE_ERRORS = (
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    MemoryError,
    OSError,
    EOFError,
    struct.error,
    tifffile.TiffFileError,
)


_JPEG = (6, 7, 34892, 33007)


class SegmentReader:
    """Reads rectangles of pages.

    Parameters
    ----------
    file : binary file
        The open file, not shared with others.
    name : str
        Name of the file, for messages.
    """

    def __init__(self, file: BufferedReader, name: str) -> None:
        self._file = file
        self._name = name
        self._lock = threading.Lock()
        self._cache: ByteCache[Any, np.ndarray] = ByteCache(CACHE_BYTES, keep_largest=True)
        self._size = os.fstat(file.fileno()).st_size

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def require_whole(self, page: Any, shift: int = 0) -> None:
        """Raise ImageOpenError for a page whose tiles or strips extend beyond the end of the file."""
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
            if offset + count > self._size:
                raise self._cut_short(offset + count)
        if shift and page.dataoffsets[0] + shift + page.keyframe.nbytes > self._size:
            raise self._cut_short(page.dataoffsets[0] + shift + page.keyframe.nbytes)

    def read(self, page: Any, x: int, y: int, width: int, height: int, shift: int = 0) -> np.ndarray:
        """Read a rectangle of a page as (rows, cols, samples) of the page's dtype.

        `shift` is the offset of the plane in the page's data, in bytes.

        Raises
        ------
        ImageOpenError
            If the file is truncated or damaged there.
        """
        try:
            return self._read(page, x, y, width, height, shift)
        except DECODE_ERRORS as error:
            if isinstance(error, ImageError):
                raise
            raise ImageOpenError(
                f"A part of {self._name} cannot be decoded: {error!r}. It may be damaged; copy it again."
            ) from error

    def _read(self, page: Any, x: int, y: int, width: int, height: int, shift: int) -> np.ndarray:
        key = page.keyframe
        if shift or page.is_memmappable:  # uncompressed: read only these rows, however long the strips are
            return self._read_plain(page, x, y, width, height, shift)
        out = np.empty((height, width, key.samplesperpixel), key.dtype)
        for index, plane, left, top in _needed(key, x, y, width, height):
            segment = self._segment(page, index)
            # Segments may extend beyond the image, and strips may be shorter.
            from_x, from_y = max(x - left, 0), max(y - top, 0)
            to_x, to_y = max(left - x, 0), max(top - y, 0)
            samples = slice(None) if plane is None else slice(plane, plane + 1)
            target = out[to_y : to_y + key_height(key) - from_y, to_x : to_x + key_width(key) - from_x, samples]
            if segment is None:
                target[...] = key.nodata
                continue
            target[...] = segment[from_y : from_y + target.shape[0], from_x : from_x + target.shape[1]]
        return out

    def _read_plain(self, page: Any, x: int, y: int, width: int, height: int, shift: int) -> np.ndarray:
        """Read uncompressed rows without a memory map, which would kill the process if the file were truncated."""
        key = page.keyframe
        separate = key.planarconfig == tifffile.PLANARCONFIG.SEPARATE and key.samplesperpixel > 1
        planes, together = (key.samplesperpixel, 1) if separate else (1, key.samplesperpixel)
        dtype = key.dtype.newbyteorder(page.parent.byteorder)
        out = np.empty((planes, height, width, together), dtype)
        pixel = together * dtype.itemsize
        begin = page.dataoffsets[0] + shift
        with self._lock:  # all threads share the file position
            for plane in range(planes):
                for row in range(height):
                    place = (plane * key.imagelength + y + row) * key.imagewidth + x
                    self._file.seek(begin + place * pixel)
                    if self._file.readinto(out[plane, row].view(np.uint8)) < width * pixel:
                        raise self._cut_short(begin + (place + width) * pixel)
        return np.moveaxis(out[..., 0], 0, -1).astype(key.dtype) if separate else out[0].astype(key.dtype, copy=False)

    def _segment(self, page: Any, index: int) -> np.ndarray | None:
        key = (page.index if isinstance(page.index, int) else tuple(page.index), page.offset, index)
        kept = self._cache.get(key)
        if kept is not None:
            return kept
        offset, count = page.dataoffsets[index], page.databytecounts[index]
        if count == 0:
            return None
        with self._lock:
            self._file.seek(offset)
            data = self._file.read(count)
        if len(data) < count:
            raise self._cut_short(offset + count)
        if has_packed_colours(page.keyframe):
            segment = _unpacked(page.keyframe, data, index)
            self._cache.put(key, segment)
            return segment
        arguments: dict[str, Any] = {}
        if page.keyframe.compression in _JPEG:  # JPEG tables may be stored only once, for all segments
            arguments = {"jpegtables": page.jpegtables, "jpegheader": page.keyframe.jpegheader}
        decoded, _, _ = page.keyframe.decode(data, index, _fullsize=False, **arguments)
        if decoded is None:
            return None
        segment = np.asarray(decoded)[0]
        self._cache.put(key, segment)
        return segment

    def _cut_short(self, wanted: int) -> ImageOpenError:
        size = os.fstat(self._file.fileno()).st_size  # it may have been truncated since it was opened
        return ImageOpenError(
            f"{self._name} is truncated: it has {size:,} bytes, but its pixels reach to byte {wanted:,}. Copy it again."
        )


def require_possible_page(page: Any) -> None:
    """Raise an error for a page with tiles or strips that are too large, or that no codec can decode.

    Raises
    ------
    ImageSizeError, ImageOpenError
    """
    key = page.keyframe
    if key.dtype is None or not _has_codec(int(key.compression)):
        what = f"samples of {key.bitspersample} bits" if key.dtype is None else f"compression {_name(key.compression)}"
        raise ImageOpenError(
            f"{page.parent.filename} is intact but not supported: {what}. Convert it to OME-TIFF, or to a TIFF without "
            "that, e.g. with QuPath, Fiji (Bio-Formats) or ImageMagick."
        )
    if not page.is_memmappable:
        width, height = key_width(key), key_height(key)
        require_possible_part(
            page.parent.filename, width, height, width * height * key.samplesperpixel * key.dtype.itemsize
        )


def _has_codec(compression: int) -> bool:
    if compression in (65000, 65001, 65002):  # of electron microscopes or others
        return False
    try:
        return compression == tifffile.COMPRESSION.NONE or tifffile.TIFF.DECOMPRESSORS[compression] is not None
    except KeyError:
        return False


def _name(compression: Any) -> str:
    return str(getattr(compression, "name", compression))


def key_width(key: Any) -> int:
    """Return the width of a page's tiles or strips."""
    return int(key.tilewidth if key.is_tiled else key.imagewidth)


def key_height(key: Any) -> int:
    """Return the height of a page's tiles or strips."""
    return int(key.tilelength if key.is_tiled else min(key.rowsperstrip, key.imagelength))


def _needed(key: Any, x: int, y: int, width: int, height: int) -> Iterator[tuple[int, int | None, int, int]]:
    """Yield (index, plane or None, left, top) of each segment that a rectangle touches."""
    w, h = key_width(key), key_height(key)
    across, down = -(-key.imagewidth // w), -(-key.imagelength // h)
    separate = key.planarconfig == tifffile.PLANARCONFIG.SEPARATE and key.samplesperpixel > 1
    for plane in range(key.samplesperpixel if separate else 1):
        for j in range(y // h, (y + height - 1) // h + 1):
            for i in range(x // w, (x + width - 1) // w + 1):
                index = (plane * down + j) * across + i
                yield index, plane if separate else None, i * w, j * h


def has_packed_colours(key: Any) -> bool:
    """Return whether several YCbCr pixels share their colour, which no codec unpacks (nor does tifffile)."""
    return bool(
        key.is_subsampled
        and key.compression not in _JPEG
        and int(key.compression) not in tifffile.TIFF.IMAGE_COMPRESSIONS
        and key.planarconfig == tifffile.PLANARCONFIG.CONTIG
        and key.bitspersample == 8
        and key.samplesperpixel == 3
    )


def _unpacked(key: Any, data: bytes, index: int) -> np.ndarray:
    """Return a segment in which h x v pixels share their colour as (rows, cols, 3).

    The samples are in units of h x v values of Y, one of Cb and one of Cr (TIFF specification, revision 6, section 21).
    """
    if key.compression != tifffile.COMPRESSION.NONE:
        data = tifffile.TIFF.DECOMPRESSORS[int(key.compression)](data)
    h, v = key.subsampling or (2, 2)
    width, height = key_width(key), key_height(key)
    if not key.is_tiled:
        height = min(height, key.imagelength - index * height)
    across, down = -(-width // h), -(-height // v)
    units = np.frombuffer(data, np.uint8)[: across * down * (h * v + 2)].reshape(down, across, h * v + 2)
    y = units[..., :-2].reshape(down, across, v, h).transpose(0, 2, 1, 3).reshape(down * v, across * h)
    colours = [units[..., place].repeat(v, axis=0).repeat(h, axis=1) for place in (-2, -1)]
    return np.stack([y, *colours], axis=-1)[:height, :width]
