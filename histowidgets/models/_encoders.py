"""From a backbone's card to an encoder with its pretrained weights."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import segmentation_models_pytorch as smp
import torch
from segmentation_models_pytorch.encoders.timm_vit import TimmViTEncoder
from torch import nn

from histowidgets.errors import BackboneError
from histowidgets.models._bundled import packaged_state
from histowidgets.models._hub import fetch_weights
from histowidgets.models._registry import Backbone

TRANSFORMER_DEPTH = 4
"""Feature maps that "dpt" takes from a transformer."""


def encoder_of(card: Backbone, n_channels: int, depth: int) -> nn.Module:
    """Build the encoder of a card with random weights for `n_channels` input channels."""
    if card.family == "transformer":
        return _transformer(card, n_channels)
    with warnings.catch_warnings():
        # smp renames its timm encoders; the name we use is the one its own weights were published under.
        warnings.filterwarnings("ignore", message="`timm-` encoders are deprecated")
        return smp.encoders.get_encoder(card.encoder, in_channels=n_channels, depth=depth, weights=None)


def transformer_arguments(card: Backbone) -> dict[str, Any]:
    """Return what a vision transformer is built with: tiles are of any size, whatever it learned from."""
    return {"dynamic_img_size": True, **dict(card.arguments)}


def _transformer(card: Backbone, n_channels: int, weights: Path | None = None) -> nn.Module:
    """Build a vision transformer as "dpt" has it, with random weights or those of a file."""
    classes = {name: value for name, value in card.arguments if name == "num_classes"}
    return TimmViTEncoder(
        card.encoder.removeprefix("tu-"),
        pretrained=weights is not None,
        in_channels=n_channels,
        depth=TRANSFORMER_DEPTH,
        pretrained_cfg_overlay=None if weights is None else {"file": str(weights), **classes},
        **transformer_arguments(card),
    )


def load_pretrained(encoder: nn.Module, card: Backbone, n_channels: int, depth: int) -> str:
    """Fill an encoder with its pretrained weights, the first convolution adapted to `n_channels`.

    Parameters
    ----------
    encoder : Module
        The encoder inside a network; its weights are replaced.
    card : Backbone
        Whose weights; ``weights`` is not "none".
    n_channels : int
        Input channels, 1 to 64.
    depth : int
        Number of stages of the encoder.

    Returns
    -------
    str
        What the weights are, for people to read.

    Raises
    ------
    WeightsUnavailableError
        The weights lie on the hub, or in a package, and could not be had.
    BackboneError
        The weights do not fit the encoder.
    """
    if card.family == "transformer":
        path, source = fetch_weights(card)
        _copy(_transformer(card, n_channels, path).state_dict(), encoder, card)
        return source
    if card.encoder.startswith("tu-"):
        path, source = fetch_weights(card)
        source_encoder = smp.encoders.TimmUniversalEncoder(
            name=card.encoder.removeprefix("tu-"),
            in_channels=n_channels,
            depth=depth,
            pretrained=True,
            pretrained_cfg_overlay={"file": str(path)},
        )
        _copy(source_encoder.state_dict(), encoder, card)
        return source
    state: Mapping[str, torch.Tensor]
    if card.weights in ("bundled", "package"):
        state, source = packaged_state(card.name), "ImageNet weights that come with the installation"
    else:
        from safetensors.torch import load_file

        path, source = fetch_weights(card)
        state = load_file(path)
    three: Any = encoder_of(card, 3, depth)
    _copy(state, three, card)
    # smp's own rule: one channel takes the sum over red, green and blue, others repeat them, scaled.
    three.set_in_channels(n_channels, pretrained=True)
    _copy(three.state_dict(), encoder, card)
    return source


def _copy(state: Mapping[str, torch.Tensor], encoder: nn.Module, card: Backbone) -> None:
    """Copy tensors into an encoder; every tensor the encoder has must come, in its shape."""
    own = encoder.state_dict()
    wrong = [
        name
        for name, value in own.items()
        if name not in state or state[name].shape != value.shape
        if not name.endswith("num_batches_tracked")
    ]
    if wrong:
        raise BackboneError(
            f"The weights of {card.name} do not fit its encoder: {wrong[0]} and {len(wrong) - 1} more tensors are "
            "missing or have another shape. Install the versions of timm and segmentation-models-pytorch "
            "that histowidgets asks for."
        )
    encoder.load_state_dict({name: state.get(name, value) for name, value in own.items()})
