"""Which channels of an image a classifier sees."""

from collections.abc import Sequence

from histowidgets.errors import PredictionError


def match_channels(wanted: Sequence[str], found: Sequence[str], image_name: str) -> tuple[int, ...] | None:
    """Find the channels that a classifier was trained on in an image.

    By name, if the image has all the names; else by position, if their number is right and no name that both know is
    at another position.

    Parameters
    ----------
    wanted : sequence of str
        The classifier's channel names.
    found : sequence of str
        The image's.
    image_name : str
        For the message.

    Returns
    -------
    tuple of int, or None
        Index in the image of each wanted channel; None for all channels as they are.

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
            f"{len(wanted)} ({', '.join(wanted)}). Use an image with these channels, or name them alike with "
            "open_image(…, channel_names=[…])."
        )
    moved = [name for i, name in enumerate(wanted) if name in found and found[i] != name]
    if unique and moved:
        missing = [name for name in wanted if name not in found]
        raise PredictionError(
            f"Image {image_name!r} has the channels {', '.join(found)}; the classifier was trained on "
            f"{', '.join(wanted)}, and {missing[0]!r} is not among them. Name the channels alike with "
            "open_image(…, channel_names=[…])."
        )
    return None
