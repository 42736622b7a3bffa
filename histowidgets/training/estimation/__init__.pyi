from ._estimate import Estimate, check_budget, estimate
from ._network_size import NetworkSize, network_size

__all__ = [
    "Estimate",
    "NetworkSize",
    "check_budget",
    "estimate",
    "network_size",
]
