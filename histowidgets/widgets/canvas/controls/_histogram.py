"""Histograms of channels, shown behind the range sliders."""

import math
from dataclasses import dataclass

import numpy as np

from histowidgets.images import Image

#: Number of bins of a histogram.
BINS = 64
#: Longest side, in pixels, of the overview that is measured.
OVERVIEW_SIDE = 512
#: Percentiles of an RGB image that "Auto" shows as black and white.
AUTO_PERCENTILES = (1.0, 99.8)


@dataclass(frozen=True)
class ChannelHistogram:
    """The distribution of a channel's values.

    Attributes
    ----------
    low, high : float
        The range of the histogram, in the image's units.
    heights : tuple of float
        Height of each bin, 0 to 1.
    auto : tuple of float
        The values that "Auto" shows as black and white.
    """

    low: float
    high: float
    heights: tuple[float, ...]
    auto: tuple[float, float]


def channel_histograms(image: Image, joint: bool) -> list[ChannelHistogram]:
    """Return the histogram of each channel of an overview, or a joint histogram of all channels."""
    downsample = max(1, math.ceil(max(image.width, image.height) / OVERVIEW_SIDE))
    pixels = image.read(0, 0, image.width, image.height, downsample)
    planes = [pixels] if joint else [pixels[..., c] for c in range(pixels.shape[-1])]
    return [_histogram(plane) for plane in planes]


def _histogram(values: np.ndarray) -> ChannelHistogram:
    if values.dtype.kind == "f":
        values = values[~np.isnan(values)]  # NaN: no data
        values = values if values.size else np.zeros(1)
    low, high = float(values.min()), float(values.max())
    if values.dtype == np.uint8:
        low, high = 0.0, 255.0
    if high <= low:
        high = low + 1
    counts, _ = np.histogram(values, BINS, (low, high))
    # Square roots, because the background of a fluorescence image would flatten everything else.
    heights = np.sqrt(counts / max(1, counts.max()))
    auto_low, auto_high = np.percentile(values, AUTO_PERCENTILES)
    return ChannelHistogram(low, high, tuple(np.round(heights, 3).tolist()), (float(auto_low), float(auto_high)))
