"""Which channels of a project's images are trained on. No torch."""

from collections.abc import Sequence
from dataclasses import replace

from histowidgets.annotations import ProjectSnapshot
from histowidgets.errors import PredictionError, SettingsError, TrainingDataError
from histowidgets.images import Image, select_channels
from histowidgets.prediction import match_channels, names_in_image


def with_channels(snapshot: ProjectSnapshot, channels: Sequence[str]) -> ProjectSnapshot:
    """Return a project whose images all have the same channels in the same order.

    Parameters
    ----------
    snapshot : ProjectSnapshot
    channels : sequence of str
        Which, by name; empty for those of the first annotated image. An image whose channels have other names is then
        left as it is, and its channels are taken by their places.

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
        return snapshot  # names that do not distinguish channels
    images: dict[str, Image] = {}
    for name, image in snapshot.images.items():
        found = image.channel_names
        names = names_in_image(wanted, found)
        if names is not None and (channels or len(found) == len(wanted)):
            images[name] = select_channels(image, names)
        elif channels and name in annotated:
            missing = next((one for one in wanted if one not in found), wanted[0])
            raise SettingsError(
                f"channels names {missing!r}, but {name!r} has the channels {', '.join(found)}. Choose among those, or "
                "name the channels of all images alike with open_image(…, channel_names=[…])."
            )
        else:
            images[name] = image
    return replace(snapshot, images=images)


def places_of(image: Image, channels: Sequence[str]) -> tuple[int, ...] | None:
    """Find channels in a training image as prediction will find them; None for all as they are.

    Raises
    ------
    TrainingDataError
        If they are not there.
    """
    try:
        return match_channels(channels, image.channel_names, image.name)
    except PredictionError as error:
        raise TrainingDataError(
            f"{image.name!r} has the channels {', '.join(image.channel_names)}, but those that are learned from are "
            f"{', '.join(channels)}. Learn from images with the same channels; take the others out, or erase their "
            "annotations."
        ) from error
