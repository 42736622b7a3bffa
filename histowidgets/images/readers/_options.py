"""The options of `open_image`, in the form that every reader takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from histowidgets.images._image import PixelSize


@dataclass(frozen=True)
class OpenOptions:
    """The arguments of `open_image` other than the path.

    Attributes
    ----------
    name : str or None
    channel_names : tuple of str or None
    pixel_size_um : float, (height, width) or None
    series : int, str or None
        Image of a file with several: its number from 0, or its name.
    plane : int, (z, t) or None
        Plane of a stack, from 0.
    bounds : bool
        Whether to open only the scanned part of a slide.
    """

    name: str | None = None
    channel_names: Sequence[str] | None = None
    pixel_size_um: PixelSize | None = None
    series: int | str | None = None
    plane: int | tuple[int | None, ...] | None = None
    bounds: bool = True

    def pixel_size_or(self, of_file: PixelSize | None) -> PixelSize | None:
        """Return the given pixel size, else that of the file."""
        return of_file if self.pixel_size_um is None else self.pixel_size_um

    @property
    def given_choices(self) -> dict[str, Any]:
        """The given arguments that choose an image or a plane."""
        return {key: value for key in ("series", "plane") if (value := getattr(self, key)) is not None}


#: Options that take everything from the file.
DEFAULT_OPTIONS = OpenOptions()
