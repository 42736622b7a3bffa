"""A run that ended in an earlier session, loaded from its folder."""

import logging
from pathlib import Path

from histowidgets.annotations import Project, Split, snapshot_of
from histowidgets.errors import HistowidgetsError, TrainingError
from histowidgets.prediction import Classifier
from histowidgets.training._events import EpochEnded, RunStarted, State
from histowidgets.training.runs._active import is_active
from histowidgets.training.runs._base import Run
from histowidgets.training.runs._classifier import read_classifier
from histowidgets.training.storage import StoredRun, read_run, run_folders

log = logging.getLogger("histowidgets.training")


class LoadedRun(Run):
    """A run of an earlier session, with its curves and its classifier, from `load_last_run`.

    Attributes
    ----------
    split : Split
        The held-out regions for validation.
    """

    def __init__(self, stored: StoredRun, classifier: Classifier) -> None:
        super().__init__(stored.id, stored.settings)
        self.split = Split.from_dict({"held_out": stored.about["held_out"], "messages": []})
        self.ended_at = (stored.folder / "run.json").stat().st_mtime
        self._classifier = classifier
        best = None if stored.best is None else stored.best["epoch"]
        backbone = str(stored.about["network"].get("backbone", stored.settings.backbone))
        self._emit(RunStarted(self.id, 0, 0, 0, stored.settings.epochs, backbone, settings=stored.settings))
        for record in stored.history:
            is_best = record["epoch"] == best
            self._emit(EpochEnded(record, is_best, stored.confusion if is_best else None))
        # The folder does not say whether the user stopped the run; one that used up its epochs or its time was not
        # stopped.
        self._end(_state_of(stored), best)

    @property
    def classifier(self) -> Classifier:
        """The classifier of the epoch that was kept."""
        return self._classifier


def load_last_run(project: Project) -> LoadedRun | None:
    """Load the last finished run in a project's folder; None if there is none, or its files cannot be used.

    Parameters
    ----------
    project : Project
        A project without a folder has no earlier runs.
    """
    if project.folder is None:
        return None
    snapshot = snapshot_of(project)
    for folder in reversed(run_folders(Path(project.folder))):
        try:
            stored = read_run(folder)
            if stored.state == "running" or is_active(stored.id) or not stored.history:
                continue
            return LoadedRun(stored, read_classifier(stored, snapshot))
        except (TrainingError, HistowidgetsError) as error:
            log.warning("An earlier run is not shown: %s", error)
    return None


def _state_of(stored: StoredRun) -> State:
    settings, history = stored.settings, stored.history
    seconds = history[-1]["seconds"] or 0.0
    time_is_up = settings.max_seconds is not None and seconds >= settings.max_seconds
    return "finished" if len(history) >= settings.epochs or time_is_up else "stopped"
