"""Recognize values that stand for "no data": NaN, and -9999 if no other value is close to it."""

import numpy as np

from histowidgets.images._image import is_no_data

#: The value that geographic and other programs write for missing data.
USUAL = -9999.0
#: If no other value is below this, -9999 stands for missing data.
NO_MEASUREMENT_BELOW = -999.0


def find_no_data(pixels: np.ndarray, stored_dtype: np.dtype, declared: float | None) -> float | None:
    """Return the value that stands for no data in an image, or None.

    Parameters
    ----------
    pixels : ndarray
        Some pixels of the image, as stored.
    stored_dtype : numpy.dtype
        Dtype in the file; unsigned types have no value for missing data.
    declared : float or None
        The value declared by the file.
    """
    if stored_dtype.kind not in "if":
        return None
    if declared is not None and np.isfinite(declared):
        return declared
    values = pixels.astype(np.float64)  # int8 cannot be compared with -9999
    others = values[np.isfinite(values) & (values != USUAL)]
    return USUAL if not others.size or float(others.min()) >= NO_MEASUREMENT_BELOW else None


def no_data_notes(pixels: np.ndarray, no_data: float | None, *, is_sample: bool) -> tuple[str, ...]:
    """Return a note on the share of an image without data, given pixels (…, channels) of it."""
    if pixels.dtype.kind != "f" and no_data is None:
        return ()
    values = pixels.astype(np.float64)
    missing = np.isnan(values)
    value = "NaN" if missing.any() else ""
    if no_data is not None and (stands := is_no_data(pixels, no_data)).any():
        missing |= stands
        value = f"{value} and {no_data:g}" if value else f"{no_data:g}"
    share = float(missing.any(axis=-1).mean()) if missing.size else 0.0
    if not share:
        return ()
    about = "About " if is_sample else ""
    return (f"{about}{share:.1%} of the pixels have no data ({value}); they are ignored in statistics.",)
