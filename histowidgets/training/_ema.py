"""Averaged weights, which are validated and kept."""

import copy

import torch

from histowidgets.models import Network


class AveragedWeights:
    """An exponential moving average of a network's weights, in a network of its own.

    Frozen weights and norm statistics are copied, not averaged: the statistics are averages already.

    Parameters
    ----------
    network : Network
        The one in training.
    decay : float
        Memory of the average, rising to this over the first steps; 0 makes it a plain copy.
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
        """Take in the weights after a step."""
        self._steps += 1
        decay = min(self._decay, (1 + self._steps) / (10 + self._steps))
        for mine, theirs in self._averaged:
            mine.lerp_(theirs, 1 - decay) if self._decay else mine.copy_(theirs)
        for kept, current in self._copied:
            kept.copy_(current)
