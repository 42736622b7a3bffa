"""The runs that are training in this process. No torch."""

from weakref import WeakSet

from histowidgets.training.runs._base import Run

_started: WeakSet[Run] = WeakSet()


def register(run: Run) -> None:
    """Remember a run that starts."""
    _started.add(run)


def active_runs() -> list[Run]:
    """Return the runs that are not over."""
    return [run for run in list(_started) if not run.is_over]


def is_active(run_id: str) -> bool:
    """Return whether a run of this name is training in this process."""
    return any(run.id == run_id for run in active_runs())
