"""A run's folder: settings, history, weights, where it stands and a summary, each written whole and then renamed."""

import contextlib
import csv
import io
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from histowidgets.images import Normalization
from histowidgets.models import Network
from histowidgets.training._events import EpochRecord, Message
from histowidgets.training._limits import CHECKPOINT_SECONDS, CHECKPOINT_SHARE
from histowidgets.training.checkpoint import BEST_FILE, RESUME_FILE, Checkpoint, write_resume
from histowidgets.training.data import TrainingRequest
from histowidgets.training.loop import Choice, Kept
from histowidgets.training.storage._fingerprint import fingerprint
from histowidgets.training.storage._run_reader import RUN_VERSION


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
    choice : Choice
        How it computes; so does this.
    emit : callable
        Takes the warning.
    """

    def __init__(
        self, request: TrainingRequest, normalization: Normalization, network: Network, choice: Choice, emit: Any
    ) -> None:
        self._folder = request.folder
        self._emit = emit
        self._classes = list(request.snapshot.classes)
        self._cost, self._written = 0.0, 0.0
        started = datetime.now(UTC).isoformat(timespec="seconds")
        self._about: dict[str, Any] = {
            "version": RUN_VERSION,
            "id": request.run_id,
            "started": started if request.resumed is None else request.resumed.plain["started"],
            "network": network.spec.to_dict(),
            "weights": network.weights_used,
            "arithmetic": asdict(choice),
            "classes": self._classes,
            "normalization": normalization.to_dict(),
            "held_out": {name: [list(region) for region in some] for name, some in request.split.held_out.items()},
        }
        self._to_go_on = {
            "started": self._about["started"],
            "settings": request.settings.model_dump(mode="json"),
            "split": request.split.to_dict(),
            **fingerprint(request.snapshot),
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
            writer.writerow([*(values.get(name) for name in plain), *(record["val_iou"].get(c) for c in self._classes)])
        self._write("history.csv", text.getvalue().encode())

    def write_best(self, kept: Kept) -> None:
        """Write ``checkpoint.safetensors``: the weights kept so far."""
        if self._folder is not None:
            self._write(BEST_FILE, _packed(kept.network))
            self._write_about("running", kept)

    def write_resume(self, state: Callable[[], Checkpoint]) -> None:
        """Write ``resume.safetensors``: where the run stands, for a kernel that is killed.

        It is left out for once where epochs are so short that writing would take more than `CHECKPOINT_SHARE` of the
        time, but not for longer than `CHECKPOINT_SECONDS`.
        """
        began = time.perf_counter()
        if self._folder is None or began - self._written < min(CHECKPOINT_SECONDS, self._cost / CHECKPOINT_SHARE):
            return
        checkpoint = state()
        whole = replace(checkpoint, plain={**checkpoint.plain, **self._to_go_on})
        self._place(RESUME_FILE, lambda partial: write_resume(partial, whole))
        self._written = time.perf_counter()
        self._cost = self._written - began

    def close(self, history: Sequence[EpochRecord], kept: Kept | None) -> None:
        """Write the summary, and leave as checkpoint what is kept in the end."""
        if self._folder is None:
            return
        self.write_history(history)
        if kept is None:
            (self._folder / BEST_FILE).unlink(missing_ok=True)
        else:
            self._write(BEST_FILE, _packed(kept.network))
        self._write_about("ended", kept)
        if self._folder is not None:
            # Last of all: until here the run could have been gone on with.
            (self._folder / RESUME_FILE).unlink(missing_ok=True)

    def _write_about(self, state: str, kept: Kept | None) -> None:
        about = {
            **self._about,
            "state": state,
            "kept": None if kept is None else kept.record,
            "confusion": None if kept is None else kept.confusion,
        }
        self._write("run.json", json.dumps(about, indent=2).encode())

    def _write(self, name: str, content: bytes) -> None:
        self._place(name, lambda partial: partial.write_bytes(content))

    def _place(self, name: str, fill: Callable[[Path], object]) -> None:
        """Have a file filled beside its place, and rename it when it is on disk."""
        if self._folder is None:
            return
        path = self._folder / name
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(name + ".partial")
            fill(partial)
            with partial.open("rb") as file:
                os.fsync(file.fileno())
            partial.replace(path)
        except (OSError, safetensors.SafetensorError) as error:
            self._folder = None
            with contextlib.suppress(OSError):
                path.with_name(name + ".partial").unlink(missing_ok=True)
            text = f"The run is no longer written to disk: {path} failed ({error}). It goes on in memory."
            self._emit(Message("warning", f"{text} Free some space, and save the classifier when it has ended."))


def _packed(network: Network) -> bytes:
    tensors: dict[str, torch.Tensor] = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    return safetensors.torch.save(tensors, {"format": "pt"})
