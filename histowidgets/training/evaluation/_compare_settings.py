"""Train with several settings on the same split, and compare them."""

from collections.abc import Callable, Mapping

from histowidgets.annotations import Project, ProjectSnapshot, Split, snapshot_of, split_project
from histowidgets.errors import SettingsError, TrainingDataError
from histowidgets.training._events import EpochRecord
from histowidgets.training.data import TrainingRequest, check_kinds, make_request
from histowidgets.training.estimation import check_budget
from histowidgets.training.evaluation._comparison import ComparedRun, Comparison, compared_run, make_comparison
from histowidgets.training.evaluation._inline import can_measure, run_inline
from histowidgets.training.settings import TrainingSettings

Progress = Callable[[int, int, EpochRecord], None]


def compare_settings(
    project: Project | ProjectSnapshot,
    settings: Mapping[str, TrainingSettings],
    *,
    split: Split | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Comparison:
    """Train once with each of several settings, on the same split and with the same seed, and compare the scores.

    All are scored on the same held-out labels, in their best epoch, which was chosen by those labels. This is good
    enough to choose between settings; to find out how well the choice works on other tissue, use `cross_validate`.

    Parameters
    ----------
    project : Project or ProjectSnapshot
        Images and annotations. Nothing is written to its folder.
    settings : mapping of str to TrainingSettings
        Maps names for the table to the settings to compare.
    split : Split, optional
        What to hold out for validation; by default from `split_project`, with the fraction of the first settings and
        the seed.
    seed : int, optional
        Seed of all trainings; by default that of the first settings.
    progress : callable, optional
        ``progress(number, count, record)`` is called after each epoch; trainings count from 1.
    should_stop : callable, optional
        Called before each batch; if it returns True, the work stops, as with Ctrl+C.

    Returns
    -------
    Comparison
        Comparison of the finished trainings.

    Raises
    ------
    SettingsError
        `settings` is empty or not a mapping, or a setting does not fit the project.
    TrainingDataError
        There are too few labels to learn from, or to hold some out.
    BudgetError
        One of the trainings does not fit into memory; see `estimate`.
    """
    if not isinstance(settings, Mapping) or not settings:
        raise SettingsError("There are no settings to compare; give a mapping such as {'tile 256': settings}.")
    snapshot = snapshot_of(project)
    for one in settings.values():
        check_kinds(one)
    first = next(iter(settings.values()))
    seed = first.seed if seed is None else seed
    same_seed = {name: one.model_copy(update={"seed": seed}) for name, one in settings.items()}
    # Checked first, so that a project without annotations is not reported as a problem of the split.
    make_request(snapshot, next(iter(same_seed.values())))
    split = split or split_project(snapshot, first.validation_fraction, seed, by=first.validation_by)
    requests = {name: _request(name, snapshot, one, split) for name, one in same_seed.items()}
    rows: list[ComparedRun] = []
    try:
        for number, (name, request) in enumerate(requests.items(), 1):

            def report(record: EpochRecord, number: int = number) -> None:
                if progress is not None:
                    progress(number, len(requests), record)

            trained = run_inline(request, report, should_stop)
            if trained is None:
                break
            rows.append(compared_run(name, request.settings, trained.history))
    except KeyboardInterrupt:
        pass  # the finished trainings are still useful
    return make_comparison(rows, len(requests))


def _request(name: str, snapshot: ProjectSnapshot, settings: TrainingSettings, split: Split) -> TrainingRequest:
    request = make_request(snapshot, settings, split=split)
    if request.split is not split or not can_measure(request):
        raise TrainingDataError(
            f"With the settings {name!r} there are too few strokes to hold some out, so nothing can be compared. "
            "Paint more of each class."
        )
    check_budget(request)
    return request
