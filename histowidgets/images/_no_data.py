"""Pixels without data: NaN in all channels."""

import numpy as np


def without_data(pixels: np.ndarray) -> np.ndarray | None:
    """Return where (rows, cols, channels) have no data, as bool (rows, cols); None if there is data everywhere."""
    if pixels.dtype.kind != "f":
        return None
    missing: np.ndarray = np.isnan(pixels).all(axis=-1)
    return missing if missing.any() else None
