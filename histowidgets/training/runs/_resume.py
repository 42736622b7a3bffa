"""Resume an interrupted run after its last epoch or, if that is impossible, from its best weights."""

from dataclasses import replace
from os import PathLike
from pathlib import Path

from histowidgets._io import as_path
from histowidgets.annotations import Project, ProjectSnapshot, Split, snapshot_of
from histowidgets.errors import ReadOnlyError, TrainingError
from histowidgets.images import Normalization
from histowidgets.models import NetworkSpec
from histowidgets.training._events import Message
from histowidgets.training.checkpoint import RESUME_FILE, Checkpoint, damaged, read_checkpoint
from histowidgets.training.data import Start, TrainingRequest, check_kinds, make_request
from histowidgets.training.runs._active import is_active
from histowidgets.training.runs._classifier import read_classifier
from histowidgets.training.runs._run import TrainingRun
from histowidgets.training.settings import TrainingSettings
from histowidgets.training.storage import StoredRun, changes, fingerprint_of, read_run, run_folders


def resume_training(
    where: Project | str | PathLike[str],
    project: Project | ProjectSnapshot | None = None,
    settings: TrainingSettings | None = None,
) -> TrainingRun:
    """Resume an interrupted run on a thread; return at once.

    The run continues after its last epoch on disk, in the same folder and with the same id. Its curves are those of an
    uninterrupted run: on a CPU, without a time limit, the numbers and weights are bitwise identical.

    If the annotations, the images or the classes have changed, or other settings are given, a new run starts from the
    best weights instead, as with ``start_training(continue_from=...)``, and a message says so. The same applies to runs
    of version 1, which stored only these weights.

    Parameters
    ----------
    where : Project or path
        The run's folder, or the project or its folder for its last run.
    project : Project or ProjectSnapshot, optional
        The project of the run; by default the one that contains the folder is opened.
    settings : TrainingSettings, optional
        By default those that the run was started with.

    Returns
    -------
    TrainingRun

    Raises
    ------
    TrainingError
        There is no interrupted run, it is already training, or its files are damaged or of a newer version; the message
        names the file.
    ProjectFolderError
        The project cannot be opened.
    """
    if settings is not None:
        check_kinds(settings)
    stored = _run_at(where)
    if is_active(stored.id):
        raise TrainingError(f"The run {stored.id} is already training in this kernel. It need not be resumed.")
    if stored.state != "running":
        raise TrainingError(
            f"The run in {stored.folder} has ended, so there is nothing to resume. To continue from its weights, use "
            "start_training(project, continue_from=classifier)."
        )
    if project is None and isinstance(where, Project):
        project = where
    opened = None
    if project is None:
        project = opened = Project.open(stored.folder.parent.parent)
    try:
        if isinstance(project, Project) and project.read_only:
            raise ReadOnlyError(
                f"Another session holds {project.folder}, and may be training there. Close it, then resume the run."
            )
        request = _request_to_resume(stored, project, settings)
    finally:
        # The run uses a snapshot, which can be read without the folder's lock.
        if opened is not None:
            opened.close()
    run = TrainingRun(request)
    run.start()
    return run


def _run_at(where: Project | str | PathLike[str]) -> StoredRun:
    if isinstance(where, Project):
        if where.folder is None:
            raise TrainingError("The project has no folder, so none of its runs is on disk. Start a new run.")
        folder = Path(where.folder)
    else:
        folder = as_path(where, TrainingError)
    if (folder / "run.json").exists():
        return read_run(folder)
    folders = run_folders(folder)
    if not folders:
        raise TrainingError(f"There is no run in {folder}. Give the folder of a run or of a project that has one.")
    return read_run(folders[-1])


def _request_to_resume(
    stored: StoredRun, project: Project | ProjectSnapshot, settings: TrainingSettings | None
) -> TrainingRequest:
    """Make the request that continues a run, or one that starts a new run from its best weights."""
    snapshot = snapshot_of(project)
    path = stored.folder / RESUME_FILE
    if not path.exists():
        return _start_from_best(stored, project, settings, f"The run {stored.id} left no checkpoint to resume from")
    checkpoint = read_checkpoint(path)
    changed = changes(checkpoint.plain, fingerprint_of(snapshot, stored.settings))
    if settings is not None and settings != stored.settings:
        changed.append("settings")
    if changed:
        why = f"The {' and '.join(changed)} of the run {stored.id} have changed since it was interrupted"
        return _start_from_best(stored, project, settings, why)
    try:
        return _continue(stored, checkpoint, snapshot)
    except (KeyError, TypeError) as error:
        raise damaged(path, repr(error)) from error


def _continue(stored: StoredRun, checkpoint: Checkpoint, snapshot: ProjectSnapshot) -> TrainingRequest:
    plain = checkpoint.plain
    start = Start(
        NetworkSpec.from_dict(plain["network"]),
        {name: tensor.numpy() for name, tensor in checkpoint.under("network").items()},
        Normalization.from_dict(plain["normalization"]),
        plain["weights_used"],
    )
    request = make_request(snapshot, stored.settings, split=Split.from_dict(plain["split"]))
    done = len(plain["history"])
    return replace(
        request,
        run_id=stored.id,
        folder=stored.folder,
        start=start,
        messages=(Message("info", f"The run is resumed after epoch {done} of {stored.settings.epochs}."),),
        resumed=checkpoint,
    )


def _start_from_best(
    stored: StoredRun, project: Project | ProjectSnapshot, settings: TrainingSettings | None, why: str
) -> TrainingRequest:
    classifier = read_classifier(stored, snapshot_of(project))
    request = make_request(project, stored.settings if settings is None else settings, classifier)
    message = Message("warning", f"{why}: a new run starts from its best weights.")
    return replace(request, messages=(message, *request.messages))
