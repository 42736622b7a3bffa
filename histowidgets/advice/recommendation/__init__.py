"""Recommend settings for the images, the labels and the machine, and review chosen settings."""

from histowidgets.advice.recommendation._image_type import IMAGE_TYPES, ImageTypeGuess, guess_image_type, stain_varies
from histowidgets.advice.recommendation._normalization import check_image, suggest_normalization
from histowidgets.advice.recommendation._recommend import Recommendation, recommend
from histowidgets.advice.recommendation._settings_review import review_settings

__all__ = [
    "IMAGE_TYPES",
    "ImageTypeGuess",
    "Recommendation",
    "check_image",
    "guess_image_type",
    "recommend",
    "review_settings",
    "stain_varies",
    "suggest_normalization",
]
