"""Advice: before training, on the annotations, while training, and on where to annotate next.

Pure functions on plain data. Every piece of advice is an `Advice`; none blocks anybody.
"""

from histowidgets.advice._advice import SEVERITIES, Action, Advice
from histowidgets.advice._coach import coach
from histowidgets.advice._coach_counts import balanced_weights, counts_wanted
from histowidgets.advice._diagnose import DIAGNOSES, diagnose
from histowidgets.advice._held_out import held_out_counts, likely_range, strokes_of_mean
from histowidgets.advice._image_type import IMAGE_TYPES, ImageTypeGuess, guess_image_type
from histowidgets.advice._normalization import check_image, suggest_normalization
from histowidgets.advice._recommend import Recommendation, recommend
from histowidgets.advice._regions import annotate_next, only_easy_regions, suggest_regions
from histowidgets.advice._review import Review, ReviewTile, review
from histowidgets.advice._settings_review import review_settings
from histowidgets.advice._stain import stain_varies

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
