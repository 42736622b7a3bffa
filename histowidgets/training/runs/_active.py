"""The runs that are training in this process. No torch."""

from weakref import WeakSet

from histowidgets.training.runs._base import Run

_started: WeakSet[Run] = WeakSet()


def register(run: Run) -> None:
    """Register a run that starts."""
    _started.add(run)


def is_active(run_id: str) -> bool:
    """Return whether the run with this id is training in this process."""
    return any(run.id == run_id and not run.is_over for run in list(_started))
