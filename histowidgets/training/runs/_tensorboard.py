"""Write a run's numbers as TensorBoard event files."""

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from histowidgets.errors import TrainingError
from histowidgets.training._events import BatchEnded, EpochEnded, EpochRecord, Event, RunEnded
from histowidgets.training.runs._base import Run

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


def write_tensorboard(run: Run, folder: str | os.PathLike[str]) -> Path:
    """Write a run's numbers for TensorBoard: those so far and, while the run lasts, later ones.

    Scalars are ``loss/train``, ``loss/validation``, ``miou/train``, ``miou/validation``, ``accuracy/validation``,
    ``iou/<class>`` and ``learning_rate`` by epoch, and ``loss/step`` by step. Values that were not measured are left
    out.

    Parameters
    ----------
    run : Run
        A run, in progress or finished.
    folder : path
        The run is written to a subfolder with its id. View it with ``tensorboard --logdir folder``.

    Returns
    -------
    Path
        The subfolder of the run.

    Raises
    ------
    TrainingError
        TensorBoard is not installed, or the folder cannot be written.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise TrainingError(
            f"TensorBoard event files need the package tensorboard ({error}). "
            "Run: pip install 'histowidgets[tensorboard]'"
        ) from error
    place = Path(folder).expanduser() / run.id
    try:
        place.mkdir(parents=True, exist_ok=True)
        writer = SummaryWriter(str(place))
    except OSError as error:
        raise TrainingError(f"{place} cannot be written ({error}). Choose another folder for TensorBoard.") from error
    _EventWriter(run, writer).catch_up()
    return place


class _EventWriter:
    """Reads the events of a run by position, so that none is lost or repeated, and closes the file at the end."""

    def __init__(self, run: Run, writer: "SummaryWriter") -> None:
        self._run = run
        self._writer = writer
        self._lock = threading.Lock()
        self._next = 0
        self._open = True
        self._unsubscribe = run.subscribe(self.catch_up)

    def catch_up(self, event: Event | None = None) -> None:
        """Write the events since the last call."""
        with self._lock:
            while self._open and self._next < len(self._run.events):
                self._write(self._run.events[self._next])
                self._next += 1

    def _write(self, event: Event) -> None:
        if isinstance(event, BatchEnded):
            step = (event.epoch - 1) * event.steps + event.step
            self._writer.add_scalar("loss/step", event.loss, step)
        elif isinstance(event, EpochEnded):
            for name, value in _scalars(event.record).items():
                if value is not None:
                    self._writer.add_scalar(name, value, event.record["epoch"])
            self._writer.flush()
        elif isinstance(event, RunEnded):
            self._open = False
            self._writer.close()
            self._unsubscribe()


def _scalars(record: EpochRecord) -> dict[str, float | None]:
    return {
        "loss/train": record["train_loss"],
        "loss/validation": record["val_loss"],
        "miou/train": record["train_miou"],
        "miou/validation": record["val_miou"],
        "accuracy/validation": record["val_accuracy"],
        "learning_rate": record["learning_rate"],
        **{f"iou/{name}": value for name, value in record["val_iou"].items()},
    }
