"""Convert images to pictures for the screen. Never used in training or prediction."""

import math
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from histowidgets._checks import is_within
from histowidgets._colors import hex_to_rgb
from histowidgets.errors import ImageError
from histowidgets.images._image import Image

#: Percentiles that become black and full colour by default, so that a few outliers do not darken the rest.
LOW_PERCENTILE, HIGH_PERCENTILE = 1.0, 99.8
#: Longest side, in pixels, of the overview on which an image's contrast is measured.
CONTRAST_SIDE = 512
#: Colours of channels other than red, green and blue; colour-blind people can distinguish magenta from green.
CHANNEL_COLORS = ("#FF00FF", "#00FF00", "#00FFFF", "#FFFF00", "#FF0000", "#0000FF", "#FFFFFF")
_RGB = ("#FF0000", "#00FF00", "#0000FF")


@dataclass(frozen=True)
class ChannelDisplay:
    """The display settings of a channel.

    Attributes
    ----------
    color : str
        "#RRGGBB" of a pixel at `high`.
    low, high : float
        Range in the image's units: up to `low` the channel adds nothing, from `high` on its full colour.
    visible : bool
    gamma : float
        Above 1, values in between become lighter, below 1 darker; `low` and `high` are unchanged.

    Raises
    ------
    ImageError
        If the colour is not ``#RRGGBB``, `low` and `high` are not finite numbers in this order, or `gamma` is not above
        0.
    """

    color: str
    low: float
    high: float
    visible: bool = True
    gamma: float = 1.0

    def __post_init__(self) -> None:
        if not (isinstance(self.color, str) and re.fullmatch(r"#[0-9A-Fa-f]{6}", self.color)):
            raise ImageError(f"The colour of a channel is {self.color!r:.80}; write it as #RRGGBB, such as #00FF00.")
        if not (_is_finite(self.low) and _is_finite(self.high) and self.low <= self.high):
            raise ImageError(
                f"The range of a channel is {self.low!r:.40} to {self.high!r:.40}; give two finite numbers, the lower "
                "one first."
            )
        if not (_is_finite(self.gamma) and self.gamma > 0):
            raise ImageError(f"The gamma of a channel is {self.gamma!r:.40}; give a number above 0, such as 1.")


def _is_finite(value: object) -> bool:
    return is_within(value, -sys.float_info.max, sys.float_info.max)


def auto_contrast(image_or_pixels: "Image | np.ndarray") -> tuple[ChannelDisplay, ...]:
    """Choose how each channel is shown: the 1st percentile is black, the 99.8th full colour.

    Parameters
    ----------
    image_or_pixels : Image or ndarray of (rows, cols, channels)
        For an image, an overview of at most 512 x 512 pixels is measured. 8-bit RGB is shown unchanged.

    Returns
    -------
    tuple of ChannelDisplay
        One per channel, in the colours of the file if it has any; channels beyond the seventh are off.
    """
    if isinstance(image_or_pixels, Image):
        return _contrast_of(_overview(image_or_pixels, CONTRAST_SIDE), image_or_pixels.channel_colors)
    return _contrast_of(image_or_pixels, None)


def _contrast_of(pixels: np.ndarray, given: tuple[str, ...] | None) -> tuple[ChannelDisplay, ...]:
    """Choose the display of each channel of (rows, cols, channels), in the given colours if any."""
    n_channels = pixels.shape[-1]
    if n_channels == 3 and pixels.dtype == np.uint8 and given in (None, _RGB):
        return tuple(ChannelDisplay(color, 0.0, 255.0) for color in _RGB)
    colors = given or {1: ("#FFFFFF",), 3: _RGB}.get(n_channels, CHANNEL_COLORS)
    shown = []
    for c in range(n_channels):
        values = pixels[..., c]
        if values.dtype.kind == "f":
            values = values[~np.isnan(values)]
        low, high = np.percentile(values, [LOW_PERCENTILE, HIGH_PERCENTILE]) if values.size else (0.0, 1.0)
        shown.append(ChannelDisplay(colors[c % len(colors)], float(low), float(high), c < len(CHANNEL_COLORS)))
    return tuple(shown)


def display_rgb(pixels: np.ndarray, contrast: Sequence[ChannelDisplay] | None = None) -> np.ndarray:
    """Convert pixels of any kind to an 8-bit RGB picture.

    Parameters
    ----------
    pixels : ndarray of (rows, cols, channels)
    contrast : sequence of ChannelDisplay, optional
        One per channel. By default, 8-bit RGB is returned unchanged, and other pixels get their own `auto_contrast`.
        To make several regions comparable, pass the contrast of the whole image.

    Returns
    -------
    ndarray of (rows, cols, 3), uint8
        The sum of the visible channels' colours.

    Raises
    ------
    ImageError
        If the contrast and the pixels differ in their number of channels.
    """
    if contrast is None:
        if pixels.dtype == np.uint8 and pixels.shape[-1] == 3:
            return pixels
        contrast = auto_contrast(pixels)
    if len(contrast) != pixels.shape[-1]:
        raise ImageError(f"The contrast is for {len(contrast)} channel(s), but the pixels have {pixels.shape[-1]}.")
    total = np.zeros((*pixels.shape[:2], 3), np.float32)
    for c, channel in enumerate(contrast):
        if not channel.visible:
            continue
        span = channel.high - channel.low
        plane = pixels[..., c].astype(np.float32)
        # A constant channel has no range: show values above it.
        share = np.clip((plane - channel.low) / span, 0, 1) if span > 0 else (plane > channel.high) * 1.0
        if pixels.dtype.kind == "f":
            share = np.nan_to_num(share, nan=0.0)  # black where there is no data
        if channel.gamma != 1:
            share = share ** np.float32(1 / channel.gamma)
        for i, amount in enumerate(hex_to_rgb(channel.color)):
            if amount:
                total[..., i] += share * np.float32(amount)
    return np.rint(np.minimum(total, 255)).astype(np.uint8)


def thumbnail(image: Image, max_side: int = 512) -> np.ndarray:
    """Return a small picture of a whole image.

    Parameters
    ----------
    image : Image
    max_side : int, default 512
        Longest side of the picture, in pixels.

    Returns
    -------
    ndarray of (rows, cols, 3), uint8
    """
    pixels = _overview(image, max_side)
    return display_rgb(pixels, _contrast_of(pixels, image.channel_colors))


def _overview(image: Image, max_side: int) -> np.ndarray:
    downsample = max(1, math.ceil(max(image.width, image.height) / max_side))
    return image.read(0, 0, image.width, image.height, downsample)
