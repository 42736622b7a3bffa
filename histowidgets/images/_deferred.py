"""Images that are opened when they are first used."""

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from histowidgets.errors import ImageError, ImageOpenError
from histowidgets.images._image import Image
from histowidgets.images._open import open_image


class DeferredImage(Image):
    """An image file whose size is known, and which is opened when its pixels or their dtype are first asked for.

    So a project of many slides opens at once, and a missing file is an error only where its pixels are needed. Each use
    tries again until the file can be opened, so putting it back is enough.

    Parameters
    ----------
    path : Path
    name : str
    width, height : int
        What the file must turn out to have, in pixels.
    channel_names : sequence of str
    pixel_size_um : float, optional
    advice : str, optional
        What to do if the file cannot be opened; the end of the message.

    Raises
    ------
    ImageError
        If the size, the channel names or the pixel size cannot be those of an image. Anything that needs the file
        raises ImageOpenError, or another ImageError that names it, if it cannot be opened.
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        width: int,
        height: int,
        channel_names: Sequence[str],
        pixel_size_um: float | None = None,
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

    def __repr__(self) -> str:
        if self._opened is not None:
            return repr(self._opened)
        return f"<DeferredImage {self.name!r}: {self.width} x {self.height}, not opened yet>"

    def read(self, x: int, y: int, width: int, height: int, downsample: float = 1) -> np.ndarray:
        """Read a region as `Image.read` does, after opening the file if need be."""
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
            image = open_image(
                self._path, name=self.name, channel_names=self.channel_names, pixel_size_um=self.pixel_size_um
            )
        except ImageError as error:
            raise type(error)(f"The image {self.name!r} cannot be used: {error} {self._advice}".rstrip()) from error
        if (image.width, image.height) != (self.width, self.height):
            raise ImageOpenError(
                f"{self._path} is {image.width} x {image.height} pixels, but was {self.width} x {self.height} before. "
                "Put the same file back."
            )
        return image
