"""Match the channels of an image to those of a classifier."""

from collections.abc import Sequence

from histowidgets.errors import PredictionError


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
    if unique and set(wanted) <= set(found):
        places = tuple(found.index(name) for name in wanted)
        return None if places == tuple(range(len(found))) else places
    if len(found) != len(wanted):
        raise PredictionError(
            f"Image {image_name!r} has {len(found)} channel(s) ({', '.join(found)}); the classifier was trained on "
            f"{len(wanted)} ({', '.join(wanted)}). Use an image with these channels, or give them the same names with "
            "open_image(…, channel_names=[…])."
        )
    moved = [name for i, name in enumerate(wanted) if name in found and found[i] != name]
    if unique and moved:
        missing = [name for name in wanted if name not in found]
        raise PredictionError(
            f"Image {image_name!r} has the channels {', '.join(found)}; the classifier was trained on "
            f"{', '.join(wanted)}, and the image has no {missing[0]!r}. Give the channels the same names with "
            "open_image(…, channel_names=[…])."
        )
    return None
