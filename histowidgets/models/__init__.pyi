from ._cards import check_backbone, find_backbone
from ._compute import ComputeFormat, half_format, quickest, seconds_of
from ._encoders import encoder_without_weights, pretrained_encoder
from ._freeze import apply_freeze, freeze_groups, frozen_parameters
from ._freeze_choices import EARLY_GROUPS, FREEZE_CHOICES
from ._global_state import alone_with_torch, using_optimizers
from ._hub import WeightsUnavailableError, hub_address
from ._network import Network, NetworkSpec, build_network, check_network, licence_terms
from ._registry import ARCHITECTURES, DEFAULT_BACKBONE, Architecture, Backbone, backbones
from ._weights import WeightCache, WeightFile, fetch_backbone, find_weights, list_weights, weight_cache

__all__ = [
    "ARCHITECTURES",
    "DEFAULT_BACKBONE",
    "EARLY_GROUPS",
    "FREEZE_CHOICES",
    "Architecture",
    "Backbone",
    "ComputeFormat",
    "Network",
    "NetworkSpec",
    "WeightCache",
    "WeightFile",
    "WeightsUnavailableError",
    "alone_with_torch",
    "apply_freeze",
    "backbones",
    "build_network",
    "check_backbone",
    "check_network",
    "encoder_without_weights",
    "fetch_backbone",
    "find_backbone",
    "find_weights",
    "freeze_groups",
    "frozen_parameters",
    "half_format",
    "hub_address",
    "licence_terms",
    "list_weights",
    "pretrained_encoder",
    "quickest",
    "seconds_of",
    "using_optimizers",
    "weight_cache",
]
