"""Images: opening them, reading regions at a downsample, statistics, normalization, display and samples.

Depends only on NumPy, Pillow, tifffile, OpenSlide, zarr and scikit-image, of which the slow ones are loaded when a file
needs them.
"""

from histowidgets.images import samples
from histowidgets.images._cached_reader import CachedReader
from histowidgets.images._deferred import DeferredImage
from histowidgets.images._display import ChannelDisplay, auto_contrast, display_rgb, thumbnail
from histowidgets.images._image import Image, PixelSize, default_channel_names, described_pixel_size
from histowidgets.images._interpolation import Taps, taps_between
from histowidgets.images._no_data import without_data
from histowidgets.images._normalization import STRATEGIES, Normalization
from histowidgets.images._open import open_image, open_images
from histowidgets.images._padding import read_padded
from histowidgets.images._region import Region, scaled_shape
from histowidgets.images._resampled import SAME_PIXEL_SIZE, ResampledImage, at_pixel_size, is_same_pixel_size
from histowidgets.images._selection import ChannelSelection, select_channels
from histowidgets.images._stain import is_brightfield
from histowidgets.images._statistics import ChannelStatistics, ImageStatistics, measure_statistics
from histowidgets.images.readers import ArrayImage, Orientation, orientation_of_picture

__all__ = [
    "SAME_PIXEL_SIZE",
    "STRATEGIES",
    "ArrayImage",
    "CachedReader",
    "ChannelDisplay",
    "ChannelSelection",
    "ChannelStatistics",
    "DeferredImage",
    "Image",
    "ImageStatistics",
    "Normalization",
    "Orientation",
    "PixelSize",
    "Region",
    "ResampledImage",
    "Taps",
    "at_pixel_size",
    "auto_contrast",
    "default_channel_names",
    "described_pixel_size",
    "display_rgb",
    "is_brightfield",
    "is_same_pixel_size",
    "measure_statistics",
    "open_image",
    "open_images",
    "orientation_of_picture",
    "read_padded",
    "samples",
    "scaled_shape",
    "select_channels",
    "taps_between",
    "thumbnail",
    "without_data",
]
