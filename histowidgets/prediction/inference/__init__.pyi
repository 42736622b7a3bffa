from ._adabn import adapted
from ._channels import match_channels
from ._fingerprint import classifier_digest, prediction_fingerprint
from ._mean import mean_of, parts_of
from ._options import MoreOptions, PredictOptions, Progress, ShouldStop
from ._range_check import RangeWarning, check_range
from ._tiled import Job, checked_region, predict_labels, predict_map
from ._to_disk import predict_to_disk
from ._view import ViewPredictor

__all__ = [
    "Job",
    "MoreOptions",
    "PredictOptions",
    "Progress",
    "RangeWarning",
    "ShouldStop",
    "ViewPredictor",
    "adapted",
    "check_range",
    "checked_region",
    "classifier_digest",
    "match_channels",
    "mean_of",
    "parts_of",
    "predict_labels",
    "predict_map",
    "predict_to_disk",
    "prediction_fingerprint",
]
