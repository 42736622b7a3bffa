"""The runs that are training in this process. No torch."""

from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:  # it needs torch
    from histowidgets.training.runs._run import TrainingRun

_started: "WeakSet[TrainingRun]" = WeakSet()


def register(run: "TrainingRun") -> None:
    """Remember a run that starts."""
    _started.add(run)


def active_runs() -> "list[TrainingRun]":
    """Return the runs that are not over."""
    return [run for run in list(_started) if not run.is_over]


def is_active(run_id: str) -> bool:
    """Return whether a run of this name is training in this process."""
    return any(run.id == run_id for run in active_runs())
