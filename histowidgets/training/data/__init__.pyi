from ._augmentation import Augmentation
from ._augmentation_preview import preview_augmentation
from ._channels import places_of, with_channels
from ._folds import FEWEST_FOLDS, MOST_FOLDS, cut_evenly
from ._normalization import is_scan, normalization_of
from ._pixel_cache import CACHE_BYTES, labels_without_data
from ._pixel_size import WorkingImages, at_common_pixel_size, common_pixel_size
from ._prefetch import TilePrefetcher
from ._request import EndPoint, Start, TrainingRequest, check_kinds, make_request, wanted_spec
from ._sampling import WHOLE_PIXELS, AnnotationSamples, SamplingPlan, plan_sampling
from ._tiles import VALIDATION_BYTES, Batch, TrainingTiles, ValidationTiles, cut_validation_tiles

__all__ = [
    "CACHE_BYTES",
    "FEWEST_FOLDS",
    "MOST_FOLDS",
    "VALIDATION_BYTES",
    "WHOLE_PIXELS",
    "AnnotationSamples",
    "Augmentation",
    "Batch",
    "EndPoint",
    "SamplingPlan",
    "Start",
    "TilePrefetcher",
    "TrainingRequest",
    "TrainingTiles",
    "ValidationTiles",
    "WorkingImages",
    "at_common_pixel_size",
    "check_kinds",
    "common_pixel_size",
    "cut_evenly",
    "cut_validation_tiles",
    "is_scan",
    "labels_without_data",
    "make_request",
    "normalization_of",
    "places_of",
    "plan_sampling",
    "preview_augmentation",
    "wanted_spec",
    "with_channels",
]
