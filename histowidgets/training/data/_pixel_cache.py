"""A cache of normalized pixels and labels of windows, limited in memory."""

import threading
from collections.abc import Sequence

import numpy as np
import torch
from cachetools import LRUCache
from scipy.ndimage import distance_transform_edt

from histowidgets.annotations import UNLABELLED, ProjectSnapshot
from histowidgets.images import Image, Normalization, scaled_shape, without_data
from histowidgets.training.data._sampling import Window

#: Size of the cache in bytes: four times what the images of a workshop need, and an eighth of 2 GB.
CACHE_BYTES = 256 << 20


class PixelCache:
    """Reads windows of a snapshot's images, normalizes them, and caches the most recently used.

    Parameters
    ----------
    snapshot : ProjectSnapshot
        Images and annotations.
    normalization : Normalization
        Fitted.
    downsample : int
        Resolution at which windows are read.
    capacity : int
        Maximum number of bytes. A larger window is kept alone.
    """

    def __init__(
        self, snapshot: ProjectSnapshot, normalization: Normalization, downsample: int, capacity: int = CACHE_BYTES
    ) -> None:
        self._snapshot = snapshot
        self._normalization = normalization
        self._downsample = downsample
        # A larger window counts as filling the cache, since the cache rejects what does not fit.
        self._kept: LRUCache[Window, tuple[torch.Tensor, torch.Tensor]] = LRUCache(
            capacity, getsizeof=lambda pair: min(capacity, sum(tensor.nbytes for tensor in pair))
        )
        self._lock = threading.Lock()

    def get(self, window: Window) -> tuple[torch.Tensor, torch.Tensor]:
        """Return pixels (C, h, w) float32 in [0, 1] and labels (h, w) uint8 of a window, at the downsample."""
        with self._lock:
            pair = self._kept.get(window)
        if pair is None:
            pair = self._read(window)
            with self._lock:
                self._kept[window] = pair
        return pair

    def _read(self, window: Window) -> tuple[torch.Tensor, torch.Tensor]:
        image = self._snapshot.images[window.image_name]
        raw, known = read_pieces(image, window, self._downsample)
        labels = self._snapshot.labels(window.image_name, window.region, self._downsample)
        if not known.all():
            labels = np.where(known, labels, UNLABELLED).astype(np.uint8)
            mirror_into(raw, ~known)
        missing = without_data(raw)
        if missing is not None:
            labels = np.where(missing, UNLABELLED, labels).astype(np.uint8)
        return torch.from_numpy(self._normalization.tensor_of(image, raw)), torch.from_numpy(labels)


def read_pieces(image: Image, window: Window, downsample: int) -> tuple[np.ndarray, np.ndarray]:
    """Read the pieces of a window, and nothing between them.

    Returns
    -------
    pixels : ndarray, (h, w, C)
        The window at the downsample, in the image's dtype; zeros where nothing was read.
    known : ndarray, (h, w), bool
        Where pixels were read. A downsampled pixel that overlaps a held-out pixel is not read.
    """
    region = window.region
    rows, columns = scaled_shape(region.width, region.height, downsample)
    pixels = np.zeros((rows, columns, len(image.channel_names)), image.dtype)
    known = np.zeros((rows, columns), bool)
    for piece in window.pieces:
        left, top = -((region.x - piece.x) // downsample), -((region.y - piece.y) // downsample)
        right = columns if piece.right == region.right else (piece.right - region.x) // downsample
        bottom = rows if piece.bottom == region.bottom else (piece.bottom - region.y) // downsample
        if right <= left or bottom <= top:
            continue
        x, y = region.x + left * downsample, region.y + top * downsample
        width = min(region.right, region.x + right * downsample) - x
        height = min(region.bottom, region.y + bottom * downsample) - y
        pixels[top:bottom, left:right] = image.read(x, y, width, height, downsample)
        known[top:bottom, left:right] = True
    return pixels, known


def labels_without_data(snapshot: ProjectSnapshot, windows: Sequence[Window], downsample: int) -> dict[str, int]:
    """Count the labelled pixels without data (NaN), which are not trained on, by image; only for float images."""
    found: dict[str, int] = {}
    for window in windows:
        image = snapshot.images[window.image_name]
        if image.dtype.kind != "f":
            continue
        pixels, known = read_pieces(image, window, downsample)
        missing = without_data(pixels)
        if missing is not None:
            labels = snapshot.labels(window.image_name, window.region, downsample)
            n = int((missing & known & (labels != UNLABELLED)).sum())
            found[window.image_name] = found.get(window.image_name, 0) + n
    return {name: n for name, n in found.items() if n}


def mirror_into(pixels: np.ndarray, hole: np.ndarray) -> None:
    """Fill a hole (h, w) in pixels (h, w, C), in place, with the mirror image of its surroundings.

    Tiles next to a held-out rectangle then see tissue in its place, without an artificial edge.
    """
    rows, columns = np.nonzero(hole)
    near_rows, near_columns = distance_transform_edt(hole, return_distances=False, return_indices=True)[
        :, rows, columns
    ]
    from_rows = np.clip(2 * near_rows - rows, 0, hole.shape[0] - 1)
    from_columns = np.clip(2 * near_columns - columns, 0, hole.shape[1] - 1)
    # If the mirrored position is in a hole too, use the nearest pixel.
    blind = hole[from_rows, from_columns]
    from_rows, from_columns = np.where(blind, near_rows, from_rows), np.where(blind, near_columns, from_columns)
    pixels[rows, columns] = pixels[from_rows, from_columns]
