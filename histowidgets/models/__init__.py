"""Building networks: backbones and their weights, input scaling, freeze groups.

The list of backbones is plain data and loads without torch; the rest is fetched when it is first used.
"""

from typing import TYPE_CHECKING

from histowidgets._lazy import lazy_names
from histowidgets.models._freeze_choices import EARLY_GROUPS, FREEZE_CHOICES
from histowidgets.models._registry import ARCHITECTURES, DEFAULT_BACKBONE, Architecture, Backbone, backbones

if TYPE_CHECKING:
    from histowidgets.models._cards import check_backbone, find_backbone
    from histowidgets.models._formats import half_format
    from histowidgets.models._freeze import apply_freeze, freeze_groups, frozen_parameters
    from histowidgets.models._network import Network, NetworkSpec, build_network, check_network

_HOME_OF = {
    "Network": "_network",
    "NetworkSpec": "_network",
    "apply_freeze": "_freeze",
    "build_network": "_network",
    "check_backbone": "_cards",
    "check_network": "_network",
    "find_backbone": "_cards",
    "freeze_groups": "_freeze",
    "frozen_parameters": "_freeze",
    "half_format": "_formats",
}

__all__ = [
    "ARCHITECTURES",
    "DEFAULT_BACKBONE",
    "EARLY_GROUPS",
    "FREEZE_CHOICES",
    "Architecture",
    "Backbone",
    "Network",
    "NetworkSpec",
    "apply_freeze",
    "backbones",
    "build_network",
    "check_backbone",
    "check_network",
    "find_backbone",
    "freeze_groups",
    "frozen_parameters",
    "half_format",
]


__getattr__ = lazy_names(__name__, _HOME_OF)
