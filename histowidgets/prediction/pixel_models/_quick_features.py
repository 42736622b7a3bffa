"""Features of the quick learner: a pyramid of hand-made textures, and the first stages of a frozen encoder.

The textures are multi-scale filters like those of ilastik and Labkit, on a half-size pyramid of four levels. They are
complemented by the feature maps of an ImageNet encoder at strides 2 to 16. Both are kept at their own resolutions and
sampled bilinearly, which takes a quarter of the memory of features for each pixel.
"""

import functools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from histowidgets.models import DEFAULT_BACKBONE, Network, NetworkSpec, build_network

#: Number of channels up to which all textures of each channel are computed (63 values for RGB).
TEXTURE_CHANNELS = 6

PYRAMID_LEVELS = 4
#: Blur, local deviation, gradient and two Hessian eigenvalues, for each channel and level.
TEXTURES = 5

#: By how much of the next value the encoder's maps are moved so that each lies at the centre of its pixels. A
#: convolution with stride and symmetric padding is centred on the first of its pixels: at stride s, (s - 1) / 2 pixels
#: too early. The first map is the mean of two values of stride 2, so that it is only half a pixel off.
_CENTRING = (0.5 / 4, 1.5 / 4, 3.5 / 8, 7.5 / 16)
_STRIDES = (4, 4, 8, 16)

_building = threading.Lock()

#: A Gaussian of standard deviation 1, cut at 3 (rounded; the sum is 1.00001).
_KERNEL = (0.00443, 0.05401, 0.24204, 0.39905, 0.24204, 0.05401, 0.00443)


def pyramid_width(n_channels: int) -> int:
    """Return the number of hand-made values per pixel: 63 for RGB."""
    if n_channels <= TEXTURE_CHANNELS:
        return n_channels * (PYRAMID_LEVELS * TEXTURES + 1)
    return n_channels * (PYRAMID_LEVELS + 1) + PYRAMID_LEVELS * (TEXTURES - 1)


def color_width(n_channels: int) -> int:
    """Return the number of colour features (the pixel and its blur), which precede the other hand-made features."""
    return 2 * n_channels


@dataclass(frozen=True)
class QuickFeatures:
    """Features of one tile, stored as float16.

    Attributes
    ----------
    pyramid : tuple of Tensor (1, values, rows, cols)
        At strides 2, 4, 8, 16.
    deep : tuple of Tensor (1, values, rows, cols)
        At strides 4, 4, 8, 16.
    """

    pyramid: tuple[torch.Tensor, ...]
    deep: tuple[torch.Tensor, ...]

    @property
    def nbytes(self) -> int:
        """Memory that the features use, in bytes."""
        return sum(t.numel() * t.element_size() for t in (*self.pyramid, *self.deep))

    def at(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Sample the features at points.

        Parameters
        ----------
        points : Tensor of (N, 2)
            x and y as fractions of the tile's width and height, 0 to 1.

        Returns
        -------
        pyramid, deep : Tensor of float32, (N, values)
        """
        return sampled(self.pyramid, points), sampled(self.deep, points)

    def full(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Enlarge the features to stride 2 (pyramid) and 4 (deep): float32 (1, values, rows, cols)."""
        return _enlarged(self.pyramid), _enlarged(self.deep)

    def coarse(self) -> "QuickFeatures":
        """Drop every second row and column of the finest textures, so that all are at stride 4 or coarser."""
        return QuickFeatures((self.pyramid[0][..., ::2, ::2], *self.pyramid[1:]), self.deep)


def sampled(maps: Sequence[torch.Tensor], points: torch.Tensor) -> torch.Tensor:
    """Sample maps at points (N, 2), as fractions of the width and height; return float32 (N, values)."""
    grid = (points * 2 - 1).reshape(1, 1, -1, 2).to(torch.float32)
    values = [functional.grid_sample(one.float(), grid, padding_mode="border", align_corners=False) for one in maps]
    return torch.cat(values, 1)[0, :, 0].T.contiguous()


def _enlarged(maps: tuple[torch.Tensor, ...]) -> torch.Tensor:
    size = maps[0].shape[-2:]
    return torch.cat(
        [
            m.float()
            if m.shape[-2:] == size
            else functional.interpolate(m.float(), size=size, mode="bilinear", align_corners=False)
            for m in maps
        ],
        1,
    )


def pyramid_features(pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Compute the hand-made features of (1, C, H, W) in [0, 1]; H and W are multiples of 16."""
    base = functional.avg_pool2d(pixels, 2)
    levels = []
    for level in range(PYRAMID_LEVELS):
        if level:
            base = functional.avg_pool2d(base, 2)
        parts = [base] if level == 0 else []
        blurred = _blur(base)
        parts.append(blurred)
        if pixels.shape[1] <= TEXTURE_CHANNELS:
            parts += _textures(base, blurred)
        else:  # many channels: textures of their mean, and the values of each channel
            parts += _textures(base.mean(1, keepdim=True), blurred.mean(1, keepdim=True))
        levels.append(torch.cat(parts, 1))
    return tuple(levels)


def _textures(base: torch.Tensor, blurred: torch.Tensor) -> list[torch.Tensor]:
    deviation = (_blur(base * base) - blurred * blurred).clamp_min(1e-8).sqrt()
    edged = functional.pad(blurred, (1, 1, 1, 1), mode="replicate")
    centre = edged[..., 1:-1, 1:-1]
    left, right = edged[..., 1:-1, :-2], edged[..., 1:-1, 2:]
    up, down = edged[..., :-2, 1:-1], edged[..., 2:, 1:-1]
    gradient = torch.hypot(right - left, down - up) / 2
    xx, yy = left + right - 2 * centre, up + down - 2 * centre
    xy = (edged[..., 2:, 2:] + edged[..., :-2, :-2] - edged[..., 2:, :-2] - edged[..., :-2, 2:]) / 4
    middle, spread = (xx + yy) / 2, torch.hypot((xx - yy) / 2, xy)
    return [deviation, gradient, middle + spread, middle - spread]


def _blur(values: torch.Tensor) -> torch.Tensor:
    """Blur each channel with a Gaussian of standard deviation 1; edges are repeated."""
    n_channels, reach = values.shape[1], len(_KERNEL) // 2
    kernel = torch.tensor(_KERNEL, dtype=values.dtype)
    kernel = kernel / kernel.sum()
    across = kernel.reshape(1, 1, 1, -1).expand(n_channels, 1, 1, -1)
    padded = functional.pad(values, (reach, reach, reach, reach), mode="replicate")
    return functional.conv2d(
        functional.conv2d(padded, across, groups=n_channels), across.transpose(2, 3), groups=n_channels
    )


class _Fused(nn.Module):
    """Convolutions with folded batch norm, each followed by its activation, with an optional shortcut."""

    def __init__(self, pairs: Sequence[tuple[nn.Conv2d, nn.BatchNorm2d]], shortcut: bool) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for convolution, norm in pairs:
            layers += [fuse_conv_bn_eval(convolution, norm), getattr(norm, "act", nn.Identity())]
        self.layers = nn.Sequential(*layers)
        self.shortcut = shortcut

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.layers(x)
        return y + x if self.shortcut else y


def _fused_block(block: Any) -> _Fused:
    """Fuse a block of timm's EfficientNet: depthwise separable, or inverted residual."""
    if hasattr(block, "conv_pwl"):
        pairs = [(block.conv_pw, block.bn1), (block.conv_dw, block.bn2), (block.conv_pwl, block.bn3)]
    else:
        pairs = [(block.conv_dw, block.bn1), (block.conv_pw, block.bn2)]
    return _Fused(pairs, bool(block.has_skip))


class DeepStages(nn.Module):
    """The frozen stages of efficientnet-lite0 up to stride 16, shared by all quick classifiers of the process.

    Parameters
    ----------
    network : Network
        The network whose encoder is used; it is set to evaluation mode.
    centred : bool, default True
        Whether to move the maps so that their values lie at the centres of their pixels; False for classifiers of
        version 0.1, which were fitted without.
    """

    input_mean: torch.Tensor
    input_std: torch.Tensor

    def __init__(self, network: Network, centred: bool = True) -> None:
        super().__init__()
        self.centred = centred
        self.token = object()  # distinguishes its features from those of other weights
        encoder: Any = network.eval().core.encoder
        blocks = encoder.blocks
        self.stages = nn.ModuleList(
            [
                _Fused([(encoder.conv_stem, encoder.bn1)], shortcut=False),
                nn.Sequential(*(_fused_block(b) for i in (0, 1) for b in blocks[i])),
                nn.Sequential(*(_fused_block(b) for b in blocks[2])),
                nn.Sequential(*(_fused_block(b) for i in (3, 4) for b in blocks[i])),
            ]
        )
        self.register_buffer("input_mean", network.input_mean)
        self.register_buffer("input_std", network.input_std)
        # With folded norms and channels last, it takes half the time of the plain encoder (measured).
        self.eval().requires_grad_(False)
        self.stages.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Compute the feature maps of (1, C, H, W) in [0, 1] at strides 4, 4, 8 and 16."""
        x = (as_three_channels(pixels) - self.input_mean) / self.input_std
        if self.centred:  # so that the last row and column have a next one, too
            more = _STRIDES[-1]
            mode = "reflect" if min(x.shape[-2:]) > more else "replicate"
            x = functional.pad(x, (0, more, 0, more), mode=mode)
        x = x.contiguous(memory_format=torch.channels_last)
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        maps[0] = functional.avg_pool2d(maps[0], 2)
        if not self.centred:
            return tuple(maps)
        rows, cols = pixels.shape[-2:]
        sizes = [(rows // stride, cols // stride) for stride in _STRIDES]
        return tuple(moved(one, share, *size) for one, share, size in zip(maps, _CENTRING, sizes, strict=True))


def moved(values: torch.Tensor, share: float, rows: int, cols: int) -> torch.Tensor:
    """Interpolate the first rows and columns with the next ones."""
    for axis, length in ((-2, rows), (-1, cols)):
        values = torch.lerp(values.narrow(axis, 0, length), values.narrow(axis, 1, length), share)
    return values


def as_three_channels(pixels: torch.Tensor) -> torch.Tensor:
    """Make three channels for an encoder trained on RGB.

    Three channels are unchanged; one is repeated; for two, their mean is added; for more, each of the three is the mean
    of a third of them, in order.
    """
    n_channels = pixels.shape[1]
    if n_channels == 3:
        return pixels
    if n_channels == 1:
        return pixels.expand(-1, 3, -1, -1)
    if n_channels == 2:
        return torch.cat([pixels, pixels.mean(1, keepdim=True)], 1)
    return torch.cat([part.mean(1, keepdim=True) for part in pixels.tensor_split(3, dim=1)], 1)


@functools.lru_cache(maxsize=1)
def _built_stages() -> DeepStages:
    return DeepStages(build_network(NetworkSpec(backbone=DEFAULT_BACKBONE)))


def deep_stages() -> DeepStages:
    """Return the shared frozen stages with the bundled ImageNet weights; they are built on the first call."""
    with _building:
        return _built_stages()


def quick_features(pixels: torch.Tensor, stages: Callable[[torch.Tensor], tuple[torch.Tensor, ...]]) -> QuickFeatures:
    """Compute both kinds of features of (1, C, H, W) in [0, 1], the second by `stages`; H, W are multiples of 16."""
    with torch.inference_mode():
        return QuickFeatures(
            tuple(m.half() for m in pyramid_features(pixels)),
            tuple(m.half().contiguous() for m in stages(pixels)),
        )
