"""The decoder of a U-Net made ready for prediction alone.

Each block enlarges its input twice by repeating pixels, joins what the encoder kept, and convolves. Several of its
nine weights then meet copies of the same pixel, and can be summed beforehand: four convolutions of 2 x 2 at the small
size, one for each of the four places in an enlarged pixel, give the same for less than half of the work.
"""

from typing import Any, cast

import torch
from segmentation_models_pytorch.decoders.unet.decoder import UnetDecoderBlock
from torch import nn

from histowidgets.prediction.pixel_models._conv_fusion import ConvAct

_SAME: tuple[list[int], list[int], list[int], int] = ([1, 1], [1, 1], [1, 1], 1)
"""Padding, stride, dilation, groups."""


class EnlargeBlock(nn.Module):
    """A block of the decoder that convolves before it enlarges.

    Parameters
    ----------
    block : UnetDecoderBlock
        Folded, with `ConvAct` inside.
    n_enlarged : int
        Channels of what is enlarged; what the encoder kept comes after them.
    """

    def __init__(self, block: UnetDecoderBlock, n_enlarged: int) -> None:
        super().__init__()
        self.plain = block
        conv = cast(ConvAct, block.conv1[0])
        weight, self._n_out = conv.weight.detach(), conv.weight.shape[0]
        self.enlarging = _kept(_by_place(weight[:, :n_enlarged]))
        self.joining = _kept(weight[:, n_enlarged:].clone()) if weight.shape[1] > n_enlarged else None
        bias = torch.zeros(self._n_out) if conv.bias is None else conv.bias.detach()
        self.bias, self.bias_by_place = _kept(bias.clone()), _kept(bias.repeat(4))

    def forward(
        self, feature_map: torch.Tensor, target_height: int, target_width: int, skip_connection: Any = None
    ) -> torch.Tensor:
        """Compute what the block would."""
        n, _, height, width = feature_map.shape
        if (target_height, target_width) != (2 * height, 2 * width) or (skip_connection is None) != (
            self.joining is None
        ):
            plain: torch.Tensor = self.plain(feature_map, target_height, target_width, skip_connection=skip_connection)
            return plain
        compute: Any = torch.ops.mkldnn._convolution_pointwise
        if self.joining is None:
            small = compute(feature_map, self.enlarging, self.bias_by_place, *_SAME, "relu", [], "")
        else:
            small = compute(feature_map, self.enlarging, None, *_SAME, "none", [], "")
        whole = torch.empty(
            (n, self._n_out, target_height, target_width), dtype=small.dtype, memory_format=torch.channels_last
        )
        places = small.split(self._n_out, 1)
        for row in (0, 1):
            for column in (0, 1):
                part = places[2 * row + column]
                whole[..., row::2, column::2] = part[..., row : row + height, column : column + width]
        if self.joining is not None:
            whole = compute.binary(skip_connection, whole, self.joining, self.bias, *_SAME, "add", None, "relu", [], "")
        found: torch.Tensor = self.plain.attention2(self.plain.conv2(whole))
        return found


def fold_decoder(core: nn.Module) -> None:
    """Replace the blocks of a U-Net's decoder, as far as they are what is expected.

    Parameters
    ----------
    core : Module
        Of a `Network`, folded with its activations; is changed.
    """
    blocks = getattr(getattr(core, "decoder", None), "blocks", None)
    encoder: Any = getattr(core, "encoder", None)
    if not isinstance(blocks, nn.ModuleList) or encoder is None:
        return
    n_enlarged = int(encoder.out_channels[-1])
    for i, block in enumerate(blocks):
        if type(block) is not UnetDecoderBlock or not _expected(block):
            return
        blocks[i] = EnlargeBlock(block, n_enlarged)
        n_enlarged = cast(Any, block).conv1[0].weight.shape[0]


def _expected(block: UnetDecoderBlock) -> bool:
    conv = block.conv1[0]
    plain = isinstance(getattr(block.attention1, "attention", None), nn.Identity)
    return block.interpolation_mode == "nearest" and plain and isinstance(conv, ConvAct) and conv.is_plain_relu


def _by_place(weight: torch.Tensor) -> torch.Tensor:
    """Sum the weights (O, C, 3, 3) that meet copies of one pixel: (4 O, C, 2, 2), by place in the enlarged pixel."""
    places = []
    for rows in _pairs(weight, 2):
        places += _pairs(rows, 3)
    return torch.cat(places)


def _pairs(weight: torch.Tensor, axis: int) -> list[torch.Tensor]:
    """Sum three weights along an axis to two, for the first and for the second half of an enlarged pixel."""
    first, middle, last = weight.unbind(axis)
    return [torch.stack([first, middle + last], axis), torch.stack([first + middle, last], axis)]


def _kept(tensor: torch.Tensor) -> nn.Parameter:
    return nn.Parameter(tensor, requires_grad=False)
