"""Start a training in the background, or wait for its end."""

from histowidgets.annotations import Project, ProjectSnapshot, Split
from histowidgets.errors import HistowidgetsError, TrainingError
from histowidgets.prediction import Classifier
from histowidgets.training.data import make_request
from histowidgets.training.estimation import check_budget
from histowidgets.training.runs._resume import resume_training
from histowidgets.training.runs._run import TrainingRun
from histowidgets.training.runs._unfinished import read_unfinished_run
from histowidgets.training.settings import TrainingSettings


def start_training(
    project: Project | ProjectSnapshot,
    settings: TrainingSettings | None = None,
    *,
    continue_from: Classifier | None = None,
    split: Split | None = None,
    ignore_budget: bool = False,
) -> TrainingRun:
    """Train on the annotations of a project on a thread; return at once.

    Parameters
    ----------
    project : Project or ProjectSnapshot
        Its present state is captured, so that further painting does not affect the run. If it has a folder, the run is
        written to ``runs/<id>``.
    settings : TrainingSettings, optional
        By default, the default settings.
    continue_from : Classifier, optional
        Start from its weights, if classes and network are the same; otherwise a message says why not.
    split : Split, optional
        What to hold out for validation; by default from `split_project`.
    ignore_budget : bool
        Start even if memory seems too small; see `estimate`.

    Returns
    -------
    TrainingRun

    Raises
    ------
    TrainingDataError
        There are too few annotations to learn from.
    SettingsError, BackboneError
        A setting does not fit the project, or the backbone is unknown.
    BudgetError
        The memory of this computer, its container or its GPU is too small; the message names settings that would fit.
    """
    request = make_request(project, settings if settings is not None else TrainingSettings(), continue_from, split)
    if not ignore_budget:
        check_budget(request)
    run = TrainingRun(request)
    run.start()
    return run


def train(
    project: Project | ProjectSnapshot,
    settings: TrainingSettings | None = None,
    *,
    continue_from: Classifier | None = None,
    split: Split | None = None,
    ignore_budget: bool = False,
    resume: bool = False,
) -> TrainingRun:
    """Train and wait; Ctrl+C stops and keeps the best weights. Arguments and errors as for `start_training`.

    With ``resume=True``, the last run in the project's folder is resumed if it was interrupted; otherwise a new run
    starts. If the settings or annotations differ from those of that run, a new run continues from its best weights; see
    `resume_training`. `continue_from` and `split` are then ignored.

    Raises
    ------
    TrainingError
        The run failed; the cause is chained. Other errors are those of `start_training`.
    """
    unfinished = read_unfinished_run(project) if resume and isinstance(project, Project) else None
    if unfinished is not None:
        run = resume_training(unfinished.folder, project, settings)
    else:
        run = start_training(project, settings, continue_from=continue_from, split=split, ignore_budget=ignore_budget)
    try:
        run.wait()
    except KeyboardInterrupt:
        run.stop(keep="best")
        run.wait()
    if run.error is not None:
        if isinstance(run.error, HistowidgetsError):
            raise run.error
        raise TrainingError(f"The training failed: {run.error}") from run.error
    return run
