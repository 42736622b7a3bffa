"""Images that are opened on first use."""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from histowidgets.errors import ImageError, ImageOpenError, ImageSizeError
from histowidgets.images._image import Image, PixelSize
from histowidgets.images._open import open_image


class DeferredImage(Image):
    """An image file of known size that is opened when its pixels or dtype are first needed.

    This way, a project of many slides opens immediately, and a missing file is an error only when its pixels are
    needed. Each use tries again until the file can be opened, so putting it back is enough.

    Parameters
    ----------
    path : Path or address
    name : str
    width, height : int
        The size that the file must have, in pixels.
    channel_names : sequence of str
    pixel_size_um : float or (height, width), optional
    opened_with : mapping, optional
        Which image and plane of the file it is; see `Image.opened_with`.
    advice : str, optional
        What to do if the file cannot be opened; appended to the error message.

    Raises
    ------
    ImageError
        If the size, the channel names or the pixel size are invalid for an image. If the file cannot be opened,
        anything that needs it raises ImageOpenError, or another ImageError that names it.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        name: str,
        width: int,
        height: int,
        channel_names: Sequence[str],
        pixel_size_um: PixelSize | None = None,
        opened_with: Mapping[str, Any] | None = None,
        advice: str = "",
    ) -> None:
        super().__init__(
            name=name,
            width=width,
            height=height,
            dtype=np.dtype(np.uint8),  # a placeholder: `dtype` returns that of the file
            channel_names=channel_names,
            pixel_size_um=pixel_size_um,
            source=str(path),
            opened_with=opened_with,
        )
        self._path = path
        self._advice = advice
        self._lock = threading.Lock()
        self._opened: Image | None = None

    @property
    def dtype(self) -> np.dtype:
        """Type of the pixels."""
        return self._image().dtype

    @property
    def downsamples(self) -> tuple[float, ...]:
        """Downsamples of the stored levels."""
        return self._image().downsamples

    @property
    def channel_colors(self) -> tuple[str, ...] | None:
        """Colour of each channel, or None."""
        return self._image().channel_colors

    @property
    def notes(self) -> tuple[str, ...]:
        """How the file was read, in sentences; none before it is opened."""
        return () if self._opened is None else tuple(self._opened.notes)

    @property
    def slide_origin(self) -> tuple[int, int]:
        """Where the image begins on the slide, (x, y)."""
        return self._image().slide_origin  # type: ignore[no-any-return]

    @property
    def bounds_offset(self) -> tuple[int, int]:
        """Where the scanned part of a slide begins in the image, (x, y)."""
        return self._image().bounds_offset  # type: ignore[no-any-return]

    @property
    def no_data(self) -> float | None:
        """The value that stands for no data, or None."""
        return self._image().no_data  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        if self._opened is not None:
            return repr(self._opened)
        return f"<DeferredImage {self.name!r}: {self.width} x {self.height}, not opened yet>"

    def read(self, x: int, y: int, width: int, height: int, downsample: float = 1) -> np.ndarray:
        """Read a region as `Image.read` does, opening the file if necessary."""
        return self._image().read(x, y, width, height, downsample)

    def _read_level(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        return self._image()._read_level(level, x, y, width, height)

    def _image(self) -> Image:
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _open(self) -> Image:
        try:
            image = self._open_with(self.opened_with)
            if self._is_of_other_size(image) and image.slide_origin != (0, 0):
                # Added before slides were cropped to the scanned part, so its coordinates are of the whole slide.
                image = self._open_with({**self.opened_with, "bounds": False})
        except ImageError as error:
            advice = self._advice_on_channels(error) or self._advice
            raise type(error)(f"The image {self.name!r} cannot be used: {error} {advice}".rstrip()) from error
        if self._is_of_other_size(image):
            raise ImageOpenError(
                f"{self._path} is {image.width} x {image.height} pixels, but was {self.width} x {self.height} before. "
                "Restore the original file."
            )
        return image

    def _open_with(self, chosen: Mapping[str, Any]) -> Image:
        size = self.pixel_size_yx_um
        return open_image(
            self._path, name=self.name, channel_names=self.channel_names, pixel_size_um=size, **dict(chosen)
        )

    def _advice_on_channels(self, error: ImageError) -> str:
        """Return what to do about a file with other channels than before; "" if that is not the error."""
        if not isinstance(error, ImageSizeError):
            return ""
        try:
            found = open_image(self._path, **self.opened_with).channel_names
        except ImageError:
            return ""
        if len(found) == len(self.channel_names):
            return ""
        return (
            f"The file has the channels {', '.join(found)}, but had {', '.join(self.channel_names)} when it was added. "
            "If it was not replaced, an earlier version read it differently. Export the annotations of the image "
            "(export_geojson), remove it from the project, add the file again, and import them (import_geojson)."
        )

    def _is_of_other_size(self, image: Image) -> bool:
        return (image.width, image.height) != (self.width, self.height)
