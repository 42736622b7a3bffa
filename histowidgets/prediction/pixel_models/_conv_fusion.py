"""A network made ready for prediction alone: fewer steps, the same answer."""

import itertools
from typing import Any

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


class ConvAct(nn.Module):
    """A convolution and the activation after it as one step of oneDNN, so that its output is written once.

    The operator is the one that torch's own compiler uses on processors; it is not public, so whoever makes this
    compares the answer, and does without it where it is not there.

    Parameters
    ----------
    conv : Conv2d
        With zeros as padding.
    activation : (str, list of float)
        As the operator names it, with its numbers.
    """

    def __init__(self, conv: nn.Conv2d, activation: tuple[str, list[float]]) -> None:
        super().__init__()
        self.weight, self.bias = conv.weight, conv.bias
        self._shape = (conv.padding, conv.stride, conv.dilation, conv.groups)
        self._activation, self._numbers = activation

    @property
    def is_plain_relu(self) -> bool:
        """Whether this is a 3 x 3 convolution at every pixel, followed by a ReLU."""
        padding, stride, dilation, groups = self._shape
        alike = [tuple(values) for values in (padding, stride, dilation)] == [(1, 1)] * 3  # type: ignore[arg-type]
        return alike and groups == 1 and self.weight.shape[2:] == (3, 3) and self._activation == "relu"

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Compute the activated convolution."""
        compute: Any = torch.ops.mkldnn._convolution_pointwise
        found: torch.Tensor = compute(x, self.weight, self.bias, *self._shape, self._activation, self._numbers, "")
        return found


class LowerPrecision(nn.Module):
    """A network whose weights and values have fewer bits; what goes in and out is fp32.

    Parameters
    ----------
    core : Module
        Is changed.
    dtype : torch.dtype
    """

    def __init__(self, core: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.core, self._dtype = core.to(dtype), dtype

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Compute logits."""
        found: torch.Tensor = self.core(x.to(self._dtype)).float()
        return found


def fold(module: nn.Module, with_activations: bool) -> None:
    """Fold each batch norm into the convolution that is listed right before it, and so most likely runs before it.

    Parameters
    ----------
    module : Module
        Is changed.
    with_activations : bool
        Whether the activation that follows becomes part of the convolution too.
    """
    children = list(module.named_children())
    for i, ((name, conv), (norm_name, norm)) in enumerate(itertools.pairwise(children)):
        if not isinstance(conv, nn.Conv2d) or not isinstance(norm, nn.BatchNorm2d):
            continue
        if not norm.track_running_stats or conv.out_channels != norm.num_features:
            continue
        fused = fuse_conv_bn_eval(conv, norm)
        conv.weight, conv.bias = fused.weight, fused.bias
        inner = getattr(norm, "act", None)  # timm's batch norm carries its activation
        setattr(module, norm_name, nn.Identity() if inner is None else inner)
        after = norm_name if inner is not None else children[i + 2][0] if i + 2 < len(children) else None
        activation = None if after is None else _named(getattr(module, after))
        if with_activations and after is not None and activation is not None and _plain(conv):
            setattr(module, name, ConvAct(conv, activation))
            setattr(module, after, nn.Identity())
    for child in module.children():
        fold(child, with_activations)


def _plain(conv: nn.Conv2d) -> bool:
    return type(conv) is nn.Conv2d and conv.padding_mode == "zeros" and not isinstance(conv.padding, str)


def _named(activation: object) -> tuple[str, list[float]] | None:
    """Return an activation as oneDNN's operator names it; None for one that it does not have."""
    if type(activation) is nn.ReLU:
        return "relu", []
    if type(activation) is nn.ReLU6:
        return "hardtanh", [0.0, 6.0]
    return None
