from ._feature_cache import FeatureCache
from ._feature_store import FEATURE_FOLDER, FeatureStore
from ._frozen_encoder import FrozenEncoder, forget_encoders, frozen_encoder
from ._mean_model import MeanModel, Member
from ._network import NetworkModel
from ._precision import fastest_inference
from ._protocol import BATCH_ON_CPU, KEPT_PIXELS, NETWORK_CONTEXT, NETWORK_TILE, AnswersFast, PixelModel, RemembersTiles
from ._quick import QuickModel, forget_features, quick_tiles, tile_features
from ._quick_encoder import QuickEncoder
from ._quick_features import DeepStages, color_width, deep_stages, pyramid_width
from ._registry import restored_model

__all__ = [
    "BATCH_ON_CPU",
    "FEATURE_FOLDER",
    "KEPT_PIXELS",
    "NETWORK_CONTEXT",
    "NETWORK_TILE",
    "AnswersFast",
    "DeepStages",
    "FeatureCache",
    "FeatureStore",
    "FrozenEncoder",
    "MeanModel",
    "Member",
    "NetworkModel",
    "PixelModel",
    "QuickEncoder",
    "QuickModel",
    "RemembersTiles",
    "color_width",
    "deep_stages",
    "fastest_inference",
    "forget_encoders",
    "forget_features",
    "frozen_encoder",
    "pyramid_width",
    "quick_tiles",
    "restored_model",
    "tile_features",
]
