"""The exponential moving average (EMA) of the weights, which is validated and kept."""

import copy
from typing import Any

import torch
from torch.optim.swa_utils import get_ema_multi_avg_fn

from histowidgets.models import Network


class AveragedWeights:
    """An exponential moving average of a network's weights, in a copy of the network.

    Frozen weights and norm statistics are copied, not averaged: the statistics are averages already.

    Parameters
    ----------
    network : Network
        The network in training.
    decay : float
        Final decay of the average, which rises over the first steps; with 0 it is a plain copy.
    """

    def __init__(self, network: Network, decay: float) -> None:
        self.network = copy.deepcopy(network)
        self.network.requires_grad_(False)
        self.network.kept_still = ()
        self.network.eval()
        self._decay = decay
        self._steps = 0
        pairs = zip(self.network.parameters(), network.parameters(), strict=True)
        self._averaged = [(mine, theirs) for mine, theirs in pairs if theirs.requires_grad]
        self._copied = list(zip(self.network.buffers(), network.buffers(), strict=True))

    @torch.no_grad()
    def update(self) -> None:
        """Update the average with the weights after a step."""
        self._steps += 1
        decay = min(self._decay, (1 + self._steps) / (10 + self._steps))
        if self._averaged:
            mine, theirs = (list(some) for some in zip(*self._averaged, strict=True))
            # Torch's function averages all tensors in one call; with a decay of 0 it copies them.
            get_ema_multi_avg_fn(decay if self._decay else 0.0)(mine, theirs, self._steps)
        for kept, current in self._copied:
            kept.copy_(current)

    def state_dict(self) -> dict[str, Any]:
        """Return the averages, without the values copied from the network in training."""
        return {"steps": self._steps, "weights": {str(i): mine for i, (mine, _) in enumerate(self._averaged)}}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state from `state_dict`; the network in training must already be restored."""
        self._steps = state["steps"]
        for i, (mine, _) in enumerate(self._averaged):
            mine.copy_(state["weights"][str(i)])
        for kept, current in self._copied:
            kept.copy_(current)
