from ._adabn import adapted
from ._channels import match_channels, names_in_image
from ._fingerprint import classifier_digest, prediction_fingerprint
from ._job import Job
from ._mean import mean_of
from ._options import OPTIONS, AnyOptions, KeywordOptions, Option, PredictOptions, Progress, ShouldStop
from ._range_check import RangeWarning, check_image, check_range
from ._tiled import predict_region
from ._to_disk import predict_to_disk
from ._view import ViewPredictor

__all__ = [
    "OPTIONS",
    "AnyOptions",
    "Job",
    "KeywordOptions",
    "Option",
    "PredictOptions",
    "Progress",
    "RangeWarning",
    "ShouldStop",
    "ViewPredictor",
    "adapted",
    "check_image",
    "check_range",
    "classifier_digest",
    "match_channels",
    "mean_of",
    "names_in_image",
    "predict_region",
    "predict_to_disk",
    "prediction_fingerprint",
]
