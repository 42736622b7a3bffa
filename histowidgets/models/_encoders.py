"""Build the encoder of a backbone's card, and load its pretrained weights."""

import re
import warnings
from collections.abc import Mapping
from typing import Any

import segmentation_models_pytorch as smp
import timm.layers
import torch
from segmentation_models_pytorch.encoders.timm_vit import TimmViTEncoder
from torch import nn

from histowidgets.errors import BackboneError
from histowidgets.models._bundled import packaged_state
from histowidgets.models._hub import WeightsUnavailableError, fetch_weights, read_weights
from histowidgets.models._registry import Backbone

TRANSFORMER_DEPTH = 4
"""Number of feature maps that "dpt" and the quick learner take from a transformer."""

PYRAMID_DEPTH = 4
"""Number of halvings of the maps that the quick learner takes from other encoders: the coarsest has stride 16."""


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
    given: dict[str, Any] = dict(card.arguments)
    if "mlp_layer" in given:
        given["mlp_layer"] = getattr(timm.layers, given["mlp_layer"])
    return {"dynamic_img_size": True, **given}


def _transformer(card: Backbone, n_channels: int, state: Mapping[str, torch.Tensor] | None = None) -> nn.Module:
    """Build a vision transformer, with random weights or those of a file."""
    classes = {name: value for name, value in card.arguments if name == "num_classes"}
    try:
        return TimmViTEncoder(
            card.encoder.removeprefix("tu-"),
            pretrained=state is not None,
            in_channels=n_channels,
            depth=TRANSFORMER_DEPTH,
            pretrained_cfg_overlay=None if state is None else {"state_dict": dict(state), **classes},
            **transformer_arguments(card),
        )
    except RuntimeError as error:
        if state is None:
            raise
        raise _does_not_fit(card, str(error).splitlines()[-1].strip()) from error


def pretrained_encoder(card: Backbone) -> tuple[nn.Module, str]:
    """Build the encoder of a card for three channels, with its pretrained weights, for use without training.

    Parameters
    ----------
    card : Backbone

    Returns
    -------
    encoder : Module
        In evaluation mode. One of the family "pyramid" returns five maps, at strides 1, 2, 4, 8 and 16 (some lack that
        of stride 2: it then has no values); one of the family "transformer" returns the maps of four layers, with one
        value for each patch, and its prefix tokens.
    source : str
        Readable description of the weights.

    Raises
    ------
    WeightsUnavailableError
        There are no weights, or they could not be loaded.
    BackboneError
        The encoder cannot be built, or the weights do not fit it.
    """
    if card.weights == "none":
        raise WeightsUnavailableError("nobody has published any")
    if card.family == "transformer":
        path, source = fetch_weights(card)
        return _transformer(card, 3, _as_timm(read_weights(path))).eval(), source
    encoder = encoder_without_weights(card)
    return encoder.eval(), load_pretrained(encoder, card, 3, PYRAMID_DEPTH)


def encoder_without_weights(card: Backbone) -> nn.Module:
    """Build the encoder that `pretrained_encoder` returns, with random weights.

    Raises
    ------
    BackboneError
        The encoder cannot be built.
    """
    try:
        return encoder_of(card, 3, PYRAMID_DEPTH)
    except (RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackboneError(f"{card.name} cannot be used as a frozen encoder ({error}). Try resnet18.") from error


_TRANSFORMERS_NAMES = (
    (r"^embeddings\.cls_token$", "cls_token"),
    (r"^embeddings\.position_embeddings$", "pos_embed"),
    (r"^embeddings\.register_tokens$", "reg_token"),
    (r"^embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"^layernorm\.", "norm."),
    (r"^encoder\.layer\.", "blocks."),
    (r"\.attention\.output\.dense\.", ".attn.proj."),
    (r"\.layer_scale(\d)\.lambda1$", r".ls\1.gamma"),
    (r"\.mlp\.weights_in\.", ".mlp.fc1."),
    (r"\.mlp\.weights_out\.", ".mlp.fc2."),
)
"""How the library transformers names the tensors of a DINOv2 encoder, and how timm does."""

_THIRDS = re.compile(r"^encoder\.layer\.(\d+)\.attention\.attention\.(query|key|value)\.(weight|bias)$")


def _as_timm(state: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
    """Rename the tensors of a DINOv2 encoder that the library transformers has saved; others are unchanged.

    Queries, keys and values are one layer in timm and three in transformers.
    """
    if not any(name.startswith("encoder.layer.") for name in state):
        return state
    found: dict[str, torch.Tensor] = {}
    for name, value in state.items():
        third = _THIRDS.match(name)
        if third is not None:
            if third[2] == "query":
                parts = [state[name.replace(".query.", f".{part}.")] for part in ("query", "key", "value")]
                found[f"blocks.{third[1]}.attn.qkv.{third[3]}"] = torch.cat(parts)
        elif name != "embeddings.mask_token":
            for pattern, ours in _TRANSFORMERS_NAMES:
                name = re.sub(pattern, ours, name)
            found[name] = value
    return found


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
        _copy(_transformer(card, n_channels, _as_timm(read_weights(path))).state_dict(), encoder, card)
        return source
    if card.encoder.startswith("tu-"):
        path, source = fetch_weights(card)
        source_encoder = smp.encoders.TimmUniversalEncoder(
            name=card.encoder.removeprefix("tu-"),
            in_channels=n_channels,
            depth=depth,
            pretrained=True,
            pretrained_cfg_overlay={"state_dict": read_weights(path)},
        )
        _copy(source_encoder.state_dict(), encoder, card)
        return source
    state: Mapping[str, torch.Tensor]
    if card.weights in ("bundled", "package"):
        state, source = packaged_state(card.name), "ImageNet weights that come with the installation"
    else:
        path, source = fetch_weights(card)
        state = read_weights(path)
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
        raise _does_not_fit(card, f"{wrong[0]} and {len(wrong) - 1} more tensors are missing or have another shape")
    encoder.load_state_dict({name: state.get(name, value) for name, value in own.items()})


def _does_not_fit(card: Backbone, why: str) -> BackboneError:
    return BackboneError(
        f"The weights of {card.name} do not fit its encoder: {why}. Install the versions of timm and "
        "segmentation-models-pytorch that histowidgets requires."
    )
