"""Build the encoder of a backbone's card, and load its pretrained weights."""

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
"""Number of feature maps that "dpt" takes from a transformer."""


def encoder_of(card: Backbone, n_channels: int, depth: int) -> nn.Module:
    """Build the encoder of a card, with random weights, for `n_channels` input channels."""
    if card.family == "transformer":
        return _transformer(card, n_channels)
    with warnings.catch_warnings():
        # smp is renaming its timm encoders; we use the names under which it published the weights.
        warnings.filterwarnings("ignore", message="`timm-` encoders are deprecated")
        return smp.encoders.get_encoder(card.encoder, in_channels=n_channels, depth=depth, weights=None)


def transformer_arguments(card: Backbone) -> dict[str, Any]:
    """Return the arguments for building a vision transformer that accepts any tile size, whatever it was trained on."""
    return {"dynamic_img_size": True, **dict(card.arguments)}


def _transformer(card: Backbone, n_channels: int, weights: Path | None = None) -> nn.Module:
    """Build a vision transformer for "dpt", with random weights or those of a file."""
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
    """Load the pretrained weights into an encoder, with the first convolution adapted to `n_channels`.

    Parameters
    ----------
    encoder : Module
        The encoder inside a network; its weights are replaced.
    card : Backbone
        The backbone; its ``weights`` must not be "none".
    n_channels : int
        Input channels, 1 to 64.
    depth : int
        Number of stages of the encoder.

    Returns
    -------
    str
        Readable description of the weights.

    Raises
    ------
    WeightsUnavailableError
        The weights are on the hub or in a package, and could not be loaded.
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
    # The rule of smp: one channel gets the sum over red, green and blue; other numbers repeat them, rescaled.
    three.set_in_channels(n_channels, pretrained=True)
    _copy(three.state_dict(), encoder, card)
    return source


def _copy(state: Mapping[str, torch.Tensor], encoder: nn.Module, card: Backbone) -> None:
    """Copy tensors into an encoder; all its tensors must be present, with the right shapes."""
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
            "that histowidgets requires."
        )
    encoder.load_state_dict({name: state.get(name, value) for name, value in own.items()})
