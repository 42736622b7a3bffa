"""Follow a run from a shell: progress bars or lines, and signals that stop it and keep its best weights."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

from histowidgets._durations import clock
from histowidgets.cli._log import Log

if TYPE_CHECKING:
    from histowidgets.training import EpochRecord, Event, TrainingRun

EXIT_OK, EXIT_FAILED, EXIT_REFUSED, EXIT_INTERRUPTED = 0, 1, 2, 130


class RunProgress:
    """Two progress bars, for the epochs and for the steps of an epoch, with the losses and the time left.

    If the output is not a terminal, such as a log file, or if the log has no bars, one line is written for each epoch
    instead.

    Parameters
    ----------
    epochs : int
        The planned number of epochs.
    log : Log
        Gets the lines.
    file : text file, optional
        Where to draw the bars; standard error by default.
    """

    def __init__(self, epochs: int, log: Log, file: TextIO | None = None) -> None:
        from tqdm import tqdm

        from histowidgets.training import RunState

        self._state = RunState(epochs=epochs)
        self._log = log
        self._file = sys.stderr if file is None else file
        self._beside_bars = tqdm.external_write_mode
        self._has_bars = log.has_bars and self._file.isatty()
        common: dict[str, Any] = {"file": self._file, "disable": not self._has_bars, "dynamic_ncols": True}
        self._epochs = tqdm(total=epochs, unit="epoch", position=0, desc="epochs", **common)
        self._steps = tqdm(total=1, unit="step", position=1, desc="steps", leave=False, **common)

    def show(self, event: "Event") -> None:
        """Show an event of the run."""
        from histowidgets.training import BatchEnded, EpochEnded, Message, RunStarted

        state = self._state
        state.apply(event)
        if isinstance(event, RunStarted):
            self._say(
                f"{state.n_train_tiles} tiles, {state.backbone}, {state.compute_format}",
                "started",
                run=event.run_id,
                tiles=state.n_train_tiles,
                backbone=state.backbone,
                epochs=state.epochs,
                steps_per_epoch=state.steps_per_epoch,
            )
        elif isinstance(event, BatchEnded):
            if event.step == 1:
                self._steps.reset(event.steps)
            self._steps.update(event.step - self._steps.n)
            left = "" if state.seconds_left is None else f", {clock(state.seconds_left)} left"
            self._steps.set_postfix_str(f"loss {event.loss:.3f}{left}", refresh=event.step == 1)
            if not self._has_bars:
                self._log.step(
                    f"epoch {event.epoch}, step {event.step}/{event.steps}: loss {event.loss:.3f}{left}",
                    epoch=event.epoch,
                    step=event.step,
                    loss=event.loss,
                    seconds_left=state.seconds_left,
                )
        elif isinstance(event, EpochEnded):
            record = event.record
            text = _scores_text(record) + (", best" if event.is_best else "")
            self._epochs.update(record["epoch"] - self._epochs.n)
            self._epochs.set_postfix_str(text)
            if not self._has_bars:
                line = f"epoch {record['epoch']}/{state.epochs}: {text}, {record['seconds'] or 0:.0f} s"
                self._log.message(line, "epoch", best=event.is_best, **record)
        elif isinstance(event, Message) and event.level == "warning":
            with self._beside_bars(file=self._file):
                self._log.warning(event.text)
        elif isinstance(event, Message):
            self._say(event.text)

    def close(self) -> None:
        """Close the bars, leaving them on the screen."""
        self._steps.close()
        self._epochs.close()

    def _say(self, text: str, event: str = "message", **values: Any) -> None:
        with self._beside_bars(file=self._file):
            self._log.message(text, event, **values)


def _scores_text(record: "EpochRecord") -> str:
    """Format the losses and the score of an epoch."""
    parts = [] if record["train_loss"] is None else [f"loss {record['train_loss']:.3f}"]
    if record["val_loss"] is not None:
        parts.append(f"validation {record['val_loss']:.3f}")
    parts.append("not scored" if record["val_miou"] is None else f"mIoU {record['val_miou']:.3f}")
    return ", ".join(parts)


@contextmanager
def terminate_like_interrupt() -> Iterator[None]:
    """Treat SIGTERM, which cluster managers send, like Ctrl+C; only on the main thread, where signals arrive."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def follow(run: "TrainingRun", progress: RunProgress | None) -> bool:
    """Show a run until it ends; return whether it was interrupted, and so stopped with its best weights kept."""
    unsubscribe = None if progress is None else run.subscribe(progress.show)
    interrupted = False
    try:
        while not run.is_over:
            try:
                run.wait()
            except KeyboardInterrupt:
                interrupted = True
                run.stop(keep="best")
    finally:
        if unsubscribe is not None:
            unsubscribe()
        if progress is not None:
            progress.close()
    return interrupted
