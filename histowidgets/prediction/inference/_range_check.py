"""Check whether an image is like those that a classifier was trained on."""

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

#: An image is unlike the training images if its mean or percentiles are off by this many standard deviations, or if its
#: standard deviation differs by this factor. A standard deviation counts as at least this share of the mean.
OUTSIDE_SIGMAS, OUTSIDE_SPREAD, LEAST_SIGMA_SHARE = 3.0, 2.0, 0.01

#: Pixels that are larger than in training by this factor lack detail that the classifier may need.
_COARSE = 2.0

_measured: "weakref.WeakKeyDictionary[Image, ImageStatistics]" = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class RangeWarning:
    """A warning that an image is unlike the training images, or cannot be compared; has the fields of `Advice`.

    Attributes
    ----------
    id : {"image-outside-training", "no-training-statistics", "pixel-size-unknown", "pixel-size-coarse", \
"pixel-size-far", "channels-by-place"}
    title, detail : str
        The finding in plain words, and what to do.
    evidence : dict
        Numbers, by name.
    severity : {"warning"}
    image_name : str or None
    about : dict
        Other than numbers, by name: the ``channel`` that is furthest off.
    """

    id: str
    title: str
    detail: str
    evidence: dict[str, float | int] = field(default_factory=dict)
    severity: str = "warning"
    image_name: str | None = None
    about: dict[str, str] = field(default_factory=dict)


def check_image(spec: ClassifierSpec, image: Image, ignore_pixel_size: bool = False) -> list[RangeWarning]:
    """Compare the pixel size and the values of an image with those of training; see `check_range`.

    "channels-by-place" if the channel names of the image and the classifier disagree, "pixel-size-unknown" if the pixel
    size is known only of the image or only of the classifier, "pixel-size-coarse" if the image's pixels are more than
    twice as large, "pixel-size-far" if the sizes are too far apart to predict. `ignore_pixel_size` leaves the last
    three out.

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
                f"The classifier was trained at {wanted:.3g} µm per pixel, and assumes the same for the image. If its "
                f"pixel size is known, give it: open_image(…, pixel_size_um={wanted:.3g}).",
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
                f"It assumes that of image {image.name}, {own:.3g} µm. If you train on images with a known pixel size, "
                "other images are resampled to it.",
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
                f"It has {own:.3g} µm per pixel, the training images {wanted:.3g}. It is enlarged, but the missing "
                "detail is not recovered. Use a scan of higher resolution, or check the prediction closely.",
                image,
                own,
                wanted,
            )
        ]
    return []


def _size_warning(id: str, title: str, detail: str, image: Image, own: float, wanted: float) -> RangeWarning:
    evidence = {"image_um": round(own, 4), "classifier_um": round(wanted, 4)}  # 0 if unknown
    return RangeWarning(id, title, detail, evidence, image_name=image.name)


def check_range(
    image: Image,
    normalization: Normalization,
    channels: Sequence[int] | None = None,
) -> list[RangeWarning]:
    """Compare an image with the statistics of a classifier's training images.

    Parameters
    ----------
    image : Image
        Its statistics are measured only once; see `measure_statistics`.
    normalization : Normalization
        That of the classifier.
    channels : sequence of int, optional
        The channels of the image that the classifier uses, in its order; by default all.

    Returns
    -------
    list of RangeWarning
        Empty if the image is like the training images. "image-outside-training", which names the channel that is
        furthest off, if its mean or percentiles are off by 3 standard deviations, or its standard deviation differs by
        a factor of 2; "no-training-statistics" if there is nothing to compare with.
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
            f"Channel {channel} is brighter, darker, or has another contrast. Check the prediction closely, and "
            "annotate part of this image for training.",
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
    "This classifier has no statistics of its training images",
    "Its predictions depend on how this image is normalized. Train again to store the statistics.",
    {"statistics": 0},
)


def _statistics(image: Image) -> ImageStatistics:
    found = _measured.get(image)
    if found is None:
        found = _measured[image] = measure_statistics([image])
    return found


def _distance(mine: ChannelStatistics, theirs: ChannelStatistics) -> tuple[float, float, float]:
    """Return how far a channel exceeds its limits (1: at a limit), its distance in sigmas, and its spread factor."""
    sigma = max(theirs.std, LEAST_SIGMA_SHARE * abs(theirs.mean), 1e-12)
    sigmas = max(abs(getattr(mine, n) - getattr(theirs, n)) for n in ("mean", "p1", "p99")) / sigma
    ratio = max(mine.std, 1e-12) / max(theirs.std, 1e-12)
    factor = max(ratio, 1 / ratio)
    over = max(sigmas / OUTSIDE_SIGMAS, factor / OUTSIDE_SPREAD)
    return (over if math.isfinite(over) else math.inf), sigmas, factor
