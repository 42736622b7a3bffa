"""What `open_image` was asked for, as every reader takes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from histowidgets.images._image import PixelSize


@dataclass(frozen=True)
class OpenOptions:
    """What a person gives beside the path; see `open_image`.

    Attributes
    ----------
    name : str or None
    channel_names : tuple of str or None
    pixel_size_um : float, (height, width) or None
    series : int, str or None
        Which image of a file that holds several: its number from 0, or its name.
    plane : int, (z, t) or None
        Which plane of a stack, from 0.
    bounds : bool
        Of a slide, only the part that was scanned.
    """

    name: str | None = None
    channel_names: Sequence[str] | None = None
    pixel_size_um: PixelSize | None = None
    series: int | str | None = None
    plane: int | tuple[int | None, ...] | None = None
    bounds: bool = True

    def pixel_size_or(self, of_file: PixelSize | None) -> PixelSize | None:
        """Return the pixel size that was given, else that of the file."""
        return of_file if self.pixel_size_um is None else self.pixel_size_um

    @property
    def given_choices(self) -> dict[str, Any]:
        """The arguments that choose an image or a plane, as far as they were given."""
        return {key: value for key in ("series", "plane") if (value := getattr(self, key)) is not None}


#: Everything as the file says.
DEFAULT_OPTIONS = OpenOptions()
