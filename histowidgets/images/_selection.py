"""Images with a selection of their channels, in a given order."""

from collections.abc import Sequence

import numpy as np

from histowidgets.errors import ImageError
from histowidgets.images._image import Image


class ChannelSelection(Image):
    """An image with only some of its channels, which does not open the file any earlier.

    Parameters
    ----------
    image : Image
    channel_names : sequence of str
        The channels, in order, each once.

    Raises
    ------
    ImageError
        If a channel is missing, occurs twice or is named twice, or no channel is given.
    """

    def __init__(self, image: Image, channel_names: Sequence[str]) -> None:
        names = list(image.channel_names)
        wrong = [name for name in channel_names if names.count(name) != 1]
        if wrong or not channel_names or len(set(channel_names)) < len(channel_names):
            problem = f"does not have exactly one channel {wrong[0]!r}" if wrong else "cannot have these channels"
            raise ImageError(
                f"Image {image.name!r} {problem}: requested were {', '.join(channel_names) or 'none'}, "
                f"each allowed once; it has {', '.join(names)}."
            )
        super().__init__(
            name=image.name,
            width=image.width,
            height=image.height,
            dtype=np.dtype(np.uint8),  # a placeholder, as are the levels; the properties return those of the image
            channel_names=channel_names,
            pixel_size_um=image.pixel_size_yx_um,
            source=image.source,
            opened_with=image.opened_with,
            slide_origin=image.slide_origin,
            bounds_offset=image.bounds_offset,
        )
        self._image = image
        self._places = [names.index(name) for name in channel_names]

    @property
    def dtype(self) -> np.dtype:
        """Type of the pixels."""
        return self._image.dtype

    @property
    def downsamples(self) -> tuple[float, ...]:
        """Downsamples of the stored levels."""
        return self._image.downsamples

    @property
    def channel_colors(self) -> tuple[str, ...] | None:
        """Colour of each channel, or None."""
        colors = self._image.channel_colors
        return None if colors is None else tuple(colors[place] for place in self._places)

    @property
    def notes(self) -> tuple[str, ...]:
        """How the file was read, in sentences."""
        return tuple(self._image.notes)

    @property
    def no_data(self) -> float | None:
        """The value that stands for no data, or None."""
        return self._image.no_data  # type: ignore[no-any-return]

    def read(self, x: int, y: int, width: int, height: int, downsample: float = 1) -> np.ndarray:
        """Read a region as `Image.read` does."""
        return np.ascontiguousarray(self._image.read(x, y, width, height, downsample)[..., self._places])

    def _read_level(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        return np.ascontiguousarray(self._image._read_level(level, x, y, width, height)[..., self._places])


def select_channels(image: Image, channel_names: Sequence[str]) -> Image:
    """Return an image with only these channels, in this order; the image itself if it has exactly those.

    Parameters
    ----------
    image : Image
    channel_names : sequence of str

    Raises
    ------
    ImageError
        If a channel is missing, occurs twice or is named twice, or no channel is given.
    """
    names = tuple(channel_names)
    return image if names == image.channel_names else ChannelSelection(image, names)
