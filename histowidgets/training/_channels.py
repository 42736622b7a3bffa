"""Which channels of the images of a project are trained on (row N8). No torch."""

from collections.abc import Sequence
from dataclasses import replace

from histowidgets.annotations import ProjectSnapshot
from histowidgets.errors import SettingsError
from histowidgets.images import Image, select_channels


def with_channels(snapshot: ProjectSnapshot, channels: Sequence[str]) -> ProjectSnapshot:
    """Return a project whose images all have the same channels in the same order.

    Parameters
    ----------
    snapshot : ProjectSnapshot
    channels : sequence of str
        Which, by name; empty: those of the first annotated image. Then an image that names its channels otherwise is
        left as it is, and goes by their places.

    Raises
    ------
    SettingsError
        If an annotated image lacks one of the channels that are named.
    """
    annotated = snapshot.annotated_names()
    if not channels and not annotated:
        return snapshot
    wanted = tuple(channels) or snapshot.images[annotated[0]].channel_names
    if len(set(wanted)) < len(wanted):
        return snapshot  # names that do not tell channels apart
    images: dict[str, Image] = {}
    for name, image in snapshot.images.items():
        found = image.channel_names
        if set(wanted) <= set(found) and len(set(found)) == len(found) and (channels or len(found) == len(wanted)):
            images[name] = select_channels(image, wanted)
        elif channels and name in annotated:
            missing = next((one for one in wanted if one not in found), wanted[0])
            raise SettingsError(
                f"channels names {missing!r}, but {name!r} has the channels {', '.join(found)}. Choose among those, or "
                "name the channels of all images alike with open_image(…, channel_names=[…])."
            )
        else:
            images[name] = image
    return replace(snapshot, images=images)
