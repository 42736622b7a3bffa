"""A run whose loop looks at its state now and then: pause, resume, and one end. No torch."""

from histowidgets.training._events import RunEnded, State, StateChanged
from histowidgets.training.runs._base import RunFace


class PausableRun(RunFace):
    """A run that is paused as long as its state says so."""

    def pause(self) -> None:
        """Hold the run before its next epoch; no effect unless it is running."""
        self._emit(StateChanged("paused"), when=lambda: self.state == "running")

    def resume(self) -> None:
        """Go on after `pause`."""
        self._emit(StateChanged("running"), when=lambda: self.state == "paused")

    def _hold(self) -> None:
        """Wait while the run is paused."""
        with self._changed:
            self._changed.wait_for(lambda: self.state != "paused")

    def _end(self, state: State) -> None:
        """Tell the end; no effect when it was told."""
        if self._emit(StateChanged(state), when=lambda: not self.is_over):
            self._emit(RunEnded(state, self.best_epoch))
