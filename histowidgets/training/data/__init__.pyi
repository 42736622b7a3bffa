from ._augmentation_preview import preview_augmentation
from ._channels import places_of, with_channels
from ._folds import FEWEST_FOLDS, MOST_FOLDS, cut_evenly
from ._normalization import normalization_of
from ._prefetch import TilesAhead
from ._request import Start, TrainingRequest, check_kinds, make_request, wanted_spec
from ._sampling import place_anchors
from ._tiles import Batch, TrainingTiles, ValidationTiles, cut_validation_tiles

__all__ = [
    "FEWEST_FOLDS",
    "MOST_FOLDS",
    "Batch",
    "Start",
    "TilesAhead",
    "TrainingRequest",
    "TrainingTiles",
    "ValidationTiles",
    "check_kinds",
    "cut_evenly",
    "cut_validation_tiles",
    "make_request",
    "normalization_of",
    "place_anchors",
    "places_of",
    "preview_augmentation",
    "wanted_spec",
    "with_channels",
]
