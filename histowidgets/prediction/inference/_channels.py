"""Match the channels of an image to those of a classifier."""

from collections.abc import Sequence

from histowidgets.annotations.shapes import match_class
from histowidgets.errors import PredictionError


def names_in_image(wanted: Sequence[str], found: Sequence[str]) -> tuple[str, ...] | None:
    """Return how an image names the channels that are wanted, in their order; None unless it has each of them once.

    Names that differ in nothing but capitals, blanks and Unicode's way to write a letter are of the same channel.
    """
    if len(set(wanted)) < len(wanted) or len(set(found)) < len(found):
        return None
    names = [match_class(name, found) for name in wanted]
    matched = tuple(name for name in names if name is not None)
    return matched if len(set(matched)) == len(wanted) else None


def match_channels(wanted: Sequence[str], found: Sequence[str], image_name: str) -> tuple[int, ...] | None:
    """Find a classifier's channels in an image.

    They are matched by name if the image has all the names; otherwise by position, if the number of channels is the
    same and no common name is at different positions.

    Parameters
    ----------
    wanted : sequence of str
        The classifier's channel names.
    found : sequence of str
        The image's.
    image_name : str
        For the error message.

    Returns
    -------
    tuple of int, or None
        Index in the image of each of the classifier's channels; None for all channels in their order.

    Raises
    ------
    PredictionError
        If the channels do not fit.
    """
    unique = len(set(wanted)) == len(wanted) and len(set(found)) == len(found)
    names = names_in_image(wanted, found)
    if names is not None:
        places = tuple(found.index(name) for name in names)
        return None if places == tuple(range(len(found))) else places
    if len(found) != len(wanted):
        raise PredictionError(
            f"Image {image_name!r} has {len(found)} channel(s) ({', '.join(found)}); the classifier was trained on "
            f"{len(wanted)} ({', '.join(wanted)}). Use an image with these channels, or give them the same names with "
            "open_image(…, channel_names=[…])."
        )
    known = [match_class(name, found) for name in wanted]
    moved = [name for name, other in zip(known, found, strict=True) if name not in (None, other)]
    if unique and moved:
        missing = [name for name, other in zip(wanted, known, strict=True) if other is None] or list(wanted)
        raise PredictionError(
            f"Image {image_name!r} has the channels {', '.join(found)}; the classifier was trained on "
            f"{', '.join(wanted)}, and the image has no {missing[0]!r}. Give the channels the same names with "
            "open_image(…, channel_names=[…])."
        )
    return None
