"""Turn images as specified by their file in tag 274 of TIFF and EXIF."""

from typing import NamedTuple

import numpy as np

from histowidgets.images.readers._pixel_size import CheckedSize


class _Turn(NamedTuple):
    """A transposition, followed by reversing the rows, the columns, or both."""

    transposed: bool
    rows_reversed: bool
    columns_reversed: bool
    words: str


#: How to turn stored pixels, by the value of the tag; 1 means unchanged.
_TURNS = {
    1: _Turn(False, False, False, ""),
    2: _Turn(False, False, True, "mirrored"),
    3: _Turn(False, True, True, "turned by 180°"),
    4: _Turn(False, True, False, "flipped"),
    5: _Turn(True, False, False, "transposed"),
    6: _Turn(True, False, True, "turned by 90° to the right"),
    7: _Turn(True, True, True, "transposed along the other diagonal"),
    8: _Turn(True, True, False, "turned by 90° to the left"),
}


class Orientation:
    """The transform from stored pixels to those of the image.

    Parameters
    ----------
    value : int
        1 to 8; any other value counts as 1, as in other programs.
    """

    def __init__(self, value: object = 1) -> None:
        self.value = value if isinstance(value, int) and value in _TURNS else 1
        self._turn = _TURNS[self.value]

    @property
    def is_swapped(self) -> bool:
        """Whether rows and columns are swapped."""
        return self._turn.transposed

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes on how the image is turned, if it is."""
        return (f"Shown {self._turn.words}, as the file says (orientation {self.value}).",) if self._turn.words else ()

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return the (width, height) of the image, given those of the stored pixels."""
        return (height, width) if self.is_swapped else (width, height)

    def pixel_size(self, stored: CheckedSize) -> CheckedSize:
        """Return the size of a pixel of the image, given that of a stored one."""
        return stored.swapped() if self.is_swapped else stored

    def stored_region(
        self, x: int, y: int, width: int, height: int, stored_width: int, stored_height: int
    ) -> tuple[int, int, int, int]:
        """Return the stored pixels (x, y, width, height) of a region of the image."""
        full_width, full_height = self.size(stored_width, stored_height)
        if self._turn.columns_reversed:
            x = full_width - x - width
        if self._turn.rows_reversed:
            y = full_height - y - height
        return (y, x, height, width) if self.is_swapped else (x, y, width, height)

    def apply(self, pixels: np.ndarray) -> np.ndarray:
        """Turn stored pixels (rows, cols, ...)."""
        if self.value == 1:
            return pixels
        if self.is_swapped:
            pixels = pixels.swapaxes(0, 1)
        if self._turn.rows_reversed:
            pixels = pixels[::-1]
        if self._turn.columns_reversed:
            pixels = pixels[:, ::-1]
        return np.ascontiguousarray(pixels)
