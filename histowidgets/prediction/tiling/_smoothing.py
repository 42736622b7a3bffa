"""Blur a probability map that arrives in bands, and average several maps, without holding a whole map in memory."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

#: Bands of a map from the top: the first row, and float32 (K, rows of the band, cols).
Bands = Iterable[tuple[int, np.ndarray]]

#: Number of standard deviations at which the Gaussian is truncated.
REACH = 3.0


def reach_of(sigma: float) -> int:
    """Return the radius of the blur, in values."""
    return int(REACH * sigma + 0.5)


def smoothed(bands: Bands, sigma: tuple[float, float], n_rows: int) -> Iterator[tuple[int, np.ndarray]]:
    """Blur with a Gaussian; edges are repeated, so that probabilities keep their sum.

    Parameters
    ----------
    bands : iterable of (int, ndarray)
    sigma : (float, float)
        Standard deviation along rows and columns, in values of the map; 0 for no blur.
    n_rows : int
        Number of rows of the whole map.
    """
    if max(sigma) <= 0:
        yield from bands
        return
    from scipy import ndimage  # imported here because it is slow to load

    reach = reach_of(sigma[0])
    first, done = 0, 0
    kept: np.ndarray | None = None
    for _, band in bands:
        kept = band if kept is None else np.concatenate([kept, band], axis=1)
        have = first + kept.shape[1]
        ready = n_rows if have == n_rows else have - reach
        if ready <= done:
            continue
        blurred = ndimage.gaussian_filter(kept, (0, *sigma), mode="nearest", truncate=REACH)
        yield done, blurred[:, done - first : ready - first]
        done = ready
        drop = max(0, done - reach - first)
        first, kept = first + drop, kept[:, drop:].copy()


def averaged(streams: Sequence[Bands]) -> Iterator[tuple[int, np.ndarray]]:
    """Average maps of the same shape that arrive in different bands."""
    if len(streams) == 1:
        yield from streams[0]
        return
    sources = [iter(stream) for stream in streams]
    kept: list[np.ndarray | None] = [None] * len(sources)
    top = 0
    while True:
        for i, source in enumerate(sources):
            part = kept[i]
            if part is None or part.shape[1] == 0:
                following = next(source, None)
                if following is None:
                    return
                kept[i] = following[1]
        parts = [part for part in kept if part is not None]
        n = min(part.shape[1] for part in parts)
        total = parts[0][:, :n].copy()
        for part in parts[1:]:
            total += part[:, :n]
        kept = [part[:, n:] for part in parts]
        yield top, total / np.float32(len(parts))
        top += n
