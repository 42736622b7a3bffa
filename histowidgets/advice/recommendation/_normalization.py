"""Advice on normalization: which one suits an image, and whether a classifier knows images like this one."""

import math
from typing import Any

import numpy as np

from histowidgets.advice._advice import Action, Advice, with_actions
from histowidgets.advice.recommendation._image_type import ImageType, guess_image_type, overview
from histowidgets.images import Image

#: There are outliers when the range of all values is this many times that from the 1st to the 99th percentile.
OUTLIER_RANGE = 1.5
#: Up to this many times, no outlier takes a part of the range.
NO_OUTLIER_RANGE = 1.1
#: An image is saturated when this share of its pixels lies at the top of the range.
SATURATED_SHARE = 0.005

_TOPS = (255, 1023, 4095, 16383, 65535)


def suggest_normalization(image: Image, image_type: ImageType | None = None, settings: Any = None) -> Advice:
    """Suggest how to normalize, with the reason.

    Parameters
    ----------
    image : Image
    image_type : {"he", "brightfield", "fluorescence"}, optional
        Told from the pixels by default.
    settings : TrainingSettings, optional
        Where they say the same already, no change is offered.

    Returns
    -------
    Advice
        Its `patch` sets ``normalization`` and the fields that belong to it.
    """
    kind = image_type or guess_image_type(image).type
    pixels = overview(image).astype(np.float64)
    pixels = pixels[~np.isnan(pixels)]  # NaN: no data
    p1, p99 = np.percentile(pixels, [1, 99])
    low, high = float(pixels.min()), float(pixels.max())
    top = next((v for v in _TOPS if high <= v), None) if np.issubdtype(image.dtype, np.integer) else None
    saturated = float(np.mean(pixels >= top)) if top else 0.0
    spread = (high - low) / (p99 - p1) if p99 > p1 else math.inf
    strategy, reason = _choose(kind, image, low, high, float(p99 - p1), spread, saturated)
    patch: dict[str, Any] = {"normalization": strategy, "normalization_per_channel": len(image.channel_names) > 3}
    if strategy == "fixed_range":
        patch |= {"normalization_low": 0.0, "normalization_high": float(top or 1)}
    changes = {name: value for name, value in patch.items() if not _already(image, settings, name, value)}
    evidence: dict[str, float | int] = {"minimum": low, "p1": float(p1), "p99": float(p99), "maximum": high}
    if saturated:
        evidence["saturated_percent"] = round(100 * saturated, 2)
    return Advice(
        id="normalization",
        title=f"Normalization: {strategy}",
        detail=reason,
        evidence=evidence,
        about={"dtype": str(image.dtype), "image_type": kind},
        **with_actions([Action(f"Use {strategy}", patch) if changes else None]),
    )


def check_image(image: Image, classifier: Any) -> list[Advice]:
    """Say whether a classifier knows images like this one.

    Parameters
    ----------
    image : Image
    classifier : Classifier
        It carries the statistics of the images that it was trained on, and finds their channels by name.

    Returns
    -------
    list of Advice
        Empty where the image is like those. "image-outside-training" where mean or percentiles of a channel are 3
        standard deviations off, or its standard deviation differs by a factor of 2; "no-training-statistics" where
        the classifier has none.

    Raises
    ------
    PredictionError
        If the image's channels do not fit.
    """
    return [
        Advice(
            id=found.id,
            title=found.title,
            detail=found.detail,
            evidence=found.evidence,
            about=found.about,
            severity="warning",
            image_name=found.image_name,
        )
        for found in classifier.check(image)
    ]


def _choose(
    kind: ImageType, image: Image, low: float, high: float, inner: float, spread: float, saturated: float
) -> tuple[str, str]:
    if high <= low:
        return "percentile_99", "The image is constant; any normalization gives the same."
    if inner <= 0:
        return "min_max", "Nearly all pixels have one value, so that percentiles leave no range: use all of it."
    if kind != "fluorescence" and image.dtype == np.uint8:
        return "percentile_99", "Stained tissue in 8 bits: the percentiles even out brightness, and spare the colours."
    if low < 0:
        return "z_score", "There are values below 0: what counts is the distance from the mean."
    if saturated > SATURATED_SHARE:
        return "fixed_range", "The brightest pixels are saturated: the range of the camera keeps images comparable."
    if spread > OUTLIER_RANGE:
        return "percentile_99", f"A few pixels lie far out: all values span {spread:.1f} times what 98 % of them do."
    if spread <= NO_OUTLIER_RANGE:
        return "min_max", "No pixel lies far from the others, so that nothing need be cut off."
    return (
        "percentile_99",
        "The default: it cuts off the darkest and the brightest hundredth, and so does not follow single pixels.",
    )


def _already(image: Image, settings: Any, name: str, value: Any) -> bool:
    if settings is None:
        return False
    present = getattr(settings, name, None)
    if name == "normalization_per_channel" and present is None:
        present = len(image.channel_names) > 3
    return bool(present == value)
