"""Advice: before training, on the annotations, while training, and on where to annotate next.

Pure functions on plain data. Every piece of advice is an `Advice`; none blocks anybody.
"""

from histowidgets.advice._advice import SEVERITIES, Action, Advice
from histowidgets.advice.coaching import balanced_weights, coach, counts_wanted
from histowidgets.advice.diagnosis import DIAGNOSES, diagnose, held_out_counts, likely_range, strokes_of_mean
from histowidgets.advice.recommendation import (
    IMAGE_TYPES,
    ImageTypeGuess,
    Recommendation,
    check_image,
    guess_image_type,
    recommend,
    review_settings,
    stain_varies,
    suggest_normalization,
)
from histowidgets.advice.suggestions import (
    Review,
    ReviewTile,
    annotate_next,
    only_easy_regions,
    review,
    suggest_regions,
)

__all__ = [
    "DIAGNOSES",
    "IMAGE_TYPES",
    "SEVERITIES",
    "Action",
    "Advice",
    "ImageTypeGuess",
    "Recommendation",
    "Review",
    "ReviewTile",
    "annotate_next",
    "balanced_weights",
    "check_image",
    "coach",
    "counts_wanted",
    "diagnose",
    "guess_image_type",
    "held_out_counts",
    "likely_range",
    "only_easy_regions",
    "recommend",
    "review",
    "review_settings",
    "stain_varies",
    "strokes_of_mean",
    "suggest_normalization",
    "suggest_regions",
]
