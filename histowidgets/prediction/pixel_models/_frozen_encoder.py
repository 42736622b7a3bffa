"""Any encoder of timm or the hub, frozen, as a source of features for the quick learner."""

import functools
import hashlib
import threading
import warnings
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from histowidgets.errors import BackboneError, HistowidgetsWarning
from histowidgets.models import Backbone, find_backbone, half_format, licence_terms, pretrained_encoder
from histowidgets.prediction.pixel_models._quick_features import as_three_channels, moved

#: Stride of the coarsest features: the sides of tiles are multiples of it.
COARSEST = 16
#: Side of the noise on which it is measured where an encoder's values are centred, and the number of such images.
_PROBE, _PROBES = 192, 4
#: Encoders that stay loaded: a large one takes gigabytes.
_LOADED = 2

_loading = threading.Lock()


class FrozenEncoder(nn.Module):
    """A frozen encoder that returns feature maps which cover its input exactly.

    A convolutional encoder returns its maps at strides 4 (that of stride 2, averaged), 4, 8 and 16, as far as it has
    them; a vision transformer returns the patch tokens of four layers, resized to stride 16 if its patches do not
    divide 16.

    Parameters
    ----------
    card : Backbone
    encoder : Module
        As returned by `pretrained_encoder`.
    source : str
        Readable description of the weights.
    early : bool, optional
        Whether values lie (stride - 1) / 2 pixels before the centre of their pixels, as after convolutions with stride
        and symmetric padding; measured by default.

    Attributes
    ----------
    digest : str
        SHA-256 of the weights.
    width : int
        Number of values for each pixel, over all maps.
    """

    input_mean: torch.Tensor
    input_std: torch.Tensor

    def __init__(self, card: Backbone, encoder: nn.Module, source: str, early: bool | None = None) -> None:
        super().__init__()
        self.card, self.source = card, source
        self.encoder = encoder.eval().requires_grad_(False)
        self.digest = _digest(encoder)
        self.register_buffer("input_mean", torch.tensor(card.mean).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("input_std", torch.tensor(card.std).reshape(1, 3, 1, 1), persistent=False)
        self._is_transformer = card.family == "transformer"
        self._patch = int(getattr(encoder, "output_stride", COARSEST))
        self.early = False
        try:
            with torch.no_grad():
                self.width = sum(one.shape[1] for one in self(torch.zeros(1, 3, 64, 64)))
            self.early = not self._is_transformer and (self._measured_early() if early is None else early)
        except (RuntimeError, ValueError, AssertionError, IndexError) as error:
            raise BackboneError(
                f"{card.name} cannot compute features of tiles of any size ({str(error).splitlines()[0]}). Choose one "
                "that can: any from hw.backbones(foundation=True), or for example convnext_tiny."
            ) from error

    @property
    def device(self) -> torch.device:
        """The device that it computes on."""
        return self.input_mean.device

    @property
    def nbytes(self) -> int:
        """Size of the weights, in bytes."""
        return sum(value.numel() * value.element_size() for value in self.encoder.state_dict().values())

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Compute the feature maps of (1, 3, H, W) in [0, 1]; H and W are multiples of 16."""
        x = (pixels - self.input_mean) / self.input_std
        return self._patches(x) if self._is_transformer else self._pyramid(x)

    def _pyramid(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        rows, cols = x.shape[-2:]
        if self.early:  # so that the last row and column have a next one, too
            mode = "reflect" if min(rows, cols) > COARSEST else "replicate"
            x = functional.pad(x, (0, COARSEST, 0, COARSEST), mode=mode)
        maps = []
        for values in self.encoder(x)[1:]:
            if values.shape[1] == 0:
                continue  # this encoder begins at stride 4
            stride = x.shape[-1] // values.shape[-1]
            late = 0.0
            if self.early:
                # The mean of two values of stride 2 is only half a pixel early.
                late = 0.5 / 4 if stride == 2 else (stride - 1) / 2 / stride
            if stride == 2:
                values, stride = functional.avg_pool2d(values, 2), 4
            if late:
                values = moved(values, late, rows // stride, cols // stride)
            maps.append(values)
        return tuple(maps)

    def _patches(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        rows, cols = x.shape[-2:]
        patch = self._patch
        down, right = -rows % patch, -cols % patch
        if down or right:
            mode = "reflect" if down < rows and right < cols else "replicate"
            x = functional.pad(x, (0, right, 0, down), mode=mode)
        maps = self.encoder(x)[0]
        if COARSEST % patch == 0:
            return tuple(maps)
        # Where the centres of a grid of stride 16 lie in that of the patches, which reaches beyond the tile.
        ys, xs = (
            ((torch.arange(length // COARSEST, device=x.device) + 0.5) * COARSEST) / (length + more) * 2 - 1
            for length, more in ((rows, down), (cols, right))
        )
        grid = torch.stack(torch.meshgrid(xs, ys, indexing="xy"), -1)[None].to(maps[0].dtype)
        return tuple(functional.grid_sample(one, grid, padding_mode="border", align_corners=False) for one in maps)

    def _measured_early(self) -> bool:
        """Measure whether the coarsest values lie before the centre of their pixels.

        The pixels that a value depends on are weighted by the square of its derivative. Their centre of mass is that of
        the value's own pixels, or half a stride before it; the measurement needs to tell these two apart only.
        """
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(_PROBES, 3, _PROBE, _PROBE, generator=generator).requires_grad_()
        with torch.enable_grad():
            values = self.encoder(x)[-1]
            stride, middle = _PROBE // values.shape[-1], values.shape[-1] // 2
            (slope,) = torch.autograd.grad(values[..., middle, middle].square().sum(), x)
        weights = slope.square().sum((0, 1))
        places = torch.arange(_PROBE, dtype=torch.float32)
        both = (weights.sum(0) + weights.sum(1)) / 2  # over columns, and over rows
        centre = float((both * places).sum() / both.sum())
        own = middle * stride + (stride - 1) / 2
        return centre - own < -(stride - 1) / 4


def _digest(encoder: nn.Module) -> str:
    found = hashlib.sha256()
    for name, value in sorted(encoder.state_dict().items()):
        found.update(name.encode())
        found.update(np.ascontiguousarray(value.detach().cpu().numpy()).data)
    return found.hexdigest()


@functools.lru_cache(maxsize=_LOADED)
def _loaded(name: str) -> FrozenEncoder:
    card = find_backbone(name)
    encoder = FrozenEncoder(card, *pretrained_encoder(card))
    _to_best_device(encoder)
    return encoder


def frozen_encoder(name: str) -> FrozenEncoder:
    """Return a frozen encoder by the name of its backbone, on the GPU if there is one; the last two stay loaded.

    Raises
    ------
    WeightsUnavailableError
        The weights could not be loaded.
    BackboneError
        The name is unknown, or the encoder cannot compute features.

    Warns
    -----
    HistowidgetsWarning
        The first time, if the licence forbids commercial use or may do so, or if the GPU cannot be used.
    """
    with _loading:
        before = _loaded.cache_info().misses
        encoder = _loaded(name)
        is_new = _loaded.cache_info().misses > before
    terms = licence_terms(encoder.card)
    if is_new and terms:
        warnings.warn(terms, HistowidgetsWarning, stacklevel=4)
    return encoder


def forget_encoders() -> None:
    """Drop the loaded encoders."""
    with _loading:
        _loaded.cache_clear()


def best_devices() -> list[torch.device]:
    """Return the GPU, if there is one, and the processor, in the order in which to try them."""
    names = [
        name
        for name, is_there in (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available()))
        if is_there
    ]
    return [torch.device(name) for name in (*names[:1], "cpu")]


def _to_best_device(encoder: FrozenEncoder) -> None:
    """Move an encoder to the GPU and let it compute once; if that fails, it stays on the processor."""
    for device in best_devices():
        if device.type == "cpu":
            return
        try:
            encoder.to(device)
            features_of(encoder, torch.zeros(1, 3, 64, 64))
        except (RuntimeError, AssertionError) as error:  # out of memory, or not supported by this build of torch
            _leave_device(encoder, error)
        else:
            return


def _leave_device(encoder: FrozenEncoder, error: Exception) -> None:
    device = encoder.device
    encoder.to("cpu")
    if device.type == "cuda":
        torch.cuda.empty_cache()
    lines = str(error).strip().splitlines() or [type(error).__name__]
    warnings.warn(
        f"The GPU cannot be used for {encoder.card.name} ({lines[0]}). "
        "The processor is used instead, which takes longer.",
        HistowidgetsWarning,
        stacklevel=5,
    )


def features_of(encoder: FrozenEncoder, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Compute the feature maps of (1, C, H, W) in [0, 1], as float16 on the processor.

    They are computed on the encoder's device, in 16 bits on a GPU. If it runs out of memory, the encoder is moved to
    the processor, with a warning.
    """
    while True:
        device = encoder.device
        half = half_format(device) if device.type == "cuda" else None
        dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(half or "", torch.bfloat16)
        try:
            with torch.inference_mode(), torch.autocast(device.type, dtype, enabled=half is not None):
                maps = encoder(as_three_channels(pixels.to(device)))
            with torch.inference_mode():
                # Some encoders have values beyond the range of float16.
                top = torch.finfo(torch.float16).max
                return tuple(one.float().clamp(-top, top).half().contiguous().cpu() for one in maps)
        except RuntimeError as error:
            if device.type == "cpu":
                raise
            failed = error
        _leave_device(encoder, failed)


def described(encoder: FrozenEncoder) -> dict[str, Any]:
    """Return what identifies an encoder, for JSON."""
    return {
        "backbone": encoder.card.name,
        "weights": encoder.source,
        "sha256": encoder.digest,
        "licence": encoder.card.licence,
        "early": encoder.early,
    }
