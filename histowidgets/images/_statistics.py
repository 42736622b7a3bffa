"""Pixel statistics of one or more images, for normalization."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from histowidgets.errors import ImageError
from histowidgets.images._image import Image
from histowidgets.images._region import Region

#: Images up to this many pixels are measured whole; larger ones are sampled in regions.
STATISTICS_PIXELS = 1 << 20

#: Most pixels to measure, in all images together.
STATISTICS_POOL = 1 << 22

#: Side of a sampled region, in full-size pixels.
STATISTICS_SIDE = 256


@dataclass(frozen=True)
class ChannelStatistics:
    """Statistics of one channel, or of all channels together, in the image's units.

    Attributes
    ----------
    p1, p99 : float
        The 1st and the 99th percentile.
    minimum, maximum, mean, std : float
        Extremes, mean and standard deviation of the population (ddof 0).
    """

    p1: float
    p99: float
    minimum: float
    maximum: float
    mean: float
    std: float


@dataclass(frozen=True)
class ImageStatistics:
    """Statistics of each channel, and of all channels jointly.

    Attributes
    ----------
    channels : tuple of ChannelStatistics
    joint : ChannelStatistics
    n_pixels : int
        Number of pixels measured, without those that have no data.
    dtype : str
        Dtype of the images, such as "uint8".
    """

    channels: tuple[ChannelStatistics, ...]
    joint: ChannelStatistics
    n_pixels: int
    dtype: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, for JSON."""
        return {
            "channels": [asdict(c) for c in self.channels],
            "joint": asdict(self.joint),
            "n_pixels": self.n_pixels,
            "dtype": self.dtype,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "ImageStatistics":
        """Make statistics from the result of `to_dict`.

        Raises
        ------
        ImageError
            If a value is missing or is not a number.
        """
        try:
            return cls(
                tuple(_channel_from(c) for c in values["channels"]),
                _channel_from(values["joint"]),
                int(values["n_pixels"]),
                str(values["dtype"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ImageError(f"The image statistics are damaged: {error!r}. Measure them again.") from error


def _channel_from(values: Mapping[str, Any]) -> ChannelStatistics:
    return ChannelStatistics(**{k: float(v) for k, v in values.items()})


def measure_statistics(images: Sequence[Image], seed: int = 0) -> ImageStatistics:
    """Measure the pixels of all the images together.

    An image of up to 2**20 pixels is measured whole. In a larger one, a 256 x 256 region is read at full size at a
    random place in each cell of a 4 x 4 grid. Of all these pixels, at most 2**22 are kept, drawn at random in equal
    shares from each image. The seed determines what is drawn. Values without data (NaN) are ignored.

    Parameters
    ----------
    images : sequence of Image
        At least one image; all must have the same number of channels.
    seed : int, default 0

    Returns
    -------
    ImageStatistics

    Raises
    ------
    ImageError
        If there is no image, the numbers of channels differ, or a channel has no data at all.
    """
    if not images:
        raise ImageError("Statistics need at least one image, but none was given.")
    n_channels = len(images[0].channel_names)
    for image in images:
        if len(image.channel_names) != n_channels:
            raise ImageError(
                f"Image {image.name!r} has {len(image.channel_names)} channel(s), image {images[0].name!r} has "
                f"{n_channels}; images used together must have the same channels."
            )
    rng = np.random.default_rng(seed)
    share = max(1, STATISTICS_POOL // len(images))
    pooled = np.concatenate([sample_pixels(image, share, rng) for image in images])
    if pooled.dtype.kind == "f":
        pooled = pooled[~np.isnan(pooled).all(axis=1)]
    return ImageStatistics(
        tuple(_measure(pooled[:, c], images[0].channel_names[c]) for c in range(n_channels)),
        _measure(pooled.ravel(), "all channels"),
        len(pooled),
        str(np.result_type(*[image.dtype for image in images])),
    )


def sample_pixels(image: Image, most: int, rng: np.random.Generator) -> np.ndarray:
    """Return at most `most` pixels of an image as (n, channels)."""
    parts = [image.read(*region) for region in sample_regions(image, rng)]
    pixels = np.concatenate([p.reshape(-1, p.shape[-1]) for p in parts])
    if len(pixels) > most:
        pixels = pixels[rng.choice(len(pixels), most, replace=False)]
    return pixels


def sample_regions(image: Image, rng: np.random.Generator) -> list[Region]:
    """Choose the full-size regions to measure: all of a small image, 16 regions of a large one."""
    if image.width * image.height <= STATISTICS_PIXELS:
        return [image.region]
    width, height = min(STATISTICS_SIDE, image.width), min(STATISTICS_SIDE, image.height)
    regions = []
    for j in range(4):
        for i in range(4):
            # Anywhere in the cell where the region still fits in the image.
            x = int((i + rng.random()) * (image.width - width) / 4)
            y = int((j + rng.random()) * (image.height - height) / 4)
            regions.append(Region(x, y, width, height))
    return regions


def _measure(values: np.ndarray, what: str) -> ChannelStatistics:
    if values.dtype.kind == "f":
        values = values[~np.isnan(values)]
    if not values.size:
        raise ImageError(f"There is no data in {what}: every measured value is NaN. Leave the channel out.")
    p1, p99 = np.percentile(values, [1, 99])
    return ChannelStatistics(
        float(p1),
        float(p99),
        float(values.min()),
        float(values.max()),
        float(values.mean(dtype=np.float64)),
        float(values.std(dtype=np.float64)),
    )
