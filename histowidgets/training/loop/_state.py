"""The parts of a trainer, and saving their state as a checkpoint."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from histowidgets.images import Normalization
from histowidgets.models import Network
from histowidgets.training.checkpoint import Checkpoint
from histowidgets.training.data import TilePrefetcher, ValidationTiles
from histowidgets.training.loop._compute import ComputeContext
from histowidgets.training.loop._ema import AveragedWeights
from histowidgets.training.loop._loss import Loss
from histowidgets.training.loop._scheduler import Scheduler


@dataclass(frozen=True)
class TrainerState:
    """The parts of a trainer; see their types.

    Attributes
    ----------
    network : Network
        The network in training.
    ddp_model : Module
        The network to compute a step with, wrapped if several processes train together.
    averaged : AveragedWeights
        The weights that are validated and kept.
    optimizer : Optimizer
        Optimizes the parameters that are not frozen.
    max_lrs : tuple of float
        The highest learning rate of each of the optimizer's groups, the decoder's first.
    scheduler, loss, tiles, validation, compute, normalization
        See their types.
    steps_per_epoch : int
        Number of steps in an epoch.
    """

    network: Network
    ddp_model: torch.nn.Module
    averaged: AveragedWeights
    optimizer: torch.optim.Optimizer
    max_lrs: tuple[float, ...]
    scheduler: Scheduler
    loss: Loss
    tiles: TilePrefetcher
    validation: ValidationTiles
    compute: ComputeContext
    normalization: Normalization
    steps_per_epoch: int


class _Stateful(Protocol):
    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


def state_dict(state: TrainerState, kept: Network | None, about: Mapping[str, Any]) -> Checkpoint:
    """Return the state of a trainer, without copying tensors, so it must be written before the next step.

    Parameters
    ----------
    state : TrainerState
        The trainer's parts.
    kept : Network or None
        The best weights so far, if they differ from the current averages.
    about : mapping
        Other values needed to resume, for JSON.
    """
    tensors = {f"network/{name}": tensor for name, tensor in state.network.state_dict().items()}
    tensors |= {f"optimizer/{path}": tensor for path, tensor in _moments(state.optimizer).items()}
    if kept is not None:
        changing = _changing(state.network)
        tensors |= {f"kept/{name}": tensor for name, tensor in kept.state_dict().items() if name in changing}
    plain: dict[str, Any] = {}
    for name, part in _stateful(state).items():
        found: dict[str, torch.Tensor] = {}
        plain[name] = _without_tensors(part.state_dict(), name, found)
        tensors |= found
    return Checkpoint(
        tensors,
        {
            "network": state.network.spec.to_dict(),
            "weights_used": state.network.weights_used,
            "normalization": state.normalization.to_dict(),
            "peaks": list(state.max_lrs),
            "parts": plain,
            **about,
        },
    )


def load_state(checkpoint: Checkpoint, state: TrainerState) -> Network | None:
    """Restore the state of parts that were set up with a checkpoint's network.

    Returns
    -------
    Network or None
        The best weights, on the CPU, if they differ from the averages of the checkpoint.
    """
    state.network.load_state_dict(checkpoint.under("network"))
    for name, part in _stateful(state).items():
        part.load_state_dict(checkpoint.part(name))
    _load_moments(state.optimizer, checkpoint.under("optimizer"))
    better = checkpoint.under("kept")
    if not better:
        return None
    network = copy.deepcopy(state.averaged.network).to("cpu")
    network.load_state_dict(better, strict=False)
    return network


def _stateful(state: TrainerState) -> dict[str, _Stateful]:
    """Return the parts that have a state, by their names in the file, which must not change."""
    return {
        "averaged": state.averaged,
        "schedule": state.scheduler,
        "tiles": state.tiles,
        "arithmetic": state.compute,
    }


def _changing(network: Network) -> set[str]:
    """Return the names of the tensors that training changes; frozen ones need not be written twice."""
    trained = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    return trained | {name for name, _ in network.named_buffers()}


def _without_tensors(state: Any, path: str, tensors: dict[str, torch.Tensor]) -> Any:
    """Copy nested dicts without their tensors, which are added to `tensors` by path."""
    if not isinstance(state, Mapping):
        return state
    plain = {}
    for name, value in state.items():
        if isinstance(value, torch.Tensor):
            tensors[f"{path}/{name}"] = value
        else:
            plain[name] = _without_tensors(value, f"{path}/{name}", tensors)
    return plain


def _moments(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Return the optimizer's tensors, by group, position in the group, and name."""
    return {
        f"{g}/{p}/{name}": value
        for g, group in enumerate(optimizer.param_groups)
        for p, parameter in enumerate(group["params"])
        for name, value in optimizer.state.get(parameter, {}).items()
        if isinstance(value, torch.Tensor)
    }


def _load_moments(optimizer: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor]) -> None:
    for path, tensor in tensors.items():
        g, p, name = path.split("/")
        parameter = optimizer.param_groups[int(g)]["params"][int(p)]
        # The step count stays on the CPU; moments get the device and memory format of their weights.
        if tensor.shape == parameter.shape and name != "step":
            tensor = torch.empty_like(parameter).copy_(tensor)
        optimizer.state[parameter][name] = tensor
