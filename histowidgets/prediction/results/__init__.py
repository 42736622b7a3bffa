"""Predictions in memory and on disk: labels, probabilities, objects, measurements, and their files."""

from histowidgets.prediction.results._base import PredictionResults, measured
from histowidgets.prediction.results._colors import checked_classes, listed_names, overlay_rgba
from histowidgets.prediction.results._counts import (
    ClassCount,
    ObjectCounts,
    Positivity,
    counts_of,
    intensity_classes,
    numbers_of,
    positivity,
)
from histowidgets.prediction.results._info import Card, PredictionInfo, resampling_in_words, sides_if_not_square
from histowidgets.prediction.results._object_options import (
    MIN_AREA_UM2,
    MOST_DEPTH_UM,
    SPLIT_DEPTH_UM,
    SPLITS,
    ObjectKeywords,
    ObjectOptions,
)
from histowidgets.prediction.results._objects import PredictedObject
from histowidgets.prediction.results._ome_tiff import write_pyramid
from histowidgets.prediction.results._prediction import Prediction
from histowidgets.prediction.results._stored import StoredPrediction, open_prediction, read_card
from histowidgets.prediction.results._zarr_store import BLOCK_SIDE, Store

__all__ = [
    "BLOCK_SIDE",
    "MIN_AREA_UM2",
    "MOST_DEPTH_UM",
    "SPLITS",
    "SPLIT_DEPTH_UM",
    "Card",
    "ClassCount",
    "ObjectCounts",
    "ObjectKeywords",
    "ObjectOptions",
    "Positivity",
    "PredictedObject",
    "Prediction",
    "PredictionInfo",
    "PredictionResults",
    "Store",
    "StoredPrediction",
    "checked_classes",
    "counts_of",
    "intensity_classes",
    "listed_names",
    "measured",
    "numbers_of",
    "open_prediction",
    "overlay_rgba",
    "positivity",
    "read_card",
    "resampling_in_words",
    "sides_if_not_square",
    "write_pyramid",
]
