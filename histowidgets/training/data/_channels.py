"""Choose the channels of a project's images to train on. No torch."""

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
        Names of the channels; empty for those of the first annotated image. In that case an image whose channels have
        other names is not changed, and its channels are matched by position.

    Raises
    ------
    SettingsError
        If an annotated image lacks one of the named channels.
    """
    annotated = snapshot.annotated_names()
    if not channels and not annotated:
        return snapshot
    wanted = tuple(channels) or snapshot.images[annotated[0]].channel_names
    if len(set(wanted)) < len(wanted):
        return snapshot  # the names do not distinguish the channels
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
                "give the channels the same names in all images with open_image(…, channel_names=[…])."
            )
        else:
            images[name] = image
    return replace(snapshot, images=images)


def places_of(image: Image, channels: Sequence[str]) -> tuple[int, ...] | None:
    """Find channels in a training image in the same way as prediction; None for all in their order.

    Raises
    ------
    TrainingDataError
        If the image lacks the channels.
    """
    try:
        return match_channels(channels, image.channel_names, image.name)
    except PredictionError as error:
        raise TrainingDataError(
            f"{image.name!r} has the channels {', '.join(image.channel_names)}, but training uses "
            f"{', '.join(channels)}. Train on images with the same channels: remove the others, or erase their "
            "annotations."
        ) from error
