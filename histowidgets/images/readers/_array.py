"""Images held in memory."""

from collections.abc import Sequence

import numpy as np

from histowidgets.images._image import Image, check_finite, default_channel_names
from histowidgets.images.readers._layout import as_kept, channels_last


class ArrayImage(Image):
    """An image whose pixels are in memory; they are copied, so that later changes do not matter.

    Parameters
    ----------
    pixels : ndarray
        (H, W), (H, W, C) or (C, H, W) of uint8, uint16, float32, float64, bool or other whole numbers.
    name : str
    channel_names : sequence of str, optional
    pixel_size_um : float, optional
    source : str, optional
        Absolute path of the file the pixels came from.

    Raises
    ------
    ImageError
        If the pixels are not numbers.
    ImageSizeError
        If the array is too thin, has too many channels or axes, or the number of names does not fit.
    ImageValueError
        If a float array holds NaN or infinity.
    """

    def __init__(
        self,
        pixels: np.ndarray,
        name: str = "image",
        channel_names: Sequence[str] | None = None,
        pixel_size_um: float | None = None,
        source: str | None = None,
    ) -> None:
        view = channels_last(pixels, name, None if channel_names is None else len(channel_names))
        kept = np.array(as_kept(view, name), order="C", copy=True)
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
        )
        self._require_names_for(n_channels)
        if np.issubdtype(kept.dtype, np.floating):
            check_finite(kept, name)
        self._pixels = kept

    def _checked_level(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        return self._read_level(level, x, y, width, height)  # checked once, when it was made

    def _read_level(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        return self._pixels[y : y + height, x : x + width].copy()
