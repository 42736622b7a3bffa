"""Prediction: the classifier and its folder, tiled prediction of any image, label maps, objects, measurements, exports.

Predictions and overlays are NumPy alone; what needs torch is fetched when it is first used.
"""

from typing import TYPE_CHECKING

from histowidgets._lazy import lazy_names
from histowidgets.prediction._channels import match_channels
from histowidgets.prediction._classifier import Classifier
from histowidgets.prediction._model import PixelModel
from histowidgets.prediction._objects import PredictedObject
from histowidgets.prediction._options import PredictOptions
from histowidgets.prediction._overlay import overlay_rgba
from histowidgets.prediction._prediction import Prediction
from histowidgets.prediction._probability_map import ProbabilityMap
from histowidgets.prediction._range import RangeWarning, check_range
from histowidgets.prediction._stored_prediction import StoredPrediction, open_prediction
from histowidgets.prediction._tile import Tile, read_tile
from histowidgets.prediction._view_predictor import ViewPredictor

if TYPE_CHECKING:
    from histowidgets.prediction._inference import fastest_inference
    from histowidgets.prediction._many import predict_images
    from histowidgets.prediction._mean import mean_of
    from histowidgets.prediction._mean_model import MeanModel
    from histowidgets.prediction._network_model import NetworkModel
    from histowidgets.prediction._one_image import ImageResult
    from histowidgets.prediction._quick_features import pyramid_width
    from histowidgets.prediction._quick_model import QuickModel, forget_features, quick_tiles, tile_features

_HOME_OF = {
    "ImageResult": "_one_image",
    "MeanModel": "_mean_model",
    "NetworkModel": "_network_model",
    "QuickModel": "_quick_model",
    "fastest_inference": "_inference",
    "forget_features": "_quick_model",
    "mean_of": "_mean",
    "predict_images": "_many",
    "pyramid_width": "_quick_features",
    "quick_tiles": "_quick_model",
    "tile_features": "_quick_model",
}

__all__ = [
    "Classifier",
    "ImageResult",
    "MeanModel",
    "NetworkModel",
    "PixelModel",
    "PredictOptions",
    "PredictedObject",
    "Prediction",
    "ProbabilityMap",
    "QuickModel",
    "RangeWarning",
    "StoredPrediction",
    "Tile",
    "ViewPredictor",
    "check_range",
    "fastest_inference",
    "forget_features",
    "match_channels",
    "mean_of",
    "open_prediction",
    "overlay_rgba",
    "predict_images",
    "pyramid_width",
    "quick_tiles",
    "read_tile",
    "tile_features",
]


__getattr__ = lazy_names(__name__, _HOME_OF)
