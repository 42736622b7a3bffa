"""Freeze groups of the encoder, which are derived from the network itself.

The parameters that the first feature map of the encoder depends on form the group "stem"; those that the next map
depends on in addition form "block1", and so on. Autograd finds them, so that the groups are correct for any encoder and
contain each of its parameters exactly once.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import nn

from histowidgets.errors import SettingsError
from histowidgets.models._freeze_choices import EARLY_GROUPS, FREEZE_CHOICES
from histowidgets.models._network import Network

_PROBE_SIZE = 64


def freeze_groups(network: Network) -> dict[str, list[str]]:
    """Return the groups of encoder parameters that can be frozen, in order from the input.

    Parameters
    ----------
    network : Network
        A network from `build_network`.

    Returns
    -------
    dict of str to list of str
        Maps "stem", "block1", … to parameter names as in ``network.named_parameters()``. Each parameter of the encoder
        is in exactly one group; those that no feature map depends on (of an unused classification head) are in the
        last.
    """
    encoder = network.encoder
    own = list(encoder.named_parameters())
    prefix = "core.encoder."
    left = dict(own)
    maps: list[list[str]] = []
    for feature in _features(network):
        reached = _reached(feature, left)
        if reached:
            maps.append([prefix + name for name in reached])
            for name in reached:
                del left[name]
    maps[-1].extend(prefix + name for name in left)
    order = {prefix + name: index for index, (name, _) in enumerate(own)}
    names = ["stem", *(f"block{number}" for number in range(1, len(maps)))]
    return {name: sorted(members, key=order.__getitem__) for name, members in zip(names, maps, strict=True)}


def frozen_parameters(network: Network, freeze: str | Sequence[str]) -> set[str]:
    """Return the parameters that a choice freezes, without freezing them.

    Parameters
    ----------
    network : Network
        The network; not changed.
    freeze : {"none", "early", "encoder"} or sequence of str
        A choice, or names of `freeze_groups`.

    Returns
    -------
    set of str
        Parameter names. The first convolution is included only for images with 3 channels: for other numbers of
        channels it was adapted, and must be trained.

    Raises
    ------
    SettingsError
        The choice or a group does not exist.
    """
    groups = freeze_groups(network)
    if isinstance(freeze, str):
        if freeze not in FREEZE_CHOICES:
            raise SettingsError(
                f"freeze is {freeze!r}; use {', '.join(map(repr, FREEZE_CHOICES))}, or a list of {', '.join(groups)}."
            )
        chosen: Iterable[str] = {
            "none": (),
            "early": [name for name in EARLY_GROUPS if name in groups],
            "encoder": groups,
        }[freeze]
    else:
        unknown = [name for name in freeze if name not in groups]
        if unknown:
            raise SettingsError(
                f"freeze names {unknown[0]!r}, which {network.spec.backbone} does not have; it has {', '.join(groups)}."
            )
        chosen = freeze
    frozen = {parameter for name in chosen for parameter in groups[name]}
    if network.spec.n_channels != 3:
        frozen -= _first_convolution(network)
    return frozen


def apply_freeze(network: Network, freeze: str | Sequence[str], adapt_norm: bool = False) -> list[str]:
    """Freeze groups of the encoder, and unfreeze all others.

    Frozen layers stay in evaluation mode even after ``network.train()``, so that their batch-norm statistics do not
    change. With `adapt_norm`, their norm layers keep using and tracking the statistics of the batches, while their
    weights stay fixed.

    Parameters
    ----------
    network : Network
        Changed in place.
    freeze : {"none", "early", "encoder"} or sequence of str
        What to freeze; see `frozen_parameters`.
    adapt_norm : bool
        Whether norm layers of frozen groups keep adapting.

    Returns
    -------
    list of str
        Names of the frozen parameters, in the network's order.

    Raises
    ------
    SettingsError
        The choice or a group does not exist.
    """
    frozen = frozen_parameters(network, freeze)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name not in frozen)
    network.kept_still = tuple(_still_modules(network, frozen, adapt_norm))
    network.train(network.training)
    return [name for name, _ in network.named_parameters() if name in frozen]


def _still_modules(network: Network, frozen: set[str], adapt_norm: bool) -> Iterator[nn.Module]:
    """Yield the modules that must stay in evaluation mode: those whose own parameters are all frozen.

    If the whole encoder is frozen, its layers without parameters (dropout, drop path) are included too.
    """
    encoder = network.encoder
    whole = all(f"core.encoder.{name}" in frozen for name, _ in encoder.named_parameters())
    for path, module in encoder.named_modules():
        own = [
            f"core.encoder.{path}.{name}" if path else f"core.encoder.{name}"
            for name, _ in module.named_parameters(recurse=False)
        ]
        still = all(name in frozen for name in own) if own else whole
        if still and not (adapt_norm and isinstance(module, nn.modules.batchnorm._NormBase)):
            yield module


def _features(network: Network) -> list[torch.Tensor]:
    """Compute the feature maps of a small grey image in evaluation mode, keeping the autograd graph."""
    encoder = network.encoder
    modes = [(module, module.training) for module in encoder.modules()]
    wanted = [(parameter, parameter.requires_grad) for parameter in encoder.parameters()]
    device = next(encoder.parameters()).device
    try:
        encoder.eval()
        encoder.requires_grad_(True)
        with torch.enable_grad():
            picture = torch.full((1, network.spec.n_channels, _PROBE_SIZE, _PROBE_SIZE), 0.5, device=device)
            features = list(_tensors(encoder(picture)))
    finally:
        for module, mode in modes:
            module.training = mode
        for parameter, wants in wanted:
            parameter.requires_grad_(wants)
    return [feature for feature in features if feature.grad_fn is not None]


def _reached(feature: torch.Tensor, parameters: dict[str, nn.Parameter]) -> list[str]:
    """Return the names of the parameters on which a feature map depends."""
    seen: set[Any] = set()
    stack = [feature.grad_fn]
    leaves: set[int] = set()
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            leaves.add(id(node.variable))
        stack.extend(following for following, _ in node.next_functions)
    return [name for name, parameter in parameters.items() if id(parameter) in leaves]


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tensors(item)


def _first_convolution(network: Network) -> set[str]:
    """Return the parameter names of the convolution that reads the image."""
    for path, module in network.encoder.named_modules():
        if isinstance(module, nn.Conv2d) and module.in_channels == network.spec.n_channels:
            return {f"core.encoder.{path}.{name}" for name, _ in module.named_parameters(recurse=False)}
    return set()
