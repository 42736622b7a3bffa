"""Write a run's folder: settings, history, weights, the state to resume from, and a summary, each atomically."""

import csv
import io
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from histowidgets._io import atomic_write
from histowidgets._versions import versions
from histowidgets.errors import TrainingError
from histowidgets.images import Normalization
from histowidgets.models import Network
from histowidgets.training._events import EpochRecord, Event, Message
from histowidgets.training.checkpoint import BEST_FILE, RESUME_FILE, Checkpoint, write_resume
from histowidgets.training.data import TrainingRequest
from histowidgets.training.storage._best_weights import BestWeights
from histowidgets.training.storage._fingerprint import fingerprint
from histowidgets.training.storage._labels import LABELS_FILE, labels_of, start_of
from histowidgets.training.storage._run_reader import RUN_VERSION

#: Largest share of a run's time for writing its state, if epochs are short.
CHECKPOINT_SHARE = 0.05

#: Longest time in seconds between two writes of the state in that case: what a killed kernel can lose besides an epoch.
CHECKPOINT_SECONDS = 10.0


class RunWriter:
    """Writes a run while it trains; if the folder cannot be written, it emits a warning, and the run continues.

    Parameters
    ----------
    request : TrainingRequest
        Provides the folder; if it is None, nothing is written.
    normalization : Normalization
        Stored in ``run.json``, which holds all that is needed to use the weights.
    network : Network
        Its description is stored there too.
    compute_format : mapping of str to str
        The compute format, also stored in ``run.json``.
    emit : callable
        Called with the warning.
    processes : int
        How many processes train together; also stored there.
    """

    def __init__(
        self,
        request: TrainingRequest,
        normalization: Normalization,
        network: Network,
        compute_format: Mapping[str, str],
        emit: Callable[[Event], None],
        processes: int = 1,
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
            "arithmetic": dict(compute_format),
            "classes": self._classes,
            "normalization": normalization.to_dict(),
            "pixel_size_um": request.working.pixel_size_um,
            "held_out": {name: [list(region) for region in some] for name, some in request.split.held_out.items()},
            "start": start_of(request),
            "device": next(network.parameters()).device.type,
            "processes": processes,
            "threads": torch.get_num_threads(),
            "versions": versions(),
        }
        self._ended: dict[str, Any] = {"steps": None, "stopped": None}
        self._to_resume = {
            "start": self._about["start"],
            "started": self._about["started"],
            "settings": request.settings.model_dump(mode="json"),
            "split": request.split.to_dict(),
            **fingerprint(request.snapshot),
        }
        self._write("settings.json", request.settings.to_json().encode())
        self._write(LABELS_FILE, labels_of(request.snapshot))
        self._write_about("running", None)

    def write_history(self, history: Sequence[EpochRecord]) -> None:
        """Write ``history.csv``, with a row for each epoch and a column ``iou_<class>`` for each class."""
        text = io.StringIO()
        plain = [name for name in EpochRecord.__annotations__ if name != "val_iou"]
        writer = csv.writer(text)
        writer.writerow([*plain, *(f"iou_{name}" for name in self._classes)])
        for record in history:
            values: dict[str, Any] = dict(record)
            writer.writerow([*(values.get(name) for name in plain), *(record["val_iou"].get(c) for c in self._classes)])
        self._write("history.csv", text.getvalue().encode())

    def write_best(self, kept: BestWeights) -> None:
        """Write ``checkpoint.safetensors``: the weights kept so far."""
        if self._folder is not None:
            self._write(BEST_FILE, _packed(kept.network))
            self._write_about("running", kept)

    def write_resume(self, state: Callable[[], Checkpoint]) -> None:
        """Write ``resume.safetensors``: the state to resume from if the kernel is killed.

        It is skipped if epochs are so short that writing would take more than `CHECKPOINT_SHARE` of the time, but for
        at most `CHECKPOINT_SECONDS`.
        """
        began = time.perf_counter()
        if self._folder is None or began - self._written < min(CHECKPOINT_SECONDS, self._cost / CHECKPOINT_SHARE):
            return
        checkpoint = state()
        whole = replace(checkpoint, plain={**checkpoint.plain, **self._to_resume})
        self._place(RESUME_FILE, lambda partial: write_resume(partial, whole))
        self._written = time.perf_counter()
        self._cost = self._written - began

    def close(
        self,
        history: Sequence[EpochRecord],
        kept: BestWeights | None,
        steps: int | None = None,
        stopped: str | None = None,
    ) -> None:
        """Write the summary and the final weights; `steps` were taken, and `stopped` says what to keep on a stop."""
        self._ended = {"steps": steps, "stopped": stopped}
        if self._folder is None:
            return
        self.write_history(history)
        if kept is None:
            (self._folder / BEST_FILE).unlink(missing_ok=True)
        else:
            self._write(BEST_FILE, _packed(kept.network))
        self._write_about("ended", kept)
        if self._folder is not None:
            # Last of all, since until here the run could have been resumed.
            (self._folder / RESUME_FILE).unlink(missing_ok=True)

    def _write_about(self, state: str, kept: BestWeights | None) -> None:
        about = {
            **self._about,
            **self._ended,
            "state": state,
            "kept": None if kept is None else kept.record,
            "confusion": None if kept is None else kept.confusion,
        }
        self._write("run.json", json.dumps(about, indent=2).encode())

    def _write(self, name: str, content: bytes) -> None:
        self._place(name, lambda partial: partial.write_bytes(content))

    def _place(self, name: str, fill: Callable[[Path], object]) -> None:
        """Write a file atomically; `fill` writes its content to a temporary path."""
        if self._folder is None:
            return
        path = self._folder / name
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with atomic_write(path, TrainingError, advice="") as partial:
                fill(partial)
        except (TrainingError, OSError, safetensors.SafetensorError) as error:
            self._folder = None
            why = str(error).strip() if isinstance(error, TrainingError) else f"{path} failed ({error})."
            text = f"The run is no longer written to disk: {why} It continues in memory."
            self._emit(Message("warning", f"{text} Free some space, and save the classifier when the run has ended."))


def _packed(network: Network) -> bytes:
    tensors: dict[str, torch.Tensor] = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    return safetensors.torch.save(tensors, {"format": "pt"})
