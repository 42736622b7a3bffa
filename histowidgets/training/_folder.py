"""A run's folder: settings, history, checkpoint and a summary, each written whole and then renamed."""

import csv
import io
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from histowidgets.images import Normalization
from histowidgets.models import Network
from histowidgets.training._control import Kept
from histowidgets.training._events import EpochRecord, Message
from histowidgets.training._request import TrainingRequest

RUN_VERSION = 1
"""Format of ``run.json``."""


class RunFolder:
    """Writes a run as it goes; a folder that cannot be written costs a warning, not the run.

    Parameters
    ----------
    request : TrainingRequest
        Names the folder; where that is None nothing is written.
    normalization : Normalization
        Goes into ``run.json``, which holds what it takes to use the checkpoint.
    network : Network
        Its description does too.
    emit : callable
        Takes the warning.
    """

    def __init__(self, request: TrainingRequest, normalization: Normalization, network: Network, emit: Any) -> None:
        self._folder = request.folder
        self._emit = emit
        self._classes = list(request.snapshot.classes)
        self._about: dict[str, Any] = {
            "version": RUN_VERSION,
            "id": request.run_id,
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "network": network.spec.to_dict(),
            "weights": network.weights_used,
            "classes": self._classes,
            "normalization": normalization.to_dict(),
            "held_out": {name: [list(region) for region in some] for name, some in request.split.held_out.items()},
        }
        self._write("settings.json", request.settings.to_json().encode())
        self._write_about("running", None)

    def write_history(self, history: Sequence[EpochRecord]) -> None:
        """Write ``history.csv``: a row an epoch, a column ``iou_<class>`` for each class."""
        text = io.StringIO()
        plain = [name for name in EpochRecord.__annotations__ if name != "val_iou"]
        writer = csv.writer(text)
        writer.writerow([*plain, *(f"iou_{name}" for name in self._classes)])
        for record in history:
            values: dict[str, Any] = dict(record)
            writer.writerow([*(values[name] for name in plain), *(record["val_iou"].get(c) for c in self._classes)])
        self._write("history.csv", text.getvalue().encode())

    def write_checkpoint(self, kept: Kept) -> None:
        """Write ``checkpoint.safetensors``: the weights kept so far."""
        if self._folder is not None:
            self._write("checkpoint.safetensors", _packed(kept.network))
            self._write_about("running", kept)

    def close(self, history: Sequence[EpochRecord], kept: Kept | None) -> None:
        """Write the summary, and leave as checkpoint what is kept in the end."""
        if self._folder is None:
            return
        self.write_history(history)
        if kept is None:
            (self._folder / "checkpoint.safetensors").unlink(missing_ok=True)
        else:
            self._write("checkpoint.safetensors", _packed(kept.network))
        self._write_about("ended", kept)

    def _write_about(self, state: str, kept: Kept | None) -> None:
        record = None if kept is None else kept.record
        about = {**self._about, "state": state, "kept": record}
        self._write("run.json", json.dumps(about, indent=2).encode())

    def _write(self, name: str, content: bytes) -> None:
        if self._folder is None:
            return
        path = self._folder / name
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(name + ".partial")
            with Path.open(partial, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except OSError as error:
            self._folder = None
            self._emit(Message("warning", f"The run is no longer written to disk: {path} failed ({error})."))


def _packed(network: Network) -> bytes:
    tensors: dict[str, torch.Tensor] = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    return safetensors.torch.save(tensors, {"format": "pt"})
