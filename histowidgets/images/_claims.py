"""Files may claim any size: what no scanner makes is refused by name before memory is taken for it."""

import os

from histowidgets.errors import ImageSizeError
from histowidgets.images._limits import MOST_PART_BYTES, MOST_PIXELS

#: Raises both limits, as a number of pixels; of a part, that many bytes.
VARIABLE = "HISTOWIDGETS_MOST_PIXELS"


def require_possible_size(name: str, width: int, height: int) -> None:
    """Refuse an image with more pixels than `MOST_PIXELS` (ImageSizeError)."""
    most = _limit(MOST_PIXELS)
    if width * height > most:
        raise ImageSizeError(
            f"Image {name!r} says that it is {width} x {height} pixels; at most {most:,} are believed. If that is "
            f"true, set the environment variable {VARIABLE} to a larger number; else the file is damaged, or made to "
            "harm."
        )


def require_possible_part(name: str, width: int, height: int, n_bytes: int) -> None:
    """Refuse an image with tiles, strips or chunks that take more than `MOST_PART_BYTES` (ImageSizeError)."""
    most = _limit(MOST_PART_BYTES)
    if n_bytes > most:
        raise ImageSizeError(
            f"Image {name!r} says that it is stored in parts of {width} x {height} pixels, each {n_bytes:,} bytes; at "
            f"most {most:,} are read at once. Write it anew in tiles of 512 x 512, or set {VARIABLE} to a larger "
            "number."
        )


def _limit(usual: int) -> int:
    given = os.environ.get(VARIABLE, "")
    return max(usual, int(given)) if given.isdecimal() else usual
