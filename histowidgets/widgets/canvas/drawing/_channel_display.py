"""The display of an image's channels: the default, and validation of given displays."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from histowidgets.errors import ImageError
from histowidgets.images import ChannelDisplay, Image, auto_contrast

#: The default display of 8-bit RGB, which leaves pixels as they are.
RGB_DISPLAY = tuple(ChannelDisplay(color, 0.0, 255.0) for color in ("#FF0000", "#00FF00", "#0000FF"))


def is_rgb(image: Image) -> bool:
    """Return whether an image is 8-bit red, green and blue."""
    colors = tuple(channel.color for channel in RGB_DISPLAY)
    return image.dtype == np.uint8 and len(image.channel_names) == 3 and image.channel_colors in (None, colors)


def default_display(image: Image) -> tuple[ChannelDisplay, ...]:
    """Return the default display of an image: 8-bit RGB unchanged, other images by the range of their pixels."""
    return RGB_DISPLAY if is_rgb(image) else auto_contrast(image)


def checked_display(displays: Sequence[ChannelDisplay], channels: Sequence[str]) -> tuple[ChannelDisplay, ...]:
    """Return validated displays, one per channel, with upper-case colours.

    Raises
    ------
    ImageError
        If there is not one display per channel.
    """
    if len(displays) != len(channels):
        raise ImageError(
            f"Got displays of {len(displays)} channel(s); the image has {len(channels)} ({', '.join(channels)})."
        )
    for one, channel in zip(displays, channels, strict=True):
        if not isinstance(one, ChannelDisplay):
            raise ImageError(f"Channel {channel} got a {type(one).__name__} instead of a ChannelDisplay.")
    return tuple(dataclasses.replace(one, color=one.color.upper()) for one in displays)
