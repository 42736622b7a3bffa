from ._cards import check_backbone, find_backbone
from ._compute import ComputeFormat, half_format, quickest, seconds_of
from ._freeze import apply_freeze, freeze_groups, frozen_parameters
from ._freeze_choices import EARLY_GROUPS, FREEZE_CHOICES
from ._global_state import alone_with_torch, using_optimizers
from ._network import Network, NetworkSpec, build_network, check_network
from ._registry import ARCHITECTURES, DEFAULT_BACKBONE, Architecture, Backbone, backbones

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
    "alone_with_torch",
    "apply_freeze",
    "backbones",
    "build_network",
    "check_backbone",
    "check_network",
    "find_backbone",
    "freeze_groups",
    "frozen_parameters",
    "half_format",
    "quickest",
    "seconds_of",
    "using_optimizers",
]
