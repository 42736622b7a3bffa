"""Find an interrupted run. No torch."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from histowidgets._io import as_path
from histowidgets.annotations import Project
from histowidgets.errors import TrainingError
from histowidgets.training.checkpoint import RESUME_FILE, read_header
from histowidgets.training.runs._active import is_active
from histowidgets.training.storage import StoredRun, changes, fingerprint_of, read_run, run_folders


@dataclass(frozen=True)
class UnfinishedRun:
    """An interrupted run, and its progress.

    Attributes
    ----------
    id : str
        Id of the run.
    folder : Path
        Its folder, for `resume_training`.
    epoch : int
        The last epoch on disk.
    epochs : int
        The planned number of epochs.
    best_epoch : int or None
        The best epoch so far; its mIoU is `best_miou`, None without validation labels.
    seconds : float
        Training time so far, without pauses.
    changed : tuple of str
        Which of "classes", "images" and "annotations" have changed since. If empty, the run itself can be resumed.
    """

    id: str
    folder: Path
    epoch: int
    epochs: int
    best_epoch: int | None
    best_miou: float | None
    seconds: float
    changed: tuple[str, ...]

    def __str__(self) -> str:
        score = "" if self.best_miou is None else f", best mIoU {self.best_miou:.3f} in epoch {self.best_epoch}"
        changed = f"; changed since then: {', '.join(self.changed)}" if self.changed else ""
        return f"Run {self.id}: epoch {self.epoch} of {self.epochs}{score}{changed}"


def find_unfinished_run(project: Project | str | PathLike[str]) -> UnfinishedRun | None:
    """Find the last run of a project, if it was interrupted, which means that its kernel ended first.

    Parameters
    ----------
    project : Project or path
        A project with a folder, or that folder.

    Returns
    -------
    UnfinishedRun or None
        None if the last run finished or was stopped, if it is training in this kernel, or if no usable epoch is on
        disk; in that case `resume_training` gives the reason.
    """
    try:
        found = read_unfinished_run(project)
    except TrainingError:
        return None
    return None if found is None else _described(found, project if isinstance(project, Project) else None)


def read_unfinished_run(project: Project | str | PathLike[str]) -> StoredRun | None:
    """Read the last run of a project, if it was interrupted; like `find_unfinished_run`, but damaged files raise."""
    folder = project.folder if isinstance(project, Project) else as_path(project, TrainingError)
    if folder is None or (isinstance(project, Project) and project.read_only):
        return None
    folders = run_folders(Path(folder))
    if not folders or not (folders[-1] / RESUME_FILE).exists():
        return None
    run = read_run(folders[-1])
    return None if run.state != "running" or is_active(run.id) else run


def _described(run: StoredRun, project: Project | None) -> UnfinishedRun | None:
    try:
        plain, _ = read_header(run.folder / RESUME_FILE)
        best = plain["best"]
        return UnfinishedRun(
            id=run.id,
            folder=run.folder,
            epoch=len(plain["history"]),
            epochs=run.settings.epochs,
            best_epoch=None if best is None else best["epoch"],
            best_miou=None if best is None else best["val_miou"],
            seconds=float(plain["seconds"]),
            changed=() if project is None else tuple(changes(plain, fingerprint_of(project.snapshot(), run.settings))),
        )
    except (TrainingError, KeyError, TypeError):
        return None
