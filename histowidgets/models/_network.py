"""Build networks with one interface: pixels in [0, 1] in, logits of the same size out."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

import segmentation_models_pytorch as smp
import torch
from torch import nn
from torch.nn import functional

from histowidgets.errors import BackboneError
from histowidgets.models._cards import find_backbone
from histowidgets.models._encoders import TRANSFORMER_DEPTH, load_pretrained, transformer_arguments
from histowidgets.models._hub import WeightsUnavailableError
from histowidgets.models._registry import ARCHITECTURES, DEFAULT_BACKBONE, Backbone, backbones

MULTIPLE = 32
"""The encoder's input sides are multiples of this: it halves them five times."""

PATCH = 16
"""Side of the patches of a vision transformer, in pixels; `MULTIPLE` is a multiple of it."""

_DEPTH = {"pspnet": 3}
"""Number of encoder stages that an architecture uses, if not five (smp's defaults)."""

_LEAST_SIDE = {"pan": 128}
"""Smallest input sides for which an architecture's pooling pyramid has pixels left to pool."""

_SMALL_TILE = 64
"""Side of the smallest tile that can be set, in pixels."""

_WITH_DECODER_CHANNELS = ("unet", "unetplusplus", "manet")


@dataclass(frozen=True)
class NetworkSpec:
    """The description from which a network can be rebuilt.

    Attributes
    ----------
    architecture : str
        One of `ARCHITECTURES`.
    backbone : str
        Name of the backbone; see `backbones`.
    n_channels : int
        Input channels, 1 to 64.
    n_classes : int
        Classes, 2 to 254.
    decoder_channels : tuple of int or None
        Widths of the decoder's blocks, from coarse to fine: five, or four if `output_stride` is 2; None for the
        architecture's defaults. U-Net, U-Net++ and MA-Net only.
    output_stride : {1, 2}
        With 2, the last block of a U-Net's decoder is left out, and the logits are upsampled by 2.
    """

    architecture: str = "unet"
    backbone: str = DEFAULT_BACKBONE
    n_channels: int = 3
    n_classes: int = 2
    decoder_channels: tuple[int, ...] | None = None
    output_stride: int = 1

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES:
            raise BackboneError(
                f"There is no architecture called {self.architecture!r}; use one of {', '.join(ARCHITECTURES)}."
            )
        if not 1 <= self.n_channels <= 64:
            raise BackboneError(f"A network takes 1 to 64 channels, not {self.n_channels}; choose fewer channels.")
        if not 2 <= self.n_classes <= 254:
            raise BackboneError(f"A network distinguishes 2 to 254 classes, not {self.n_classes}.")
        if self.output_stride not in (1, 2) or (self.output_stride == 2 and self.architecture != "unet"):
            raise BackboneError(
                f"output_stride is {self.output_stride} with {self.architecture}; use 1, or 2 with architecture 'unet'."
            )
        self._check_decoder()

    def _check_decoder(self) -> None:
        if self.decoder_channels is None:
            return
        wanted = 4 if self.output_stride == 2 else 5
        if self.architecture not in _WITH_DECODER_CHANNELS:
            raise BackboneError(
                f"{self.architecture} has no decoder_channels; leave them at None, or use "
                f"{', '.join(_WITH_DECODER_CHANNELS)}."
            )
        if len(self.decoder_channels) != wanted or min(self.decoder_channels) < 1:
            raise BackboneError(
                f"decoder_channels is {self.decoder_channels}; expected {wanted} positive numbers "
                f"for output_stride {self.output_stride}."
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the spec as plain values for JSON."""
        values = asdict(self)
        if self.decoder_channels is not None:
            values["decoder_channels"] = list(self.decoder_channels)
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "NetworkSpec":
        """Build a spec from the values of `to_dict`.

        Raises
        ------
        BackboneError
            A value is missing, unknown or impossible.
        """
        known = dict(values)
        channels = known.get("decoder_channels")
        if channels is not None:
            known["decoder_channels"] = tuple(int(width) for width in channels)
        try:
            return cls(**known)
        except TypeError as error:
            raise BackboneError(f"This is not a description of a network: {error}.") from error


class Network(nn.Module):
    """A segmentation network that includes its input scaling.

    Attributes
    ----------
    spec : NetworkSpec
        The description of the network, with the backbone that is actually used.
    weights_used : str
        Readable description of where the encoder's weights came from.
    core : Module
        The network of segmentation-models-pytorch: ``core.encoder``, ``core.decoder``, ``core.segmentation_head``.
    kept_still : tuple of Module
        Modules that ``train()`` leaves in evaluation mode; set by `apply_freeze`.
    """

    input_mean: torch.Tensor
    input_std: torch.Tensor
    multiple = MULTIPLE

    def __init__(self, spec: NetworkSpec, core: nn.Module, mean: torch.Tensor, std: torch.Tensor) -> None:
        super().__init__()
        self.spec = spec
        self.core = core
        self.weights_used = "random"
        self.kept_still: tuple[nn.Module, ...] = ()
        # Saved with the weights, so that a loaded network scales its input as in training.
        self.register_buffer("input_mean", mean)
        self.register_buffer("input_std", std)

    @property
    def encoder(self) -> nn.Module:
        """The encoder of the core."""
        return cast(nn.Module, self.core.encoder)

    def train(self, mode: bool = True) -> "Network":
        """Set training mode, except for the modules in `kept_still`."""
        super().train(mode)
        for module in self.kept_still:
            module.training = False
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Compute logits.

        Parameters
        ----------
        x : Tensor
            (N, C, H, W), float, in [0, 1]; any height and width.

        Returns
        -------
        Tensor
            (N, K, H, W) logits.
        """
        height, width = x.shape[-2:]
        x = (x - self.input_mean) / self.input_std
        least = _LEAST_SIDE.get(self.spec.architecture, MULTIPLE)
        down = max(least - height, -height % MULTIPLE)
        right = max(least - width, -width % MULTIPLE)
        if down or right:
            # Reflection can add at most as many pixels as there are, minus one.
            mode = "reflect" if down < height and right < width else "replicate"
            x = functional.pad(x, (0, right, 0, down), mode=mode)
        logits = self.core(x)
        if self.spec.output_stride != 1:
            logits = functional.interpolate(
                logits, scale_factor=self.spec.output_stride, mode="bilinear", align_corners=False
            )
        return logits[..., :height, :width]


def build_network(
    spec: NetworkSpec,
    pretrained: bool = True,
    report: Callable[[str], None] | None = None,
    seed: int | None = None,
) -> Network:
    """Build a network, with pretrained encoder weights if they are available.

    Parameters
    ----------
    spec : NetworkSpec
        What to build.
    pretrained : bool
        Whether to load the pretrained weights of the encoder. If they cannot be downloaded, the bundled backbone is
        used instead, and ``network.spec`` names it.
    report : callable, optional
        Called with a sentence if the network differs from the request, and before loading weights that must not be used
        commercially.
    seed : int, optional
        Seed of the random weights; torch's global generator is not changed.

    Returns
    -------
    Network
        In training mode, nothing frozen, on the CPU.

    Raises
    ------
    BackboneError
        The backbone is unknown, or does not fit the architecture.
    """
    say = report if report is not None else (lambda text: None)
    card = find_backbone(spec.backbone)
    with torch.random.fork_rng(devices=[], enabled=seed is not None):
        if seed is not None:
            torch.manual_seed(seed)
        network = _assemble(spec, card)
        if not pretrained:
            return network
        if card.weights == "none":
            say(f"There are no pretrained weights for {card.name}; it starts from random weights.")
            return network
        terms = licence_terms(card)
        if terms:
            say(terms)
        try:
            network.weights_used = load_pretrained(
                network.encoder, card, spec.n_channels, _DEPTH.get(spec.architecture, 5)
            )
        except WeightsUnavailableError as error:
            say(
                f"The pretrained weights of {card.name} could not be loaded ({error}). "
                f"The bundled {DEFAULT_BACKBONE} is used instead."
            )
            other = replace(spec, backbone=DEFAULT_BACKBONE)
            if card.family == "transformer":
                say("It does not support the architecture dpt, so unet is used.")
                other = replace(other, architecture="unet")
            return build_network(other, report=report)
    return network


def licence_terms(card: Backbone) -> str:
    """Return a sentence about the restrictions of a licence, to be said before the weights are loaded; "" if none."""
    if card.commercial_use is None:
        return (
            f"It is not known whether the weights of {card.name} may be used commercially. "
            f"Their licence: {card.licence}."
        )
    if not card.commercial_use:
        return f"The weights of {card.name} must not be used commercially. Their licence: {card.licence}."
    return ""


def check_network(spec: NetworkSpec) -> None:
    """Raise `BackboneError` if the backbone is unknown, or does not fit the architecture.

    The network is built on the meta device if possible, without memory for its weights; nothing is downloaded.
    """
    if spec in _fitting:
        return
    card = find_backbone(spec.backbone)
    with torch.random.fork_rng(devices=[]):
        try:
            with torch.device("meta"):
                _try_out(_assemble(spec, card))
        except BackboneError:
            # Some encoders, such as smp's mit_b0, read their own weights.
            _try_out(_assemble(spec, card))
    _fitting.add(spec)


@torch.no_grad()
def _try_out(network: Network) -> None:
    """Raise `BackboneError` if a network cannot compute on a tile: the encoder may accept one size only."""
    tile = torch.zeros(1, network.spec.n_channels, _SMALL_TILE, _SMALL_TILE, device=network.input_mean.device)
    try:
        network.eval()(tile)
    except (RuntimeError, ValueError, AssertionError, IndexError, NotImplementedError) as error:
        raise BackboneError(
            f"{network.spec.backbone} cannot compute on tiles of any size ({str(error).splitlines()[0]}). Choose one "
            f"that can: any from hw.backbones(), or for example convnext_tiny or {DEFAULT_BACKBONE}."
        ) from error


_fitting: set[NetworkSpec] = set()


def _check_family(spec: NetworkSpec, card: Backbone) -> None:
    """Raise `BackboneError` unless "dpt" is combined with a vision transformer, and the other architectures are not."""
    if spec.architecture == "dpt" and card.family != "transformer":
        usable = (one for one in backbones(foundation=True) if one.family == "transformer" and one.patch == PATCH)
        names = ", ".join(one.name for one in usable)
        raise BackboneError(
            f"{card.name} does not work with dpt, which needs a vision transformer with patches of 16 pixels: {names}, "
            f"or one of timm such as vit_small_patch16_224. For {card.name} use another architecture, such as unet."
        )
    if card.family == "transformer" and spec.architecture != "dpt":
        raise BackboneError(
            f"{card.name} does not work with {spec.architecture}: it is a vision transformer, for architecture 'dpt' "
            f"only. For {spec.architecture} choose another backbone, such as {DEFAULT_BACKBONE}."
        )


def _assemble(spec: NetworkSpec, card: Backbone) -> Network:
    """Build the network with random weights."""
    _check_family(spec, card)
    arguments: dict[str, Any] = {}
    if card.family == "transformer":
        arguments = {**transformer_arguments(card), "encoder_depth": TRANSFORMER_DEPTH}
    if spec.decoder_channels is not None:
        # smp needs one block for each halving: the fifth is built and then removed.
        arguments["decoder_channels"] = (*spec.decoder_channels, spec.decoder_channels[-1])[:5]
    elif spec.output_stride == 2:
        arguments["decoder_channels"] = (256, 128, 64, 32, 32)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="`timm-` encoders are deprecated")
            core = smp.create_model(
                spec.architecture,
                encoder_name=card.encoder,
                encoder_weights=None,
                in_channels=spec.n_channels,
                classes=spec.n_classes,
                **arguments,
            )
    except (RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        # Unsuitable encoders raise different exceptions, depending on where in smp or timm they fail.
        raise BackboneError(
            f"{spec.backbone} does not work with {spec.architecture} ({error}). All of hw.backbones() do; "
            f"for {spec.backbone} try unet or fpn."
        ) from error
    if card.family == "transformer" and core.encoder.output_stride != PATCH:
        raise BackboneError(
            f"{card.name} has patches of {core.encoder.output_stride} pixels, but dpt needs {PATCH}. "
            "Choose another backbone, such as vit_small_patch16_224."
        )
    if spec.output_stride == 2:
        core.decoder.blocks = core.decoder.blocks[:-1]
    mean, std = _scaling(card, spec.n_channels)
    return Network(spec, core, mean, std)


def _scaling(card: Backbone, n_channels: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the mean and standard deviation that the weights expect, (1, C, 1, 1); averaged over RGB if C is not 3."""
    mean, std = torch.tensor(card.mean), torch.tensor(card.std)
    if n_channels != 3:
        mean, std = mean.mean().expand(n_channels), std.mean().expand(n_channels)
    return mean.reshape(1, -1, 1, 1).clone(), std.reshape(1, -1, 1, 1).clone()
