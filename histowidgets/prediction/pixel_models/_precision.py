"""Find the compute format that predicts fastest on this computer by timing, and prepare networks for it."""

import copy
import threading
from collections.abc import Hashable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn

from histowidgets.models import ComputeFormat, Network, half_format, quickest, seconds_of
from histowidgets.prediction.pixel_models._conv_fusion import LowerPrecision, fold, fold_decoder

#: A lower precision must take less than this share of the time of fp32, since fp32 is more exact.
CLEARLY_FASTER = 0.85

_REPEATS = 2
#: A candidate whose first batch takes this many times as long as the best one is not timed again.
_HOPELESS = 4

_known: dict[Hashable, ComputeFormat | None] = {}
_probing = threading.Lock()


def fastest_inference(network: Network, shape: tuple[int, int, int, int]) -> ComputeFormat | None:
    """Find the fastest way to predict with a network, by timing the formats that suit the device.

    This takes as long as a few batches; the result is cached for the lifetime of the process.

    Parameters
    ----------
    network : Network
        In evaluation mode; not changed.
    shape : (N, C, H, W)
        Shape of a batch.

    Returns
    -------
    ComputeFormat or None
        The argument for `prepared`: a lower precision only if it is clearly faster than fp32; None, for the unchanged
        network, if no format could be timed.
    """
    device = network.input_mean.device
    key = (str(device), network.spec, shape, torch.get_num_threads())
    with _probing:
        if key not in _known:
            _known[key] = _probed(network, device, shape)
        return _known[key]


def _probed(network: Network, device: torch.device, shape: tuple[int, int, int, int]) -> ComputeFormat | None:
    pixels = torch.rand(shape, device=device, generator=torch.Generator(device).manual_seed(0))
    seconds: dict[ComputeFormat, float] = {}
    for candidate in _candidates(device):
        try:
            least = min(seconds.values(), default=float("inf"))
            seconds[candidate] = _seconds(prepared(network, candidate), candidate, pixels, least)
        except RuntimeError:
            # Out of memory, or an operation is missing on this device in this format: not a candidate.
            continue
    if not seconds:
        return None
    return quickest(seconds, lambda one, best: 1.0 if one.precision == best.precision else CLEARLY_FASTER)


def _candidates(device: torch.device) -> list[ComputeFormat]:
    formats = [ComputeFormat("fp32", "contiguous"), ComputeFormat("fp32", "channels_last")]
    half = half_format(device)
    return formats if half is None else [*formats, ComputeFormat(half, "channels_last")]


def _seconds(network: nn.Module, compute_format: ComputeFormat, pixels: torch.Tensor, least: float) -> float:
    """Time a batch; the first run is for warming up, and suffices to reject a hopeless candidate."""

    def predict() -> None:
        with torch.inference_mode(), inference_autocast(compute_format, pixels.device):
            network(in_layout(pixels, compute_format))

    times = [seconds_of(predict, pixels.device)]
    if times[0] > _HOPELESS * least:
        return times[0]
    return min(seconds_of(predict, pixels.device) for _ in range(_REPEATS))


def inference_autocast(
    compute_format: ComputeFormat | None, device: torch.device
) -> AbstractContextManager[torch.autocast | None]:
    """Return the autocast context for a prepared network; on CPUs its weights were already cast instead."""
    if compute_format is None or device.type == "cpu":
        return nullcontext()
    return compute_format.autocast(device)


def in_layout(pixels: torch.Tensor, compute_format: ComputeFormat | None) -> torch.Tensor:
    """Return a batch in the memory format of a prepared network."""
    return pixels if compute_format is None else pixels.contiguous(memory_format=compute_format.layout)


def prepared(network: Network, compute_format: ComputeFormat | None) -> nn.Module:
    """Return a copy of a network for a compute format, with batch norm and, on CPUs, activations fused.

    With None, the network itself is returned, without a copy.
    """
    if compute_format is None:
        return network
    made = _folded(network)
    if compute_format.precision == "bf16" and network.input_mean.device.type == "cpu":
        made.core = LowerPrecision(made.core, torch.bfloat16)
    return made.to(memory_format=compute_format.layout)


def _copied(network: Network) -> Network:
    return copy.deepcopy(network).eval().requires_grad_(False)


def _folded(network: Network) -> Network:
    """Return a copy with as much folded as possible without changing the output."""
    # Only CPUs support activations in oneDNN's convolutions.
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
    """Return whether folding kept the output; layers may run in another order than they are listed."""
    side = 4 * network.multiple
    device = network.input_mean.device
    generator = torch.Generator(device).manual_seed(0)
    pixels = torch.rand((1, network.spec.n_channels, side, side), device=device, generator=generator)
    with torch.inference_mode():
        return torch.allclose(made(pixels).softmax(1), network(pixels).softmax(1), atol=1e-3)
