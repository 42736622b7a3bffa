"""Predictions in memory and on disk: areas, objects, tables, pictures, exports."""

from histowidgets.prediction.results._base import measured
from histowidgets.prediction.results._colors import overlay_rgba
from histowidgets.prediction.results._objects import PredictedObject
from histowidgets.prediction.results._ome_tiff import write_pyramid
from histowidgets.prediction.results._prediction import Prediction, checked_classes, listed_names
from histowidgets.prediction.results._stored import StoredPrediction, open_prediction, read_card
from histowidgets.prediction.results._zarr_store import Card, Store

__all__ = [
    "Card",
    "PredictedObject",
    "Prediction",
    "Store",
    "StoredPrediction",
    "checked_classes",
    "listed_names",
    "measured",
    "open_prediction",
    "overlay_rgba",
    "read_card",
    "write_pyramid",
]
