"""Predict many images into a folder."""

from histowidgets.prediction.batch._many import ENDINGS, OBJECT_OPTIONS, note_of, predict_images
from histowidgets.prediction.batch._one_image import ImageResult

__all__ = [
    "ENDINGS",
    "OBJECT_OPTIONS",
    "ImageResult",
    "note_of",
    "predict_images",
]
