"""A run for your own training loop to report to, so that it can be monitored like ours. No torch."""

import time
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Literal, Self

from histowidgets.errors import TrainingError
from histowidgets.training._events import (
    BatchEnded,
    EpochEnded,
    EpochRecord,
    Message,
    RunFailed,
    RunStarted,
    StateChanged,
    parse_epoch_record,
)
from histowidgets.training.loop import ModelSelection
from histowidgets.training.runs._base import Run
from histowidgets.training.settings import TrainingSettings

_BY_LOSS = TrainingSettings(early_stopping_metric="val_loss")


class RunLog(Run):
    """A run for your own training loop: call `epoch` after each epoch, and pass the run to `hw.LossMonitor`.

    As a context manager, it ends with the block; an error in the block is shown and raised again.

    Parameters
    ----------
    epochs : int, optional
        The planned number of epochs, for the axis of the chart.
    settings : TrainingSettings, optional
        The settings of the loop, for advice; without them only the learning rate is known. They also determine which
        epoch is best.
    name : str
        Name of the model, shown under the charts.

    Examples
    --------
    >>> import histowidgets as hw
    >>> run = hw.RunLog(epochs=2)
    >>> with run:
    ...     for loss in (0.9, 0.5):
    ...         run.epoch(train_loss=loss, val_loss=loss + 0.1)
    ...         if run.should_stop:
    ...             break
    >>> run.state, run.best_epoch
    ('finished', 2)
    """

    classifier = None

    def __init__(
        self, epochs: int | None = None, settings: TrainingSettings | None = None, name: str = "own loop"
    ) -> None:
        # Without settings, do not use the defaults: they are not those of the loop, and advice must not refer to them.
        super().__init__(name, settings)
        self._best: EpochRecord | None = None
        self._began = time.monotonic()
        self._emit(RunStarted(self.id, 0, 0, 0, epochs or 0, name, settings=settings))
        self._emit(StateChanged("running"))

    # -- called by the loop ---------------------------------------------------------------------

    def epoch(
        self,
        *,
        train_loss: float | None = None,
        val_loss: float | None = None,
        train_miou: float | None = None,
        val_miou: float | None = None,
        val_iou: Mapping[str, float | None] | None = None,
        val_accuracy: float | None = None,
        learning_rate: float | None = None,
    ) -> None:
        """Report the next epoch; values left out mean "not measured". Waits while the run is paused.

        Parameters
        ----------
        train_loss, val_loss : float, optional
            Mean loss of the epoch; NaN is shown as such.
        train_miou, val_miou, val_accuracy : float, optional
            0 to 1.
        val_iou : mapping, optional
            Maps class names to IoU, 0 to 1.
        learning_rate : float, optional
            Learning rate at the end of the epoch.

        Raises
        ------
        TrainingError
            The run is over, or a value is not a number.
        """
        if self.is_over:
            raise self._over()
        record = parse_epoch_record(
            {
                "epoch": len(self.history) + 1,
                "train_loss": train_loss,
                "val_loss": val_loss,
                "train_miou": train_miou,
                "val_miou": val_miou,
                "val_iou": val_iou,
                "val_accuracy": val_accuracy,
                "learning_rate": learning_rate,
                "seconds": time.monotonic() - self._began,
            }
        )
        is_best = self._is_better(record)
        if is_best:
            self._best = record
        if not self._emit(EpochEnded(record, is_best), when=lambda: not self.is_over):
            raise self._over()
        self._hold_while_paused()

    def step(self, step: int, steps: int, loss: float, learning_rate: float = 0.0) -> None:
        """Report step `step` of `steps`, from 1, of the present epoch, as often as you like; ignored after the end."""
        event = BatchEnded(len(self.history) + 1, step, steps, float(loss), learning_rate, None)
        self._emit(event, when=lambda: not self.is_over)

    def say(self, text: str, level: Literal["info", "warning"] = "info") -> None:
        """Show a message to the user."""
        self._emit(Message(level, text))

    @property
    def should_stop(self) -> bool:
        """Whether the user asked to stop; check it after each epoch, or more often."""
        return self.state in ("stopping", "stopped")

    def finish(self) -> None:
        """End the run; no effect if it is over."""
        self._end("stopped" if self.should_stop else "finished", self.best_epoch)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or self.is_over:
            self.finish()
        elif isinstance(error, KeyboardInterrupt):
            self._end("stopped", self.best_epoch)
        else:
            text = "".join(traceback.format_exception(error))
            self.error = error
            self._emit(RunFailed(f"{type(error).__name__}: {error}", text))
            self._end("failed", self.best_epoch)

    def _over(self) -> TrainingError:
        return TrainingError(f"This RunLog is {self.state}. Make a new RunLog for another run.")

    def _is_better(self, record: EpochRecord) -> bool:
        settings = TrainingSettings() if self.settings is None else self.settings
        if settings.early_stopping_metric == "miou" and record["val_miou"] is None:
            settings = _BY_LOSS
        if settings.early_stopping_metric == "val_loss" and record["val_loss"] is None:
            # Without validation, the last epoch is the best.
            return True
        return ModelSelection.of(settings).is_better(record, self._best, self.history)
