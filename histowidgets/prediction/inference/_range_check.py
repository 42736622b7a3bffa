"""Whether an image is like those that a classifier was trained on."""

import math
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field

from histowidgets.annotations.shapes import match_class
from histowidgets.errors import PredictionError
from histowidgets.images import (
    ChannelStatistics,
    Image,
    ImageStatistics,
    Normalization,
    default_channel_names,
    measure_statistics,
)
from histowidgets.prediction._spec import ClassifierSpec
from histowidgets.prediction.inference._channels import match_channels, names_in_image
from histowidgets.prediction.inference._job import seen_image

#: An image is unlike those of training where mean or percentiles are this many standard deviations off, or where its
#: standard deviation differs by this factor. No standard deviation counts as less than this share of the mean.
OUTSIDE_SIGMAS, OUTSIDE_SPREAD, LEAST_SIGMA_SHARE = 3.0, 2.0, 0.01

#: Pixels this many times as large as those of training lack detail that the classifier may need.
_COARSE = 2.0

_measured: "weakref.WeakKeyDictionary[Image, ImageStatistics]" = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class RangeWarning:
    """An image that is unlike those of training, or a classifier that cannot tell; it has the fields of advice.

    Attributes
    ----------
    id : {"image-outside-training", "no-training-statistics", "pixel-size-unknown", "pixel-size-coarse", \
"pixel-size-far", "channels-by-place"}
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


def check_image(spec: ClassifierSpec, image: Image, ignore_pixel_size: bool = False) -> list[RangeWarning]:
    """Compare an image with those that a classifier was trained on: its pixel size, and its values; see `check_range`.

    "channels-by-place" where their channels have names that do not agree;
    "pixel-size-unknown" where only one of them knows its pixel size, "pixel-size-coarse" where the image's pixels are
    more than twice as large, "pixel-size-far" where the sizes are too far apart to predict. `ignore_pixel_size` leaves
    these out.

    Raises
    ------
    PredictionError
        If the image's channels do not fit.
    """
    channels = match_channels(spec.channel_names, image.channel_names, image.name)
    warnings = _check_names(spec, image)
    if ignore_pixel_size:
        return [*warnings, *check_range(image, spec.normalization, channels)]
    try:
        seen = seen_image(spec, image)
    except PredictionError as error:
        own, wanted = image.pixel_size_um or 0.0, spec.pixel_size_um or 0.0
        title, _, detail = str(error).partition(". ")
        return [*warnings, _size_warning("pixel-size-far", title, detail, image, own, wanted)]
    return [*warnings, *_check_pixel_size(spec, image), *check_range(seen, spec.normalization, channels)]


def _check_names(spec: ClassifierSpec, image: Image) -> list[RangeWarning]:
    """Say that channels are taken by their places although they have names, which are others."""
    wanted, found = tuple(spec.channel_names), image.channel_names
    unnamed = {default_channel_names(len(found)), default_channel_names(len(found), "uint8")}
    if wanted in unnamed or found in unnamed or names_in_image(wanted, found) is not None:
        return []
    pairs = ", ".join(
        f"{own} for {name}" for own, name in zip(found, wanted, strict=True) if not match_class(own, [name])
    )
    if not pairs:
        return []
    return [
        RangeWarning(
            "channels-by-place",
            f"The channels of image {image.name} have other names than those the classifier was trained on",
            f"They are taken in their order: {pairs}. If that is wrong, name them alike with open_image(…, "
            "channel_names=[…]).",
            image_name=image.name,
        )
    ]


def _check_pixel_size(spec: ClassifierSpec, image: Image) -> list[RangeWarning]:
    own, wanted = image.pixel_size_um, spec.pixel_size_um
    if own is None and wanted is not None:
        return [
            _size_warning(
                "pixel-size-unknown",
                f"The pixel size of image {image.name} is not known",
                f"The classifier was trained at {wanted:.3g} µm per pixel, and takes the image to have the same. If it "
                f"has another, give it: open_image(…, pixel_size_um={wanted:.3g}).",
                image,
                0.0,
                wanted,
            )
        ]
    if own is not None and wanted is None:
        return [
            _size_warning(
                "pixel-size-unknown",
                "This classifier does not know the pixel size of its training images",
                f"It takes image {image.name}, of {own:.3g} µm per pixel, to have the same. Train on images with a "
                "pixel size, and others are resampled to it.",
                image,
                own,
                0.0,
            )
        ]
    if own is not None and wanted is not None and own > _COARSE * wanted:
        return [
            _size_warning(
                "pixel-size-coarse",
                f"Image {image.name} shows less detail than the classifier was trained on",
                f"It has {own:.3g} µm per pixel, the training images {wanted:.3g}: it is enlarged, but what is not in "
                "it cannot be seen. Use a scan of higher resolution, or look closely at the prediction.",
                image,
                own,
                wanted,
            )
        ]
    return []


def _size_warning(id: str, title: str, detail: str, image: Image, own: float, wanted: float) -> RangeWarning:
    evidence = {"image_um": round(own, 4), "classifier_um": round(wanted, 4)}  # 0 where it is not known
    return RangeWarning(id, title, detail, evidence, image_name=image.name)


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
