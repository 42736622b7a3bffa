"""Which arithmetic predicts fastest here: found by timing it, not assumed."""

import copy
import threading
import time
from collections.abc import Hashable
from dataclasses import dataclass

import torch
from torch import nn

from histowidgets.models import Network, half_format
from histowidgets.prediction.pixel_models._conv_fusion import LowerPrecision, fold, fold_decoder

#: A faster number format has to take less than this share of the time of fp32, as fp32 is more exact.
CLEARLY_FASTER = 0.85


@dataclass(frozen=True)
class Way:
    """A way to compute.

    Attributes
    ----------
    precision : {"fp32", "bf16", "fp16"}
        Number format of convolutions.
    channels_last : bool
        Order of the pixels in memory.
    fused : bool
        Whether batch norm, and on processors the activation, is folded into the convolution before it.
    """

    precision: str = "fp32"
    channels_last: bool = False
    fused: bool = False

    def __str__(self) -> str:
        return f"{self.precision}, {'channels last' if self.channels_last else 'contiguous'}"

    def cast(self, device: torch.device) -> torch.autocast:
        """Return the context in which a network computes this way; on processors its weights are cast once instead."""
        dtype = torch.float16 if self.precision == "fp16" else torch.bfloat16
        return torch.autocast(device.type, dtype, enabled=self.precision != "fp32" and device.type != "cpu")

    def placed(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return a batch in this order."""
        return pixels.contiguous(memory_format=torch.channels_last) if self.channels_last else pixels


PLAIN = Way()

_known: dict[Hashable, Way] = {}
_probing = threading.Lock()


def fastest_inference(network: Network, shape: tuple[int, int, int, int]) -> Way:
    """Find the fastest way to predict with a network, by timing those that this device is good at.

    It takes a few batches' time; the answer is kept as long as the process lives.

    Parameters
    ----------
    network : Network
        In evaluation mode; not changed.
    shape : (N, C, H, W)
        Of a batch.

    Returns
    -------
    Way
        A lower precision only if it is clearly faster than fp32.
    """
    device = network.input_mean.device
    key = (str(device), network.spec, shape, torch.get_num_threads())
    with _probing:
        if key not in _known:
            _known[key] = _probed(network, device, shape)
        return _known[key]


def _probed(network: Network, device: torch.device, shape: tuple[int, int, int, int]) -> Way:
    pixels = torch.rand(shape, device=device, generator=torch.Generator(device).manual_seed(0))
    best, least = PLAIN, float("inf")
    for way in _candidates(device):
        try:
            seconds = _seconds(prepared(network, way), way, pixels, least)
        except RuntimeError:
            # Out of memory, or an operation that this device lacks in this format: no candidate.
            continue
        limit = least if way.precision == best.precision else CLEARLY_FASTER * least
        if seconds < limit:
            best, least = way, seconds
    return best


def _candidates(device: torch.device) -> list[Way]:
    ways = [Way("fp32", False, True), Way("fp32", True, True)]
    half = half_format(device)
    return ways if half is None else [*ways, Way(half, True, True)]


def _seconds(network: nn.Module, way: Way, pixels: torch.Tensor, least: float) -> float:
    """Time a batch; the first time is for warming up, and is enough where it is hopeless."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        with torch.inference_mode(), way.cast(pixels.device):
            # Reading a value waits until the device has finished.
            float(network(way.placed(pixels))[0, 0, 0, 0])
        times.append(time.perf_counter() - began)
        if times[0] > 4 * least:
            break
    return min(times[1:] or times)


def prepared(network: Network, way: Way) -> nn.Module:
    """Return a copy of a network that computes in a way."""
    if way == PLAIN:
        return network
    made = _folded(network) if way.fused else _copied(network)
    if way.precision == "bf16" and network.input_mean.device.type == "cpu":
        made.core = LowerPrecision(made.core, torch.bfloat16)
    return made.to(memory_format=torch.channels_last if way.channels_last else torch.contiguous_format)


def _copied(network: Network) -> Network:
    return copy.deepcopy(network).eval().requires_grad_(False)


def _folded(network: Network) -> Network:
    """Return a copy with as much folded as leaves the answer as it was."""
    # Activations in oneDNN's convolutions are for processors.
    for with_activations in (True, False) if network.input_mean.device.type == "cpu" else (False,):
        made = _copied(network)
        try:
            fold(made, with_activations)
            if with_activations:
                fold_decoder(made.core)
            if _same_answer(made, network):
                return made
        except (RuntimeError, AttributeError):
            continue  # this torch lacks the operator
    return _copied(network)


def _same_answer(made: Network, network: Network) -> bool:
    """Tell whether folding left the answer as it was: the order in which layers run is the network's own affair."""
    side = 4 * network.multiple
    device = network.input_mean.device
    generator = torch.Generator(device).manual_seed(0)
    pixels = torch.rand((1, network.spec.n_channels, side, side), device=device, generator=generator)
    with torch.inference_mode():
        return torch.allclose(made(pixels).softmax(1), network(pixels).softmax(1), atol=1e-3)
