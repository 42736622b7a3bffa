"""Refuses images whose files claim an impossible size, before memory is allocated for them."""

import os

from histowidgets.errors import ImageSizeError

#: Most pixels an image may claim to have, 500,000 x 500,000: the largest slides have a quarter of that.
MOST_PIXELS = 250_000_000_000

#: Most bytes that one tile, strip or chunk may take once it is decoded.
MOST_PART_BYTES = 2 << 30

#: Environment variable that raises both limits: a number of pixels of an image, and of bytes of a part.
VARIABLE = "HISTOWIDGETS_MOST_PIXELS"


def require_possible_size(name: str, width: int, height: int) -> None:
    """Refuse an image with more pixels than `MOST_PIXELS` (ImageSizeError)."""
    most = _limit(MOST_PIXELS)
    if width * height > most:
        raise ImageSizeError(
            f"Image {name!r} says that it is {width} x {height} pixels; at most {most:,} are believed. If that is "
            f"true, set the environment variable {VARIABLE} to a larger number; otherwise the file is damaged, or "
            "was made to do harm."
        )


def require_possible_part(name: str, width: int, height: int, n_bytes: int) -> None:
    """Refuse an image with tiles, strips or chunks that take more than `MOST_PART_BYTES` (ImageSizeError)."""
    most = _limit(MOST_PART_BYTES)
    if n_bytes > most:
        raise ImageSizeError(
            f"Image {name!r} says that it is stored in parts of {width} x {height} pixels, each {n_bytes:,} bytes; at "
            f"most {most:,} are read at once. Write it again in tiles of 512 x 512, or set {VARIABLE} to a larger "
            "number."
        )


def _limit(usual: int) -> int:
    given = os.environ.get(VARIABLE, "")
    return max(usual, int(given)) if given.isdecimal() else usual
