"""Whether an image is like those that a classifier was trained on."""

import math
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field

from histowidgets.images import ChannelStatistics, Image, ImageStatistics, Normalization, measure_statistics
from histowidgets.prediction._spec import ClassifierSpec
from histowidgets.prediction.inference._channels import match_channels

#: An image is unlike those of training where mean or percentiles are this many standard deviations off, or where its
#: standard deviation differs by this factor. No standard deviation counts as less than this share of the mean.
OUTSIDE_SIGMAS, OUTSIDE_SPREAD, LEAST_SIGMA_SHARE = 3.0, 2.0, 0.01

_measured: "weakref.WeakKeyDictionary[Image, ImageStatistics]" = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class RangeWarning:
    """An image that is unlike those of training, or a classifier that cannot tell; it has the fields of advice.

    Attributes
    ----------
    id : {"image-outside-training", "no-training-statistics"}
    title, detail : str
        In plain words, and what to do.
    evidence : dict
        Numbers, by name.
    severity : {"warning"}
    image_name : str or None
    about : dict
        What is not a number, by name: the ``channel`` that is furthest off.
    """

    id: str
    title: str
    detail: str
    evidence: dict[str, float | int] = field(default_factory=dict)
    severity: str = "warning"
    image_name: str | None = None
    about: dict[str, str] = field(default_factory=dict)


def check_image(spec: ClassifierSpec, image: Image) -> list[RangeWarning]:
    """Compare an image with those that a classifier was trained on; see `check_range`.

    Raises
    ------
    PredictionError
        If the image's channels do not fit.
    """
    channels = match_channels(spec.channel_names, image.channel_names, image.name)
    return check_range(image, spec.normalization, channels)


def check_range(
    image: Image,
    normalization: Normalization,
    channels: Sequence[int] | None = None,
) -> list[RangeWarning]:
    """Compare an image with the statistics that a classifier was trained with.

    Parameters
    ----------
    image : Image
        Is measured once; see `measure_statistics`.
    normalization : Normalization
        Of the classifier.
    channels : sequence of int, optional
        Which channels of the image the classifier is given, in its order; all as they are if not given.

    Returns
    -------
    list of RangeWarning
        Empty where the image is like those. "image-outside-training" names the channel that is furthest off, where
        mean or percentiles are 3 standard deviations off, or the standard deviation differs by a factor of 2;
        "no-training-statistics" where there is nothing to compare with.
    """
    known = normalization.statistics
    if known is None:
        return [] if normalization.strategy == "fixed_range" else [_NO_STATISTICS]
    here = _statistics(image)
    order = range(len(here.channels)) if channels is None else channels
    mine = [(here.channels[i], image.channel_names[i]) for i in order]
    if len(mine) != len(known.channels):
        return []
    (over, sigmas, factor), channel = max(
        (_distance(one, theirs), name) for (one, name), theirs in zip(mine, known.channels, strict=True)
    )
    if over < 1:
        return []
    return [
        RangeWarning(
            "image-outside-training",
            f"Image {image.name} differs from those the classifier was trained on",
            f"Channel {channel} is brighter, darker, or of another contrast. Look closely at the prediction, "
            "and annotate some of this image to train on.",
            {
                "sigmas": round(sigmas, 2),
                "limit_sigmas": OUTSIDE_SIGMAS,
                "spread_factor": round(factor, 2),
                "limit_factor": OUTSIDE_SPREAD,
            },
            image_name=image.name,
            about={"channel": channel},
        )
    ]


_NO_STATISTICS = RangeWarning(
    "no-training-statistics",
    "This classifier does not know which images it was trained on",
    "Its predictions depend on how this image is normalized. Train it again to keep the statistics.",
    {"statistics": 0},
)


def _statistics(image: Image) -> ImageStatistics:
    found = _measured.get(image)
    if found is None:
        found = _measured[image] = measure_statistics([image])
    return found


def _distance(mine: ChannelStatistics, theirs: ChannelStatistics) -> tuple[float, float, float]:
    """Return how far a channel is over its limits (1 = at a limit), its distance in sigmas, and the spread's factor."""
    sigma = max(theirs.std, LEAST_SIGMA_SHARE * abs(theirs.mean), 1e-12)
    sigmas = max(abs(getattr(mine, n) - getattr(theirs, n)) for n in ("mean", "p1", "p99")) / sigma
    ratio = max(mine.std, 1e-12) / max(theirs.std, 1e-12)
    factor = max(ratio, 1 / ratio)
    over = max(sigmas / OUTSIDE_SIGMAS, factor / OUTSIDE_SPREAD)
    return (over if math.isfinite(over) else math.inf), sigmas, factor
