"""Prediction: the classifier and its folder, tiled prediction of any image, label maps, objects, measurements, exports.

Predictions and overlays are NumPy alone; what needs torch is fetched when it is first used.
"""

from typing import TYPE_CHECKING

from histowidgets._lazy import lazy_names
from histowidgets.prediction._channels import match_channels
from histowidgets.prediction._classifier import Classifier
from histowidgets.prediction._model import PixelModel
from histowidgets.prediction._overlay import overlay_rgba
from histowidgets.prediction._prediction import PredictedObject, Prediction
from histowidgets.prediction._probability_map import ProbabilityMap
from histowidgets.prediction._tile import Tile, read_tile

if TYPE_CHECKING:
    from histowidgets.prediction._network_model import NetworkModel
    from histowidgets.prediction._quick_features import pyramid_width
    from histowidgets.prediction._quick_model import QuickModel, forget_features, quick_tiles, tile_features

_HOME_OF = {
    "NetworkModel": "_network_model",
    "QuickModel": "_quick_model",
    "forget_features": "_quick_model",
    "pyramid_width": "_quick_features",
    "quick_tiles": "_quick_model",
    "tile_features": "_quick_model",
}

__all__ = [
    "Classifier",
    "NetworkModel",
    "PixelModel",
    "PredictedObject",
    "Prediction",
    "ProbabilityMap",
    "QuickModel",
    "Tile",
    "forget_features",
    "match_channels",
    "overlay_rgba",
    "pyramid_width",
    "quick_tiles",
    "read_tile",
    "tile_features",
]


__getattr__ = lazy_names(__name__, _HOME_OF)
