"""Following a run from a shell: progress bars, and signals that stop it and keep its best weights."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

from histowidgets._durations import clock

if TYPE_CHECKING:
    from histowidgets.training import EpochRecord, Event, TrainingRun


class Bars:
    """Two bars, of epochs and of the steps in one, with the losses and the time left.

    Where the output is no terminal, such as a log file, there is a line an epoch instead.

    Parameters
    ----------
    epochs : int
        Those of the settings.
    file : text file, optional
        Where to; standard error by default.
    """

    def __init__(self, epochs: int, file: TextIO | None = None) -> None:
        from tqdm import tqdm

        self._file = sys.stderr if file is None else file
        self._write = tqdm.write
        self._shown = self._file.isatty()
        self._of = epochs
        common: dict[str, Any] = {"file": self._file, "disable": not self._shown, "dynamic_ncols": True}
        self._epochs = tqdm(total=epochs, unit="epoch", position=0, desc="epochs", **common)
        self._steps = tqdm(total=1, unit="step", position=1, desc="steps", leave=False, **common)

    def show(self, event: "Event") -> None:
        """Take in an event of the run."""
        from histowidgets.training import BatchEnded, EpochEnded, Message, RunStarted

        if isinstance(event, RunStarted):
            self._say(f"{event.n_train_tiles} tiles, {event.backbone}, {event.arithmetic}")
        elif isinstance(event, BatchEnded):
            if event.step == 1:
                self._steps.reset(event.steps)
            self._steps.update(event.step - self._steps.n)
            left = "" if event.seconds_left is None else f", {clock(event.seconds_left)} left"
            self._steps.set_postfix_str(f"loss {event.loss:.3f}{left}", refresh=event.step == 1)
        elif isinstance(event, EpochEnded):
            text = _told(event.record) + (", best" if event.is_best else "")
            self._epochs.update(event.record["epoch"] - self._epochs.n)
            self._epochs.set_postfix_str(text)
            if not self._shown:
                self._say(f"epoch {event.record['epoch']}/{self._of}: {text}, {event.record['seconds']:.0f} s")
        elif isinstance(event, Message):
            self._say(event.text)

    def close(self) -> None:
        """Leave the bars as they are."""
        self._steps.close()
        self._epochs.close()

    def _say(self, text: str) -> None:
        self._write(text, file=self._file)
        self._file.flush()


def _told(record: "EpochRecord") -> str:
    """Say an epoch's losses and score."""
    parts = [f"loss {record['train_loss']:.3f}"]
    if record["val_loss"] is not None:
        parts.append(f"validation {record['val_loss']:.3f}")
    parts.append("not scored" if record["val_miou"] is None else f"mIoU {record['val_miou']:.3f}")
    return ", ".join(parts)


@contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM, which cluster managers send, do what Ctrl+C does; only on the main thread, where signals come."""

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


def follow(run: "TrainingRun", bars: Bars | None) -> bool:
    """Wait for a run, showing it; return whether it was interrupted, and so stopped with its best weights kept."""
    unsubscribe = None if bars is None else run.subscribe(bars.show)
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
        if bars is not None:
            bars.close()
    return interrupted
