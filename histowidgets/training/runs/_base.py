"""The base class of runs: state, history, events, subscribers and controls. No torch."""

import logging
import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from histowidgets.errors import TrainingError
from histowidgets.training._events import (
    KEEP_CHOICES,
    EpochRecord,
    Event,
    Keep,
    Message,
    RunEnded,
    State,
    StateChanged,
)
from histowidgets.training.loop import RunControl
from histowidgets.training.runs._state import RunState
from histowidgets.training.settings import TrainingSettings

if TYPE_CHECKING:  # it needs torch
    from histowidgets.prediction import Classifier

Callback = Callable[[Event], None]

log = logging.getLogger("histowidgets.training")


@dataclass(frozen=True)
class RunSummary:
    """The curves and scores of a finished run, without its weights, events and labels.

    Attributes
    ----------
    id : str
    settings : TrainingSettings or None
    state : str
    history : tuple of EpochRecord
    best_epoch : int or None
    scores : dict
        See `Run`.
    messages : tuple of Message
    """

    id: str
    settings: TrainingSettings | None
    state: State
    history: tuple[EpochRecord, ...]
    best_epoch: int | None
    scores: dict[str, Any]
    messages: tuple[Message, ...]


class Run(ABC):
    """A run: its public state, and the methods to pause, resume and stop it.

    Subclasses emit the events. All attributes may be read from any thread.

    Attributes
    ----------
    id : str
        Id of the run, which is also the name of its folder.
    settings : TrainingSettings or None
        The settings that it was started with; None if unknown.
    state : str
        "preparing", "running", "paused", "stopping", "finished", "stopped" or "failed".
    history : list of EpochRecord
        One record for each epoch so far.
    events : list
        Everything emitted so far.
    messages : list of Message
        Messages for the user.
    best_epoch : int or None
        The epoch whose weights are kept.
    scores : dict
        The record of this epoch, with ``confusion``, the numbers of labelled validation pixels, with a row for each
        true class in the order of ``val_iou``. Empty without such an epoch.
    seconds_left : float or None
        Estimated remaining time; None before the first step.
    n_train_tiles, n_validation_tiles, steps_per_epoch : int
        0 before they are known.
    error : BaseException or None
        The exception that made the run fail, with its `traceback` as text.
    classifier : Classifier or None
        The best classifier so far; None in a run that trains none.
    ended_at : float or None
        For a run of an earlier session, when its folder was last written, in seconds since 1970; otherwise None.
    """

    ended_at: float | None = None

    @property
    def is_loaded(self) -> bool:
        """Whether the run was loaded from the folder of an earlier session."""
        return self.ended_at is not None

    def __init__(self, run_id: str, settings: TrainingSettings | None, control: RunControl | None = None) -> None:
        self.id = run_id
        self.events: list[Event] = []
        self.error: BaseException | None = None
        self._state = RunState(settings=settings, state="preparing")
        self._control = RunControl() if control is None else control
        self._changed = threading.Condition(threading.RLock())
        self._callbacks: list[Callback] = []
        self._failing: set[int] = set()
        self._foreground: queue.SimpleQueue[Event] | None = None
        self._ended = threading.Event()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.state}, {len(self.history)} epochs>"

    # -- state ----------------------------------------------------------------------------------

    @property
    def settings(self) -> TrainingSettings | None:
        """The settings that the run was started with; None if unknown."""
        return self._state.settings

    @property
    def state(self) -> State:
        """The state of the run."""
        return self._state.state or "preparing"

    @property
    def is_over(self) -> bool:
        """Whether the run is in a final state."""
        return self._state.is_over

    @property
    def history(self) -> list[EpochRecord]:
        """One record for each epoch so far."""
        return self._state.history

    @property
    def messages(self) -> list[Message]:
        """The messages for the user so far."""
        return self._state.messages

    @property
    def best_epoch(self) -> int | None:
        """The epoch whose weights are kept."""
        return self._state.best_epoch

    @property
    def scores(self) -> dict[str, Any]:
        """The record of the epoch whose weights are kept, with its confusion matrix; empty if there is none."""
        with self._changed:
            return self._state.scores

    @property
    def seconds_left(self) -> float | None:
        """Estimated remaining time in seconds; None before the first step."""
        return self._state.seconds_left

    @property
    def n_train_tiles(self) -> int:
        """The number of tiles for training; 0 before it is known."""
        return self._state.n_train_tiles

    @property
    def n_validation_tiles(self) -> int:
        """The number of tiles for validation; 0 before it is known."""
        return self._state.n_validation_tiles

    @property
    def steps_per_epoch(self) -> int:
        """The number of steps in an epoch; 0 before it is known."""
        return self._state.steps_per_epoch

    @property
    def traceback(self) -> str:
        """The traceback of the error that made the run fail; empty if it did not."""
        return self._state.traceback

    @property
    @abstractmethod
    def classifier(self) -> "Classifier | None":
        """The best classifier so far; None in a run that trains none."""

    def summary(self) -> RunSummary:
        """Return the curves and scores so far, without the weights, the events and the labels."""
        with self._changed:
            state = self._state
            return RunSummary(
                self.id,
                self.settings,
                self.state,
                tuple(state.history),
                state.best_epoch,
                state.scores,
                tuple(state.messages),
            )

    # -- listening ------------------------------------------------------------------------------

    def subscribe(self, callback: Callback) -> Callable[[], None]:
        """Call `callback(event)` for each event from now on.

        It is called on the run's thread, on a thread that stops the run, or on the one in `watch`. If two threads emit
        at the same time, `events` has the order. An error in `callback` is logged once and does not affect the run.

        Returns
        -------
        callable
            Call this to unsubscribe.
        """
        with self._changed:
            self._callbacks.append(callback)

        def unsubscribe() -> None:
            with self._changed:
                if callback in self._callbacks:
                    self._callbacks.remove(callback)

        return unsubscribe

    def wait(self, timeout: float | None = None) -> State:
        """Wait until the run is over, for at most `timeout` seconds; return the state."""
        self._ended.wait(timeout)
        return self.state

    def watch(self) -> State:
        """Call the subscribers on this thread until the run is over or Ctrl+C is pressed; return the state.

        For front ends such as Colab that show only the output of the running cell. An interrupt ends the watching, but
        not the run.
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
                self._call_subscribers(event)
                if isinstance(event, RunEnded):
                    break
        except KeyboardInterrupt:
            pass
        finally:
            with self._changed:
                self._foreground = None
            while not events.empty():
                self._call_subscribers(events.get())
        return self.state

    # -- steering -------------------------------------------------------------------------------

    def pause(self) -> None:
        """Pause the run at its next check, within one batch; no effect if the run is over."""
        self._control.pause()

    def resume(self) -> None:
        """Continue after `pause`."""
        self._control.resume()

    def stop(self, keep: Keep = "best") -> None:
        """Stop the run at its next check, within one batch; no effect if the run is over.

        Parameters
        ----------
        keep : {"best", "last", "nothing"}
            Which weights `classifier` has afterwards: those of the best epoch, the last ones, or none.

        Raises
        ------
        TrainingError
            `keep` is none of the three.
        """
        if keep not in KEEP_CHOICES:
            raise TrainingError(f"keep is {keep!r}; use {', '.join(map(repr, KEEP_CHOICES))}.")
        with self._changed:
            if self.is_over:
                return
            # Before the subscribers are called, since they may wait for the end.
            self._control.stop(keep)
        self._emit(StateChanged("stopping"), when=lambda: not self.is_over and self.state != "stopping")

    def leave(self) -> None:
        """Stop because the kernel is ending, leaving the folder in a state from which the run can be resumed."""
        self._control.leaving = True
        self.stop("best")

    # -- for subclasses -------------------------------------------------------------------------

    def _emit(self, event: Event, when: Callable[[], bool] | None = None) -> bool:
        """Record an event and call the subscribers; return whether it was emitted.

        Parameters
        ----------
        event : Event
        when : callable, optional
            Called with the lock held, so that nothing happens between its result and the event; if it returns False,
            there is no event. Subscribers are called without the lock, since they may wait for other threads.
        """
        with self._changed:
            if when is not None and not when():
                return False
            self.events.append(event)
            self._state.apply(event)
            self._changed.notify_all()
            foreground = self._foreground
            if foreground is not None:
                foreground.put(event)
        if foreground is None:
            self._call_subscribers(event)
        if isinstance(event, RunEnded):
            self._ended.set()
        return True

    def _hold_while_paused(self) -> None:
        """Wait while the run is paused; loops call this between epochs."""

        def tell(paused: bool) -> None:
            # A run that was stopped or has ended meanwhile keeps its state.
            self._emit(
                StateChanged("paused" if paused else "running"), when=lambda: self.state in ("running", "paused")
            )

        self._control.should_stop(tell)

    def _end(self, state: State, best_epoch: int | None) -> None:
        """Emit the end of the run; only the first call has an effect."""
        # A paused loop must not wait for ever.
        self._control.resume()
        if self._emit(StateChanged(state), when=lambda: not self.is_over):
            self._emit(RunEnded(state, best_epoch))

    def _call_subscribers(self, event: Event) -> None:
        with self._changed:
            callbacks: Sequence[Callback] = list(self._callbacks)
        for callback in callbacks:
            try:
                callback(event)
            except Exception:
                # Boundary to foreign code: an error in a subscriber must not end the run.
                if id(callback) not in self._failing:
                    self._failing.add(id(callback))
                    log.exception("A subscriber of run %s failed on %s", self.id, type(event).__name__)
