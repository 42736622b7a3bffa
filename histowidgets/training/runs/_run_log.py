"""A run that somebody else's loop reports to, so that it is watched like our own. No torch."""

import time
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal, Self, cast

from histowidgets.errors import TrainingError
from histowidgets.training._events import (
    BatchEnded,
    EpochEnded,
    EpochRecord,
    Keep,
    Message,
    RunFailed,
    RunStarted,
    StateChanged,
)
from histowidgets.training.loop import ModelSelection
from histowidgets.training.runs._pausable import PausableRun
from histowidgets.training.settings import TrainingSettings

_BY_LOSS = TrainingSettings(early_stopping_metric="val_loss")


class RunLog(PausableRun):
    """Stands for a loop of one's own: call `epoch` after each epoch, and give it to `hw.LossMonitor`.

    As a context manager it is ended by the end of its block; an error in there is shown, and goes on its way.

    Parameters
    ----------
    epochs : int, optional
        How many are planned, for the axis of the chart.
    settings : TrainingSettings, optional
        What advice may change; the learning rate alone is known without them. They also say which epoch is best.
    name : str
        What is trained, shown under the charts.

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
        super().__init__(name, settings if settings is not None else TrainingSettings())
        self._best: EpochRecord | None = None
        self._began = time.monotonic()
        self._judged_by = self.settings
        if settings is None:
            # The defaults are not what the loop was set to: advice must not change them.
            self.settings = None  # type: ignore[assignment]
        self._emit(RunStarted(self.id, 0, 0, 0, epochs or 0, name))
        self._emit(StateChanged("running"))

    # -- what the loop calls --------------------------------------------------------------------

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
        """Report one more epoch; what is left out was not measured. Waits here while the run is paused.

        Parameters
        ----------
        train_loss, val_loss : float, optional
            Mean loss of the epoch; NaN is a finding and is shown as such.
        train_miou, val_miou, val_accuracy : float, optional
            0 to 1.
        val_iou : mapping, optional
            Class name to IoU, 0 to 1.
        learning_rate : float, optional
            At the epoch's end.

        Raises
        ------
        TrainingError
            The run is over, or a value is no number.
        """
        if self.is_over:
            raise TrainingError(f"this RunLog is {self.state}; make a new one for another run")
        given: dict[str, Any] = {
            "train_loss": train_loss,
            "val_loss": val_loss,
            "train_miou": train_miou,
            "val_miou": val_miou,
            "val_accuracy": val_accuracy,
            "learning_rate": learning_rate,
        }
        record: dict[str, Any] = {
            "epoch": len(self.history) + 1,
            **{name: _number(name, value) for name, value in given.items()},
            "val_iou": {str(k): _number(f"val_iou of {k}", v) for k, v in dict(val_iou or {}).items()},
            "seconds": time.monotonic() - self._began,
        }
        done = cast(EpochRecord, record)
        is_best = self._is_better(done)
        if is_best:
            self._best = done
        self._emit(EpochEnded(done, is_best))
        self._hold()

    def step(self, step: int, steps: int, loss: float, learning_rate: float = 0.0) -> None:
        """Report step `step` of `steps`, from 1, of the epoch that is on; as often as wanted."""
        self._emit(BatchEnded(len(self.history) + 1, step, steps, float(loss), learning_rate, None))

    def say(self, text: str, level: Literal["info", "warning"] = "info") -> None:
        """Say something to the person."""
        self._emit(Message(level, text))

    @property
    def should_stop(self) -> bool:
        """Whether a person asked to stop; the loop decides when it looks, best after each epoch."""
        return self.state in ("stopping", "stopped")

    def finish(self) -> None:
        """End the run; no effect when it is over."""
        self._end("stopped" if self.should_stop else "finished")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or self.is_over:
            self.finish()
        elif isinstance(error, KeyboardInterrupt):
            self._end("stopped")
        else:
            text = "".join(traceback.format_exception(error))
            self.error = error
            self._emit(RunFailed(f"{type(error).__name__}: {error}", text))
            self._end("failed")

    # -- what the watcher calls -----------------------------------------------------------------

    def stop(self, keep: Keep = "best") -> None:
        """Ask the loop to stop; see `should_stop`. Which weights are kept is the loop's matter."""
        self._emit(StateChanged("stopping"), when=lambda: not self.is_over and self.state != "stopping")

    def _is_better(self, record: EpochRecord) -> bool:
        settings = self._judged_by
        if settings.early_stopping_metric == "miou" and record["val_miou"] is None:
            settings = _BY_LOSS
        if settings.early_stopping_metric == "val_loss" and record["val_loss"] is None:
            # Nothing was validated: the last epoch is what there is.
            return True
        return ModelSelection.of(settings).is_better(record, self._best, self.history)


def _number(name: str, value: Any) -> float | None:
    if value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise TrainingError(
            f"{name} must be a number or None, got {value!r}; give one value an epoch, such as the mean of its steps"
        ) from error
