"""Advice on normalization: which one suits an image, and whether an image is like a classifier's training images."""

import math
from typing import Any

import numpy as np

from histowidgets.advice._advice import Action, Advice, with_actions
from histowidgets.advice.recommendation._image_type import ImageType, guess_image_type, overview
from histowidgets.images import Image

#: There are outliers if the range of all values is this many times the range from the 1st to the 99th percentile.
OUTLIER_RANGE = 1.5
#: Up to this factor there are no outliers.
NO_OUTLIER_RANGE = 1.1
#: An image is saturated if this share of its pixels is at the top of the range.
SATURATED_SHARE = 0.005

_TOPS = (255, 1023, 4095, 16383, 65535)


def suggest_normalization(image: Image, image_type: ImageType | None = None, settings: Any = None) -> Advice:
    """Suggest a normalization for an image, with the reason.

    Parameters
    ----------
    image : Image
    image_type : {"he", "brightfield", "fluorescence"}, optional
        By default guessed from the pixels.
    settings : TrainingSettings, optional
        The present settings; no change is offered if they already have this normalization.

    Returns
    -------
    Advice
        Its `patch` sets ``normalization`` and the related fields.
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
    """Check whether an image is like those that a classifier was trained on.

    Parameters
    ----------
    image : Image
    classifier : Classifier
        It has the statistics of its training images, and finds their channels by name.

    Returns
    -------
    list of Advice
        Empty if the image is like those. "image-outside-training" if the mean or percentiles of a channel are off by 3
        standard deviations, or its standard deviation differs by a factor of 2; "no-training-statistics" if the
        classifier has no statistics.

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
        return "percentile_99", "The image is constant, so any normalization gives the same result."
    if inner <= 0:
        return (
            "min_max",
            "Nearly all pixels have the same value, so the percentiles leave no range: use the full range.",
        )
    if kind != "fluorescence" and image.dtype == np.uint8:
        return "percentile_99", "Stained tissue in 8 bits: percentiles even out the brightness and keep the colours."
    if low < 0:
        return "z_score", "Some values are below 0, so the distance from the mean is what matters."
    if saturated > SATURATED_SHARE:
        return "fixed_range", "The brightest pixels are saturated: the camera's range keeps images comparable."
    if spread > OUTLIER_RANGE:
        return "percentile_99", f"There are outliers: all values span {spread:.1f} times the range of 98 % of them."
    if spread <= NO_OUTLIER_RANGE:
        return "min_max", "There are no outliers, so nothing needs to be cut off."
    return (
        "percentile_99",
        "The default: it cuts off the darkest and the brightest 1 %, so that single pixels have no effect.",
    )


def _already(image: Image, settings: Any, name: str, value: Any) -> bool:
    if settings is None:
        return False
    present = getattr(settings, name, None)
    if name == "normalization_per_channel" and present is None:
        present = len(image.channel_names) > 3
    return bool(present == value)
