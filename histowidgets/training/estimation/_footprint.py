"""Estimate the memory of a training: weights are counted, activations measured on torch's meta device."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from histowidgets.images import scaled_shape
from histowidgets.models import Network, NetworkSpec, apply_freeze, build_network
from histowidgets.training.data import CACHE_BYTES, VALIDATION_BYTES, TrainingRequest, wanted_spec
from histowidgets.training.loop import choose_device, compute_formats
from histowidgets.training.settings import TrainingSettings

#: Bytes needed besides weights and activations, for compiled kernels, workspaces and threads (measured).
WORKSPACE_BYTES = 32 << 20

#: Number of copies of the largest layer's input and output that a step holds temporarily, on top of what it saves.
LARGEST_TIMES = 3

#: Number of copies of the logits, in fp32, that the loss holds at once.
LOSS_TIMES = 8

#: Memory of activations with bf16 or fp16, as a share of fp32: some layers stay in fp32.
REDUCED_SHARE = 0.6

#: Number of tiles for measuring activations (some architectures cannot learn from one), and their side. Activations are
#: proportional to the number of pixels.
_TILES, _SIDE = 2, 192


@dataclass(frozen=True)
class Footprint:
    """Peak memory of a training in bytes, on top of what was in use before.

    Attributes
    ----------
    host : int
        Memory of the computer.
    gpu : int
        Memory of the GPU; 0 without a GPU.
    """

    host: int
    gpu: int


@dataclass(frozen=True)
class _Profile:
    """Bytes of a network: all weights, the trained weights, and what a step saves for each pixel of a tile."""

    weights: int
    trained: int
    saved_a_pixel: float
    largest_a_pixel: float


def footprint(request: TrainingRequest, settings: TrainingSettings) -> Footprint:
    """Estimate the memory of a training with settings that may differ from those of the request."""
    n_channels, n_classes = len(request.image().channel_names), len(request.snapshot.classes)
    spec = wanted_spec(settings, n_channels, n_classes)
    profile = _profile(spec, settings.freeze, settings.adapt_norm)
    device = choose_device(settings.device)
    pixels = settings.tile_size**2 * settings.batch_size
    likely = compute_formats(settings.precision, settings.memory_format, device)[0]
    share = 1.0 if likely.precision == "fp32" else REDUCED_SHARE
    computing = (
        # The network and its average; gradients and two moments of the trained weights.
        2 * profile.weights
        + 3 * profile.trained
        + int(share * pixels * (profile.saved_a_pixel + LARGEST_TIMES * profile.largest_a_pixel))
        + LOSS_TIMES * 4 * pixels * n_classes
    )
    # The best weights, a copy while better ones replace them, and the buffer written to disk.
    kept = 3 * profile.weights
    tile_bytes = settings.tile_size**2 * (4 * n_channels + 1)
    drawn = 2 * tile_bytes * settings.batch_size * settings.accumulation
    host = kept + drawn + _cached(request, settings) + _validation(request, settings, tile_bytes)
    if device.type == "cuda":
        return Footprint(host, computing + WORKSPACE_BYTES)
    return Footprint(host + computing + WORKSPACE_BYTES, 0)


def _cached(request: TrainingRequest, settings: TrainingSettings) -> int:
    """Return the bytes of the cached normalized pixels, and of what is read at once."""
    n_channels = len(request.image().channel_names)
    sizes = [1]
    for window in request.sampling.windows:
        rows, columns = scaled_shape(window.region.width, window.region.height, settings.downsample)
        sizes.append(rows * columns * (4 * n_channels + 1))
    return min(sum(sizes), CACHE_BYTES) + 2 * max(sizes)


def _validation(request: TrainingRequest, settings: TrainingSettings, tile_bytes: int) -> int:
    """Return an upper limit of the bytes of the validation tiles: that of all held-out regions."""
    held = sum(region.area for some in request.split.held_out.values() for region in some)
    tiles = held / (settings.tile_size * settings.downsample) ** 2 + 1
    return min(int(tiles) * tile_bytes, VALIDATION_BYTES)


@lru_cache(maxsize=32)
def _profile(spec: NetworkSpec, freeze: str | tuple[str, ...], adapt_norm: bool) -> _Profile:
    network = build_network(spec, pretrained=False, seed=0)
    apply_freeze(network, freeze, adapt_norm)
    network.train()
    weights = sum(tensor.nbytes for tensor in network.state_dict().values())
    trained = sum(p.nbytes for p in network.parameters() if p.requires_grad)
    try:
        saved, largest, side = *_measure(network.to("meta"), _SIDE), _SIDE
    except (RuntimeError, NotImplementedError):
        # The meta device lacks an operation: use a real, small tile.
        network = build_network(spec, pretrained=False, seed=0)
        apply_freeze(network, freeze, adapt_norm)
        network.train()
        saved, largest, side = *_measure(network, 64), 64
    pixels = side**2 * _TILES
    return _Profile(weights, trained, saved / pixels, largest / pixels)


def _measure(network: Network, side: int) -> tuple[int, int]:
    """Return the bytes that a step saves for the backward pass, and those of the largest layer's input and output."""
    own = {tensor.untyped_storage()._cdata for tensor in network.state_dict().values()}
    saved: dict[int, int] = {}
    largest = 0

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            saved[storage._cdata] = storage.nbytes()
        return tensor

    def look(module: torch.nn.Module, given: Any, made: Any) -> None:
        nonlocal largest
        sizes = [t.nbytes for t in (*given, made) if isinstance(t, torch.Tensor)]
        largest = max(largest, sum(sizes))

    hooks = [module.register_forward_hook(look) for module in network.modules() if not list(module.children())]
    device = network.input_mean.device
    back: Callable[[torch.Tensor], torch.Tensor] = lambda tensor: tensor  # noqa: E731 - the hook's other half
    try:
        with torch.random.fork_rng(devices=[]), torch.autograd.graph.saved_tensors_hooks(keep, back):
            tiles = torch.zeros(_TILES, network.spec.n_channels, side, side, device=device)
            made = network(tiles).log_softmax(1)
        del made
    finally:
        for hook in hooks:
            hook.remove()
    return sum(saved.values()), largest
