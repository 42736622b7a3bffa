"""Refuse images whose files claim an impossible size, before memory is allocated for them."""

import os

from histowidgets.errors import ImageSizeError

#: Most pixels that an image may claim, 500,000 x 500,000: the largest slides have a quarter of that.
MOST_PIXELS = 250_000_000_000

#: Most bytes that a decoded tile, strip or chunk may take.
MOST_PART_BYTES = 2 << 30

#: Environment variable that raises both limits, for the pixels of an image and the bytes of a part.
VARIABLE = "HISTOWIDGETS_MOST_PIXELS"


def require_possible_size(name: str, width: int, height: int) -> None:
    """Raise ImageSizeError for an image with more than `MOST_PIXELS` pixels."""
    most = _limit(MOST_PIXELS)
    if width * height > most:
        raise ImageSizeError(
            f"Image {name!r} claims {width} x {height} pixels; at most {most:,} are accepted. If that is correct, set "
            f"the environment variable {VARIABLE} to a larger number; otherwise the file is damaged or malicious."
        )


def require_possible_part(name: str, width: int, height: int, n_bytes: int) -> None:
    """Raise ImageSizeError for an image with tiles, strips or chunks of more than `MOST_PART_BYTES`."""
    most = _limit(MOST_PART_BYTES)
    if n_bytes > most:
        raise ImageSizeError(
            f"Image {name!r} is stored in parts of {width} x {height} pixels, each {n_bytes:,} bytes; at most {most:,} "
            f"are read at once. Convert it to tiles of 512 x 512, or set {VARIABLE} to a larger "
            "number."
        )


def _limit(usual: int) -> int:
    given = os.environ.get(VARIABLE, "")
    return max(usual, int(given)) if given.isdecimal() else usual
