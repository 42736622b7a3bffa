"""Store the state of a run after an epoch in one safetensors file, with the rest as JSON in its header; no pickle."""

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

from histowidgets.training.checkpoint._header import CHECKPOINT_VERSION, FORMAT, damaged, read_header


@dataclass(frozen=True)
class Checkpoint:
    """The state that a run resumes from.

    Attributes
    ----------
    tensors : dict of str to Tensor
        Weights, averages, the optimizer's moments and torch's random state, by path (``"network/core.encoder…"``).
    plain : dict
        Everything else, as plain values for JSON: the epoch, the history, random state, the network's description.
    """

    tensors: dict[str, torch.Tensor]
    plain: dict[str, Any]

    def under(self, folder: str) -> dict[str, torch.Tensor]:
        """Return the tensors whose path begins with `folder`, by the rest of their path."""
        start = folder + "/"
        return {path[len(start) :]: tensor for path, tensor in self.tensors.items() if path.startswith(start)}

    def part(self, name: str) -> dict[str, Any]:
        """Return the ``state_dict()`` of a part of the trainer."""
        state: dict[str, Any] = copy.deepcopy(self.plain["parts"][name])
        for path, tensor in self.under(name).items():
            *folders, last = path.split("/")
            place = state
            for folder in folders:
                place = place.setdefault(folder, {})
            place[last] = tensor
        return state


def write_resume(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; the file is not written atomically, so `path` should be a temporary one."""
    tensors: dict[str, torch.Tensor] = {}
    places: set[int] = set()
    for name, tensor in checkpoint.tensors.items():
        tensor = tensor.detach().cpu().contiguous()
        # Layers may share weights, but safetensors rejects tensors that share memory.
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
        The file is missing, damaged, or of a newer version; the message names the file.
    """
    plain, checksum = read_header(path)
    try:
        tensors: dict[str, torch.Tensor] = safetensors.torch.load_file(path)
    except (SafetensorError, OSError) as error:
        raise damaged(path, str(error)) from error
    if str(_checksum(tensors)) != checksum:
        raise damaged(path, "its checksum is not that of its content")
    return Checkpoint(tensors, plain)


def _checksum(tensors: Mapping[str, torch.Tensor]) -> int:
    total = 0
    for name in sorted(tensors):
        total = zlib.crc32(tensors[name].reshape(-1).view(torch.uint8).numpy().data, total)
    return total
