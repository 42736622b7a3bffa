"""Images held in memory."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from histowidgets.errors import ImageValueError
from histowidgets.images._image import Image, PixelSize, check_finite, default_channel_names, with_no_data
from histowidgets.images.readers._layout import as_kept, channels_last
from histowidgets.images.readers._no_data import find_no_data, no_data_notes


class ArrayImage(Image):
    """An image in memory, whose pixels are copied so that later changes have no effect.

    Parameters
    ----------
    pixels : ndarray
        (H, W), (H, W, C) or (C, H, W) of uint8, uint16, float32, float64, bool or other integers.
    name : str
    channel_names : sequence of str, optional
    pixel_size_um : float or (height, width), optional
    source : str, optional
        Absolute path of the file the pixels came from.
    channel_colors, notes, opened_with
        See `Image`.
    has_channels_last : bool, default False
        Whether the last axis is the channels, however short the first one is.
    no_data : float, optional
        The value that stands for no data; if not given, -9999 is recognized.

    Raises
    ------
    ImageError
        If the pixels are not numbers.
    ImageSizeError
        If the array is too thin, has too many channels or axes, or the number of names does not match.
    ImageValueError
        If a float array has infinite values, or only NaN.
    """

    def __init__(
        self,
        pixels: np.ndarray,
        name: str = "image",
        channel_names: Sequence[str] | None = None,
        pixel_size_um: PixelSize | None = None,
        source: str | None = None,
        *,
        channel_colors: Sequence[str] | None = None,
        notes: Sequence[str] = (),
        opened_with: Mapping[str, Any] | None = None,
        no_data: float | None = None,
        has_channels_last: bool = False,
    ) -> None:
        n_named = None if channel_names is None else len(channel_names)
        view = pixels if has_channels_last else channels_last(pixels, name, n_named)
        kept = np.array(as_kept(view, name), order="C", copy=True)
        if np.issubdtype(kept.dtype, np.floating):
            check_finite(kept, name)
            value = find_no_data(view, view.dtype, no_data)
            notes = (*notes, *no_data_notes(kept, value, is_sample=False))
            kept = with_no_data(kept, value)
            if kept.size and np.isnan(kept).all():
                raise ImageValueError(
                    f"Image {name!r} has no data at all: every value is NaN or {value}. Export it again."
                )
        kept.setflags(write=False)
        n_channels = kept.shape[2]
        super().__init__(
            name=name,
            width=kept.shape[1],
            height=kept.shape[0],
            dtype=kept.dtype,
            channel_names=default_channel_names(n_channels, kept.dtype) if channel_names is None else channel_names,
            pixel_size_um=pixel_size_um,
            source=source,
            channel_colors=channel_colors,
            notes=notes,
            opened_with=opened_with,
        )
        self._require_names_for(n_channels)
        self._pixels = kept

    @classmethod
    def of(cls, image: Image) -> "ArrayImage":
        """Read a whole image into memory."""
        return cls(
            image._read_level(0, 0, 0, image.width, image.height),
            image.name,
            image.channel_names,
            image.pixel_size_yx_um,
            image.source,
            channel_colors=image.channel_colors,
            notes=image.notes,
            opened_with=image.opened_with,
            no_data=image.no_data,
            has_channels_last=True,
        )

    def _checked_level(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        return self._read_level(level, x, y, width, height)  # values were checked once on creation

    def _read_level(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        return self._pixels[y : y + height, x : x + width].copy()
