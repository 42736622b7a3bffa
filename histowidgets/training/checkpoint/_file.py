"""Where a run stands after an epoch, in one file: safetensors, with the rest as JSON in its header. Never pickle."""

import copy
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError

from histowidgets.models import Network
from histowidgets.training.checkpoint._header import CHECKPOINT_VERSION, FORMAT, damaged, read_header
from histowidgets.training.loop import Parts


@dataclass(frozen=True)
class Checkpoint:
    """What a loop goes on from.

    Attributes
    ----------
    tensors : dict of str to Tensor
        Weights, averages, the optimizer's moments and torch's random numbers, by path (``"network/core.encoder…"``).
    plain : dict
        All else, as JSON holds it: the epoch, the history, random numbers, the network's description.
    """

    tensors: dict[str, torch.Tensor]
    plain: dict[str, Any]

    def under(self, folder: str) -> dict[str, torch.Tensor]:
        """Return the tensors whose path begins with a folder, by the rest of their path."""
        start = folder + "/"
        return {path[len(start) :]: tensor for path, tensor in self.tensors.items() if path.startswith(start)}

    def part(self, name: str) -> dict[str, Any]:
        """Return what a part's ``state()`` gave."""
        state: dict[str, Any] = copy.deepcopy(self.plain["parts"][name])
        for path, tensor in self.under(name).items():
            *folders, last = path.split("/")
            place = state
            for folder in folders:
                place = place.setdefault(folder, {})
            place[last] = tensor
        return state


def capture(parts: Parts, kept: Network | None, about: Mapping[str, Any]) -> Checkpoint:
    """Note where a run stands; the tensors are those in use, so write them before the next step.

    Parameters
    ----------
    parts : Parts
        What the loop turns.
    kept : Network or None
        The best weights so far, where they are not those of this moment.
    about : mapping
        What else is wanted to go on, as JSON holds it.
    """
    tensors = {f"network/{name}": tensor for name, tensor in parts.network.state_dict().items()}
    tensors |= {f"optimizer/{path}": tensor for path, tensor in _moments(parts.optimizer).items()}
    if kept is not None:
        changing = _changing(parts.network)
        tensors |= {f"kept/{name}": tensor for name, tensor in kept.state_dict().items() if name in changing}
    plain: dict[str, Any] = {}
    for name, part in _stateful(parts).items():
        found: dict[str, torch.Tensor] = {}
        plain[name] = _apart(part.state(), name, found)
        tensors |= found
    return Checkpoint(
        tensors,
        {
            "network": parts.network.spec.to_dict(),
            "weights_used": parts.network.weights_used,
            "normalization": parts.normalization.to_dict(),
            "peaks": list(parts.peaks),
            "parts": plain,
            **about,
        },
    )


def put_back(checkpoint: Checkpoint, parts: Parts) -> Network | None:
    """Bring parts that were prepared from a checkpoint's network to where it was taken.

    Returns
    -------
    Network or None
        The best weights, on the CPU, where they are not those of that moment.
    """
    parts.network.load_state_dict(checkpoint.under("network"))
    for name, part in _stateful(parts).items():
        part.restore(checkpoint.part(name))
    _restore_moments(parts.optimizer, checkpoint.under("optimizer"))
    better = checkpoint.under("kept")
    if not better:
        return None
    network = copy.deepcopy(parts.averaged.network).to("cpu")
    network.load_state_dict(better, strict=False)
    return network


def write_resume(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; the caller sees to it that `path` is no file that may be torn."""
    tensors: dict[str, torch.Tensor] = {}
    places: set[int] = set()
    for name, tensor in checkpoint.tensors.items():
        tensor = tensor.detach().cpu().contiguous()
        # Layers may share their weights; safetensors wants each written by itself.
        tensors[name] = tensor.clone() if tensor.data_ptr() in places else tensor
        places.add(tensor.data_ptr())
    header = {
        "format": FORMAT,
        "version": str(CHECKPOINT_VERSION),
        "checksum": str(_checksum(tensors)),
        "state": json.dumps(checkpoint.plain),
    }
    safetensors.torch.save_file(tensors, path, header)


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises
    ------
    TrainingError
        The file is missing, damaged, or of a newer version; the message names it.
    """
    plain, checksum = read_header(path)
    try:
        tensors: dict[str, torch.Tensor] = safetensors.torch.load_file(path)
    except (SafetensorError, OSError) as error:
        raise damaged(path, str(error)) from error
    if str(_checksum(tensors)) != checksum:
        raise damaged(path, "its checksum is not that of its content")
    return Checkpoint(tensors, plain)


def _stateful(parts: Parts) -> dict[str, Any]:
    """Return the parts that remember; each has ``state()`` and ``restore(state)``."""
    return {
        "averaged": parts.averaged,
        "schedule": parts.schedule,
        "tiles": parts.tiles,
        "arithmetic": parts.arithmetic,
    }


def _changing(network: Network) -> set[str]:
    """Names of the tensors that training changes: what is frozen need not be written twice."""
    trained = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    return trained | {name for name, _ in network.named_buffers()}


def _apart(state: Any, path: str, tensors: dict[str, torch.Tensor]) -> Any:
    """Return a copy of nested dicts without their tensors, which go to `tensors` by path."""
    if not isinstance(state, Mapping):
        return state
    plain = {}
    for name, value in state.items():
        if isinstance(value, torch.Tensor):
            tensors[f"{path}/{name}"] = value
        else:
            plain[name] = _apart(value, f"{path}/{name}", tensors)
    return plain


def _moments(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Return the optimizer's tensors, by group, place in the group, and name."""
    return {
        f"{g}/{p}/{name}": value
        for g, group in enumerate(optimizer.param_groups)
        for p, parameter in enumerate(group["params"])
        for name, value in optimizer.state.get(parameter, {}).items()
        if isinstance(value, torch.Tensor)
    }


def _restore_moments(optimizer: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor]) -> None:
    for path, tensor in tensors.items():
        g, p, name = path.split("/")
        parameter = optimizer.param_groups[int(g)]["params"][int(p)]
        # The count of steps stays on the CPU; moments lie where, and as, their weights do.
        if tensor.shape == parameter.shape and name != "step":
            tensor = torch.empty_like(parameter).copy_(tensor)
        optimizer.state[parameter][name] = tensor


def _checksum(tensors: Mapping[str, torch.Tensor]) -> int:
    total = 0
    for name in sorted(tensors):
        total = zlib.crc32(tensors[name].reshape(-1).view(torch.uint8).numpy().data, total)
    return total
