"""Going on with a run whose kernel was killed. Torch is loaded only when one goes on."""

import sys
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from histowidgets.annotations import Project, ProjectSnapshot
from histowidgets.errors import TrainingError
from histowidgets.training.checkpoint import RESUME_FILE, read_header
from histowidgets.training.storage import StoredRun, changes, fingerprint_of, read_run, run_folders

if TYPE_CHECKING:
    from histowidgets.training.runs._run import TrainingRun
    from histowidgets.training.settings import TrainingSettings

Where = Project | str | PathLike[str]


@dataclass(frozen=True)
class RunSummary:
    """A run that broke off, and how far it had come.

    Attributes
    ----------
    id : str
        Name of the run.
    folder : Path
        Where it lies; `resume_training` takes it.
    epoch : int
        The last epoch that is safe on disk.
    epochs : int
        Those it was to have.
    best_epoch : int or None
        The best of them, and its `best_miou`, None without validation labels.
    seconds : float
        Time trained so far, pauses left out.
    changed : tuple of str
        What is no longer as it was: of "classes", "images", "annotations". Empty: the run goes on unbroken.
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
        changed = f"; since then changed: {', '.join(self.changed)}" if self.changed else ""
        return f"Run {self.id}: epoch {self.epoch} of {self.epochs}{score}{changed}"


def unfinished_run(project: Where) -> RunSummary | None:
    """Look for a run that broke off: the last run of a project, if its kernel ended before it did.

    Parameters
    ----------
    project : Project or path
        A project with a folder, or that folder.

    Returns
    -------
    RunSummary or None
        None if the last run ended by itself or was stopped, if it goes on in this kernel, if no epoch of it is on
        disk, or if what is on disk cannot be used: `resume_training` says why.
    """
    try:
        found = find_unfinished(project)
    except TrainingError:
        return None
    return None if found is None else _summary(found, project if isinstance(project, Project) else None)


def find_unfinished(project: Where) -> StoredRun | None:
    """Look for the last run of a project, if it broke off; as `unfinished_run`, but damage is an error."""
    folder = project.folder if isinstance(project, Project) else Path(project).expanduser()
    if folder is None or (isinstance(project, Project) and project.read_only):
        return None
    folders = run_folders(Path(folder))
    if not folders or not (folders[-1] / RESUME_FILE).exists():
        return None
    run = read_run(folders[-1])
    return None if run.state != "running" or _is_alive(run) else run


def resume_training(
    where: Where, project: Project | ProjectSnapshot | None = None, settings: "TrainingSettings | None" = None
) -> "TrainingRun":
    """Go on with a run that broke off, on a thread; return at once.

    The run goes on after its last epoch on disk, in the same folder and under the same name. Its curve is that of a run
    that was never broken off: on a CPU, without a time limit, the same numbers and weights bit for bit.

    If the annotations, the images or the classes have changed since, or other settings are given, there is no such
    curve: then a new run trains on from its best weights, as with ``start_training(continue_from=...)``, and a
    message says so. So it does with runs of version 1, which left no more than those weights.

    Parameters
    ----------
    where : Project or path
        The run's folder; or the project or its folder, for the last run in it.
    project : Project or ProjectSnapshot, optional
        What the run is of; by default the project that the folder lies in is opened.
    settings : TrainingSettings, optional
        By default those that the run was started with.

    Returns
    -------
    TrainingRun

    Raises
    ------
    TrainingError
        No run broke off there, it goes on already, or its files are damaged or of a newer version: the message names
        the file.
    ProjectFolderError
        The project cannot be opened.
    """
    from histowidgets.training.runs._resume import go_on

    run = _run_at(where)
    if _is_alive(run):
        raise TrainingError(f"The run {run.id} goes on in this kernel already; it need not be resumed.")
    if run.state != "running":
        raise TrainingError(
            f"The run in {run.folder} has ended; there is nothing to resume. To train on from what it learned, use "
            "start_training(project, continue_from=classifier)."
        )
    if project is None and isinstance(where, Project):
        project = where
    return go_on(run, project, settings)


def _run_at(where: Where) -> StoredRun:
    if isinstance(where, Project):
        if where.folder is None:
            raise TrainingError("The project has no folder, so no run of it is on disk. Start a new run.")
        folder = Path(where.folder)
    else:
        folder = Path(where).expanduser()
    if (folder / "run.json").exists():
        return read_run(folder)
    folders = run_folders(folder)
    if not folders:
        raise TrainingError(f"There is no run in {folder}. Give the folder of a run or of a project that has one.")
    return read_run(folders[-1])


def _is_alive(run: StoredRun) -> bool:
    """Say whether a run goes on in this process."""
    module: Any = sys.modules.get("histowidgets.training.runs._run")
    return module is not None and any(one.id == run.id and not one.is_over for one in list(module.running_runs))


def _summary(run: StoredRun, project: Project | None) -> RunSummary | None:
    try:
        plain, _ = read_header(run.folder / RESUME_FILE)
        best = plain["best"]
        return RunSummary(
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
