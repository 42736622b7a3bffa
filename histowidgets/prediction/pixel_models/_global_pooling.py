"""Whether the answer of a network at a pixel depends on a mean over the whole tile."""

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from histowidgets.models import Network, NetworkSpec

#: Operations that mix all pixels of a tile: pooling to a fixed size, attention, norms over it.
_MIXING = ("adaptive_avg_pool", "adaptive_max_pool", "scaled_dot_product", "_softmax", "linalg_vector_norm")
_known: dict[NetworkSpec, bool] = {}


class _Watch(TorchDispatchMode):
    """Detects such operations while a network computes."""

    def __init__(self) -> None:
        super().__init__()
        self.mixed = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.name()
        if any(word in name for word in _MIXING) or (name == "aten::mean.dim" and _over_space(args)):
            self.mixed = True
        return func(*args, **(kwargs or {}))


def _over_space(args: Any) -> bool:
    """Whether a mean is over rows and columns of (N, C, H, W)."""
    dims = [dim % args[0].ndim for dim in args[1] or range(args[0].ndim)]
    return args[0].ndim == 4 and {2, 3} <= set(dims)


def mixes_its_tile(network: Network) -> bool:
    """Tell whether a network uses means over the tile, so that it works on tiles of one size only.

    Squeeze-and-excitation, pyramid pooling and attention learn the statistics of training tiles. A MobileNetV3 trained
    on tiles of 64 pixels was right in 97 % of the stroked pixels when it was given such tiles, and in 54 % in tiles of
    256.

    Found by watching it compute on a small tile, once for each kind of network.
    """
    if network.spec not in _known:
        side, watch = 2 * network.multiple, _Watch()
        pixels = torch.zeros(1, network.spec.n_channels, side, side, device=network.input_mean.device)
        training = network.training
        try:
            with torch.inference_mode(False), torch.no_grad(), watch:
                network.eval()(pixels)
        except (RuntimeError, ValueError, AssertionError):
            watch.mixed = True  # it does not accept such a tile at all
        finally:
            network.train(training)
        _known[network.spec] = watch.mixed
    return _known[network.spec]
