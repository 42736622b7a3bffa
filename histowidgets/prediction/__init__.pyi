from ._classifier import Classifier
from ._spec import ClassifierSpec
from .auditing import Audit, AuditedClass, AuditEstimate, AuditResults, audit
from .batch import ImageResult, predict_images
from .inference import PredictOptions, RangeWarning, ViewPredictor, check_range, match_channels, mean_of, names_in_image
from .pixel_models import (
    MeanModel,
    NetworkModel,
    PixelModel,
    QuickModel,
    color_width,
    fastest_inference,
    forget_features,
    pyramid_width,
    quick_tiles,
    tile_features,
)
from .reliability import (
    Calibration,
    ShiftSensitivity,
    calibrate,
    fit_temperature,
    measure_calibration,
    shift_sensitivity,
)
from .results import PredictedObject, Prediction, PredictionResults, StoredPrediction, open_prediction, overlay_rgba
from .tiling import ProbabilityMap, Tile

__all__ = [
    "Audit",
    "AuditEstimate",
    "AuditResults",
    "AuditedClass",
    "Calibration",
    "Classifier",
    "ClassifierSpec",
    "ImageResult",
    "MeanModel",
    "NetworkModel",
    "PixelModel",
    "PredictOptions",
    "PredictedObject",
    "Prediction",
    "PredictionResults",
    "ProbabilityMap",
    "QuickModel",
    "RangeWarning",
    "ShiftSensitivity",
    "StoredPrediction",
    "Tile",
    "ViewPredictor",
    "audit",
    "calibrate",
    "check_range",
    "color_width",
    "fastest_inference",
    "fit_temperature",
    "forget_features",
    "match_channels",
    "mean_of",
    "measure_calibration",
    "names_in_image",
    "open_prediction",
    "overlay_rgba",
    "predict_images",
    "pyramid_width",
    "quick_tiles",
    "shift_sensitivity",
    "tile_features",
]
