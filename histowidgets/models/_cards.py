"""Find the card of a backbone by name: of those on offer, or of any encoder of smp or timm."""

import difflib
import re
import warnings
from dataclasses import replace
from functools import cache
from typing import Any

import timm
import torch
from segmentation_models_pytorch.encoders import encoders as smp_encoders

from histowidgets.errors import BackboneError
from histowidgets.models._encoders import encoder_of
from histowidgets.models._hub import weights_name
from histowidgets.models._registry import IMAGENET_MEAN, IMAGENET_STD, Backbone, backbones

_TRANSFORMERS = ("vision_transformer", "eva")
"""The modules of timm whose models are plain vision transformers; the second one includes DINOv3."""

_HUB = "hf-hub:"

_TWINS = {
    "inceptionv4": "inception_v4.tf_in1k",
    "inceptionresnetv2": "inception_resnet_v2.tf_in1k",
    "xception": "legacy_xception.tf_in1k",
    "dpn": "dpn68.mx_in1k",
    "timm-tf_efficientnet_lite": "tf_efficientnet_lite0.in1k",
    "timm-": "tf_efficientnet_b0.ns_jft_in1k",
    "efficientnet-b": "tf_efficientnet_b0.ns_jft_in1k",
    "mobileone": "mobileone_s0.apple_in1k",
}
"""Models of timm whose licence and input scaling apply to smp's weights, which state neither; by name prefix."""

_LICENCES = {
    "mit_b": "NVIDIA SegFormer, non-commercial",
    "resnext101_32x8d": "BSD-3-Clause",
    "resnext101": "CC-BY-NC-4.0",
    "resne": "BSD-3-Clause",
    "vgg": "BSD-3-Clause",
    "densenet": "BSD-3-Clause",
}
"""Licences of smp's weights that timm does not provide: of torchvision, of Facebook's ResNeXt and of SegFormer."""

_UNKNOWN = "see its hub page"

_FREE = {"apache-2.0", "mit", "bsd-3-clause", "cc-by-4.0"}
_FOR_RESEARCH = re.compile(r"\bnc\b|non-?commercial|^apple-amlr$|^seer-license$")


def check_backbone(name: str) -> None:
    """Raise `BackboneError` if there is no backbone with this name."""
    find_backbone(name)


@cache
def find_backbone(name: str) -> Backbone:
    """Return the card of a backbone by name.

    Parameters
    ----------
    name : str
        A name from `backbones()`, its repository on the hub (``hf-hub:owner/repository``), an encoder of
        segmentation-models-pytorch, or a timm model (with or without the prefix ``tu-``).

    Raises
    ------
    BackboneError
        The name is unknown.
    """
    cards = {card.name: card for card in backbones(foundation=True)}
    on_the_hub = {_HUB + card.repository: card for card in cards.values() if card.repository}
    if name in cards or name in on_the_hub:
        return cards[name] if name in cards else on_the_hub[name]
    if name in smp_encoders:
        return _card_of_smp(name)
    timm_name = name.removeprefix("tu-")
    if timm.is_model(timm_name):
        return _card_of_timm(name, timm_name)
    close = difflib.get_close_matches(name, [*cards, *on_the_hub, *smp_encoders, *timm.list_models()], n=3)
    hint = f"Did you mean {', '.join(close)}?" if close else f"Choose one of {', '.join(cards)}."
    raise BackboneError(f"There is no backbone called {name!r}. {hint}")


def _card_of_smp(name: str) -> Backbone:
    twin = next((model for start, model in _TWINS.items() if name.startswith(start)), None)
    config = None if twin is None else timm.get_pretrained_cfg(twin)
    licence = next((terms for start, terms in _LICENCES.items() if name.startswith(start)), _licence(config))
    return _counted(name, name, licence, weights_name(name) is not None, config, "pyramid")


def _card_of_timm(name: str, timm_name: str) -> Backbone:
    config = timm.get_pretrained_cfg(timm_name)
    has_weights = config is not None and bool(config.hf_hub_id)
    is_transformer = any(timm_name in timm.list_models(module=module) for module in _TRANSFORMERS)
    family = "transformer" if is_transformer else "pyramid"
    return _counted(name, f"tu-{timm_name}", _licence(config), has_weights, config, family)


def _counted(name: str, encoder: str, licence: str, has_weights: bool, config: Any, family: Any) -> Backbone:
    """Make a card, and count the parameters of its encoder."""
    card = Backbone(
        name,
        encoder,
        None,
        licence,
        "hub" if has_weights else "none",
        _three(config.mean if config else (), IMAGENET_MEAN),
        _three(config.std if config else (), IMAGENET_STD),
        commercial_use=_allows_trade(licence),
        family=family,
    )
    return card if (n := _parameters(card)) is None else replace(card, parameters=n)


def _parameters(card: Backbone) -> int | None:
    """Count the parameters of an encoder; None if it cannot be built, which is reported when a network is built."""
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        # On the meta device if possible; some encoders read their own weights while they are built.
        for device in ("meta", "cpu"):
            try:
                with torch.device(device):
                    return sum(p.numel() for p in encoder_of(card, 3, 5).parameters())
            except Exception:  # noqa: BLE001 - what an unsuitable model raises depends on where it fails
                continue
    return None


def _licence(config: Any) -> str:
    licence = str(getattr(config, "license", None) or "unknown")
    return _UNKNOWN if licence == "unknown" else licence


def _allows_trade(licence: str) -> bool | None:
    if _FOR_RESEARCH.search(licence.lower()):
        return False
    return True if licence.lower() in _FREE else None


def _three(values: Any, default: tuple[float, float, float]) -> tuple[float, float, float]:
    if len(values) != 3:
        return default
    return float(values[0]), float(values[1]), float(values[2])
