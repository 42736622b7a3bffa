"""Which pixels a picture of another size shows."""

import numpy as np


def samples(start: int, length: int, count: int, first: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixel under the centre of each of `count` samples, from `first` on, and whether it is inside.

    Parameters
    ----------
    start, length : int
        What is shown, in full-size pixels.
    count : int
        Samples that it is shown with.
    first, size : int
        Where what is known begins, and how long it is.
    """
    pixels = start + ((np.arange(count) + 0.5) * length / count).astype(np.int64) - first
    return pixels, (pixels >= 0) & (pixels < size)
