"""Predicting many images."""

from histowidgets.prediction.batch._many import predict_images
from histowidgets.prediction.batch._one_image import ImageResult

__all__ = [
    "ImageResult",
    "predict_images",
]
