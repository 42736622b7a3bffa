"""What one run has said so far, whoever reports it; the monitor draws it. Knows no widget."""

from collections import deque
from collections.abc import Mapping
from typing import Any

from histowidgets.errors import WidgetError
from histowidgets.training import BatchEnded, EpochEnded, Message, RunEnded, RunFailed, RunStarted, StateChanged
from histowidgets.widgets.monitor._curves import EpochLog
from histowidgets.widgets.monitor._text import Progress

MESSAGES = 50


class Reading:
    """The records, the progress and the messages of one run.

    Attributes
    ----------
    log : EpochLog
    progress : Progress
    about : str
        The backbone and the tiles.
    messages : deque of (level, text)
        The latest `MESSAGES`.
    over : bool
        Whether the run has ended.
    """

    def __init__(self) -> None:
        self.log = EpochLog()
        self.progress = Progress()
        self.about = ""
        self.messages: deque[tuple[str, str]] = deque(maxlen=MESSAGES)
        self.over = False
        self.steps_per_epoch: int | None = None
        self.n_train_tiles: int | None = None
        self.class_labels: Mapping[str, tuple[int, int]] | None = None

    def take(self, event: Any) -> None:
        """Take in an event of a run, or a record; one that is broken becomes a message and costs nothing else."""
        try:
            self._take(event)
        except WidgetError as error:
            self.messages.append(("warning", str(error)))

    def _take(self, event: Any) -> None:
        progress = self.progress
        match event:
            case RunStarted():
                self._started(event)
            case BatchEnded():
                progress.epoch, progress.step, progress.steps = event.epoch, event.step, event.steps
                progress.seconds_left = event.seconds_left
            case EpochEnded():
                self.add(event.record, event.is_best)
            case StateChanged():
                progress.state = event.state
            case Message():
                self.messages.append((event.level, event.text))
            case RunFailed():
                progress.state, progress.reason = "failed", event.reason
                self.messages.append(("error", event.reason))
                if event.traceback:
                    self.messages.append(("traceback", event.traceback))
            case RunEnded():
                self.over = True
                progress.state, progress.step = event.state, None
                if len(self.log):
                    progress.epoch = self.log.last_epoch
                self.log.mark_best(event.best_epoch)
            case Mapping():
                self.add(event)

    def _started(self, event: RunStarted) -> None:
        self.progress.epochs = event.epochs or None
        self.about = event.backbone
        self.steps_per_epoch = event.steps_per_epoch or None
        self.n_train_tiles = event.n_train_tiles or None
        self.class_labels = event.class_labels
        if event.n_train_tiles:
            self.about += f" · {event.n_train_tiles} training tiles, {event.n_validation_tiles} for validation"

    def add(self, record: Mapping[str, Any], is_best: bool | None = None) -> None:
        """Take in what one epoch measured.

        Raises
        ------
        WidgetError
            The record is no mapping, or holds something that is no number.
        """
        self.log.add(record, is_best)
        self.progress.epoch, self.progress.step = self.log.last_epoch, None
        self.progress.seconds = (self.log.record_of(self.log.last_epoch) or {}).get("seconds")
