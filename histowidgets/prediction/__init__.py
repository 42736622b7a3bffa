"""Prediction: the classifier and its folder, tiled prediction of any image, label maps, objects, measurements, exports.

Predictions and overlays are NumPy alone; what needs torch is fetched when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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


def __getattr__(name: str) -> Any:
    """Fetch a name that needs torch from its module."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'histowidgets.prediction' has no attribute {name!r}")
    value = getattr(import_module(f"histowidgets.prediction.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value
