"""Pixels without data: NaN in all channels."""

import numpy as np


def without_data(pixels: np.ndarray) -> np.ndarray | None:
    """Return where (rows, cols, channels) have no data: bool (rows, cols); None where all have some."""
    if pixels.dtype.kind != "f":
        return None
    missing: np.ndarray = np.isnan(pixels).all(axis=-1)
    return missing if missing.any() else None
