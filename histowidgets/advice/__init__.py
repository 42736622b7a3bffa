"""Advice: on settings before training, on the annotations, on the curves of a run, and on where to annotate next.

All are pure functions on plain data. Every piece of advice is an `Advice`, and none blocks the user.
"""

from histowidgets.advice._advice import SEVERITIES, Action, Advice
from histowidgets.advice._evidence_text import evidence_text
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
    ContradictedAnnotation,
    LabelReview,
    ReviewTile,
    find_label_errors,
    only_easy_regions,
    suggest_regions,
)

__all__ = [
    "DIAGNOSES",
    "IMAGE_TYPES",
    "SEVERITIES",
    "Action",
    "Advice",
    "ContradictedAnnotation",
    "ImageTypeGuess",
    "LabelReview",
    "Recommendation",
    "ReviewTile",
    "balanced_weights",
    "check_image",
    "coach",
    "counts_wanted",
    "diagnose",
    "evidence_text",
    "find_label_errors",
    "guess_image_type",
    "held_out_counts",
    "likely_range",
    "only_easy_regions",
    "recommend",
    "review_settings",
    "stain_varies",
    "strokes_of_mean",
    "suggest_normalization",
    "suggest_regions",
]
