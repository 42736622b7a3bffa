"""What every run looks like from outside: state, history, events, listeners. No torch."""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

from histowidgets.training._events import (
    FINAL_STATES,
    BatchEnded,
    EpochEnded,
    EpochRecord,
    Event,
    Keep,
    Message,
    RunEnded,
    RunFailed,
    RunStarted,
    State,
    StateChanged,
)
from histowidgets.training.settings import TrainingSettings

Callback = Callable[[Event], None]

log = logging.getLogger("histowidgets.training")


class RunFace:
    """The part of a run that others see; subclasses emit the events.

    All attributes may be read from any thread.

    Attributes
    ----------
    id : str
        Name of the run, also of its folder.
    settings : TrainingSettings
        What it was started with.
    state : str
        "preparing", "running", "paused", "stopping", "finished", "stopped" or "failed".
    history : list of EpochRecord
        One record an epoch, so far.
    events : list
        Everything emitted, so far.
    messages : list of Message
        What a person should know, so far.
    best_epoch : int or None
        The epoch whose weights are kept.
    scores : dict
        Its record, with ``confusion``: labelled pixels of validation, a row for each true class, in the order of
        ``val_iou``. Empty where nothing was measured.
    seconds_left : float or None
        Estimate; None before the first step.
    error : BaseException or None
        What broke the run, and its `traceback` as text.
    """

    def __init__(self, run_id: str, settings: TrainingSettings) -> None:
        self.id = run_id
        self.settings = settings
        self.state: State = "preparing"
        self.history: list[EpochRecord] = []
        self.events: list[Event] = []
        self.messages: list[Message] = []
        self.best_epoch: int | None = None
        self.seconds_left: float | None = None
        self.n_train_tiles = 0
        self.n_validation_tiles = 0
        self.steps_per_epoch = 0
        self.error: BaseException | None = None
        self.traceback = ""
        self._changed = threading.Condition(threading.RLock())
        self._callbacks: list[Callback] = []
        self._complained: set[int] = set()
        self._foreground: queue.SimpleQueue[Event] | None = None
        self._ended = threading.Event()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.state}, {len(self.history)} epochs>"

    def subscribe(self, callback: Callback) -> Callable[[], None]:
        """Have `callback(event)` called for each event from now on.

        It is called from the run's thread, from the one that paused or stopped it, or from the one that is in `watch`;
        where two of them tell at once, `events` has the order. An error in it is logged, once, and does not touch the
        run.

        Returns
        -------
        callable
            Call it to unsubscribe.
        """
        with self._changed:
            self._callbacks.append(callback)

        def unsubscribe() -> None:
            with self._changed:
                if callback in self._callbacks:
                    self._callbacks.remove(callback)

        return unsubscribe

    def wait(self, timeout: float | None = None) -> State:
        """Block until the run is over, at most `timeout` seconds; return the state."""
        self._ended.wait(timeout)
        return self.state

    def watch(self) -> State:
        """Hand the events to the subscribers from this thread, until the run is over or Ctrl+C is pressed.

        For front ends that show only what the running cell does, such as Colab. An interrupt ends the watching,
        not the run. Returns the state.
        """
        with self._changed:
            if self._ended.is_set():
                return self.state
            events: queue.SimpleQueue[Event] = queue.SimpleQueue()
            self._foreground = events
        try:
            while True:
                try:
                    event = events.get(timeout=0.1)
                except queue.Empty:
                    if self._ended.is_set():
                        break
                    continue
                self._hand_out(event)
                if isinstance(event, RunEnded):
                    break
        except KeyboardInterrupt:
            pass
        finally:
            with self._changed:
                self._foreground = None
            while not events.empty():
                self._hand_out(events.get())
        return self.state

    def pause(self) -> None:
        """Hold the run within one batch; no effect when it is over."""
        raise NotImplementedError

    def resume(self) -> None:
        """Go on after `pause`."""
        raise NotImplementedError

    def stop(self, keep: Keep = "best") -> None:
        """End the run within one batch, keeping the weights of the best epoch, the last ones, or nothing."""
        raise NotImplementedError

    @property
    def scores(self) -> dict[str, Any]:
        """The record of the epoch whose weights are kept, with its confusion matrix; empty where there is none."""
        return {}

    def _emit(self, event: Event, when: Callable[[], bool] | None = None) -> bool:
        """Note an event and pass it on; return whether it was.

        Parameters
        ----------
        event : Event
        when : callable, optional
            Is asked with the lock held, so that nothing happens between its answer and the noting; False: no event.
            Subscribers are called without the lock: they may wait for other threads.
        """
        with self._changed:
            if when is not None and not when():
                return False
            self.events.append(event)
            self._note(event)
            self._changed.notify_all()
            foreground = self._foreground
            if foreground is not None:
                foreground.put(event)
        if foreground is None:
            self._hand_out(event)
        if isinstance(event, RunEnded):
            self._ended.set()
        return True

    def _note(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self.n_train_tiles = event.n_train_tiles
            self.n_validation_tiles = event.n_validation_tiles
            self.steps_per_epoch = event.steps_per_epoch
        elif isinstance(event, BatchEnded):
            self.seconds_left = event.seconds_left
        elif isinstance(event, EpochEnded):
            self.history.append(event.record)
            if event.is_best:
                self.best_epoch = event.record["epoch"]
        elif isinstance(event, StateChanged):
            self.state = event.state
        elif isinstance(event, Message):
            self.messages.append(event)
        elif isinstance(event, RunFailed):
            self.traceback = event.traceback
        elif isinstance(event, RunEnded):
            self.state, self.best_epoch, self.seconds_left = event.state, event.best_epoch, 0.0

    def _hand_out(self, event: Event) -> None:
        with self._changed:
            callbacks: Sequence[Callback] = list(self._callbacks)
        for callback in callbacks:
            try:
                callback(event)
            except Exception:
                # The boundary to other people's code: a listener must not end a run.
                if id(callback) not in self._complained:
                    self._complained.add(id(callback))
                    log.exception("A subscriber of run %s failed on %s", self.id, type(event).__name__)

    def remembered(self) -> "RunFace":
        """Return what a comparison needs of a run that is over, without its weights, its events and its labels."""
        memory = RunFace(self.id, self.settings)
        memory.state, memory.history, memory.messages = self.state, list(self.history), list(self.messages)
        memory.best_epoch, memory.seconds_left, memory.error = self.best_epoch, 0.0, self.error
        memory._ended.set()
        return memory

    @property
    def is_over(self) -> bool:
        """Whether the run is in a final state."""
        return self.state in FINAL_STATES
