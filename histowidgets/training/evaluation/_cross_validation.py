"""How well a training would do on tissue it has not seen: every label is held out once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from histowidgets.annotations import Project, ProjectSnapshot, Split, snapshot_of
from histowidgets.errors import SettingsError, TrainingDataError
from histowidgets.images import Region
from histowidgets.training._events import EpochRecord
from histowidgets.training.data import (
    FEWEST_FOLDS,
    MOST_FOLDS,
    TrainingRequest,
    check_kinds,
    cut_evenly,
    make_request,
    plan_sampling,
)
from histowidgets.training.estimation import check_budget
from histowidgets.training.evaluation._inline import can_measure, train_here
from histowidgets.training.settings import TrainingSettings

Progress = Callable[[int, int, EpochRecord], None]


@dataclass(frozen=True)
class Fold:
    """One training: what it held out, and how its last epoch did there.

    The last epoch, not the best one: choosing an epoch by the labels that it is measured on would flatter it.
    """

    held_out: Mapping[str, tuple[Region, ...]]
    record: EpochRecord


@dataclass(frozen=True)
class CrossValidation:
    """The scores of all folds.

    Attributes
    ----------
    classes : tuple of str
        In the project's order.
    folds : tuple of Fold
        Those that were finished.
    n_folds : int
        Those that were asked for.
    """

    classes: tuple[str, ...]
    folds: tuple[Fold, ...]
    n_folds: int

    @property
    def cancelled(self) -> bool:
        """Whether some folds were not finished."""
        return len(self.folds) < self.n_folds

    def iou(self, class_name: str) -> tuple[float, float] | None:
        """Mean and standard deviation over the folds (n - 1) of a class's IoU; None if no fold could measure it.

        Folds whose held-out labels lack the class do not count; with one fold the deviation is NaN.
        """
        return _mean_and_sd([fold.record["val_iou"][class_name] for fold in self.folds])

    def miou(self) -> tuple[float, float] | None:
        """Mean and standard deviation over the folds of the mIoU."""
        return _mean_and_sd([fold.record["val_miou"] for fold in self.folds])

    def to_dict(self) -> dict[str, Any]:
        """Return all scores as JSON holds them: mean and sd of the mIoU and of each class, and every fold's."""
        return {
            "n_folds": self.n_folds,
            "miou": _pair(self.miou()),
            "iou": {name: _pair(self.iou(name)) for name in self.classes},
            "folds": [
                {
                    "held_out": {name: [list(r) for r in some] for name, some in fold.held_out.items() if some},
                    **fold.record,
                }
                for fold in self.folds
            ],
        }

    def __str__(self) -> str:
        rows = [(name, self.iou(name)) for name in self.classes] + [("mIoU", self.miou())]
        width = max(len(name) for name, _ in rows)
        lines = [f"{len(self.folds)} of {self.n_folds} folds; mean ± standard deviation of the IoU"]
        for name, pair in rows:
            lines.append(f"{name:<{width}}  " + ("no labels" if pair is None else f"{pair[0]:.3f} ± {pair[1]:.3f}"))
        return "\n".join(lines)


def cross_validate(
    project: Project | ProjectSnapshot,
    settings: TrainingSettings | None = None,
    folds: int = 5,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
    *,
    groups: Mapping[str, str] | None = None,
) -> CrossValidation:
    """Train once for each fold, and measure on what it held out (row R64).

    Whole images are held out where there are at least as many as folds; else each image is cut into as many
    rectangles. Folds share no pixel, and neither do the tiles of the two sides of a fold, their surroundings included.
    Images of role "train" are trained on in every fold; those of role "validation" take part like all others. Only the
    statistics of the normalization may be of all of an image.

    Parameters
    ----------
    project : Project or ProjectSnapshot
        Images and annotations.
    settings : TrainingSettings, optional
        Of each training; early stopping is off. The defaults if left out: a minute a fold.
    folds : int
        2 to 20.
    progress : callable, optional
        ``progress(fold, folds, record)`` after each epoch; folds count from 1.
    should_stop : callable, optional
        Is asked before each batch; True ends the work within one batch. Ctrl+C does too.
    groups : mapping of image name to str, optional
        What belongs together, such as the images of one patient: it is held out together, in one fold. Images that are
        not named are groups of their own.

    Returns
    -------
    CrossValidation
        Of the folds that were finished.

    Raises
    ------
    SettingsError
        The number of folds is out of its range, there are fewer groups than folds, or a setting does not fit.
    TrainingDataError
        The labels are too few for so many folds.
    BudgetError
        The memory is too little; see `estimate`.
    """
    if not isinstance(folds, int) or not FEWEST_FOLDS <= folds <= MOST_FOLDS:
        raise SettingsError(f"folds is {folds!r}; use {FEWEST_FOLDS} to {MOST_FOLDS}.")
    snapshot = snapshot_of(project)
    settings = settings if settings is not None else TrainingSettings()
    check_kinds(settings)
    settings = settings.model_copy(update={"early_stopping_metric": "none"})
    splits = make_folds(snapshot, settings, folds, groups)
    requests = [_request(snapshot, settings, split, number) for number, split in enumerate(splits)]
    check_budget(requests[0])
    done: list[Fold] = []
    try:
        for number, request in enumerate(requests, 1):
            record = _train_fold(request, number, folds, progress, should_stop)
            if record is None:
                break
            done.append(Fold(request.split.held_out, record))
    except KeyboardInterrupt:
        pass  # what is finished is of use
    return CrossValidation(tuple(snapshot.classes), tuple(done), folds)


def make_folds(
    snapshot: ProjectSnapshot, settings: TrainingSettings, folds: int, groups: Mapping[str, str] | None = None
) -> list[Split]:
    """Divide the labels into folds that share no pixel; see `cross_validate`."""
    whole: dict[str, tuple[Region, ...]] = dict.fromkeys(snapshot.images, ())
    everything = plan_sampling(snapshot, Split(whole), settings.tile_size, settings.downsample, 0.0, settings.seed)
    points: dict[str, list[np.ndarray]] = {}
    kinds: dict[str, list[int]] = {}
    for samples in everything.samples:
        for point, window in zip(samples.points, samples.windows, strict=True):
            name = everything.windows[int(window)].image_name
            points.setdefault(name, []).append(point)
            kinds.setdefault(name, []).append(samples.class_index)
    names = [name for name in points if snapshot.roles[name] != "train"]
    held: list[dict[str, tuple[Region, ...]]] = [dict(whole) for _ in range(folds)]
    together = _together(names, snapshot, groups or {})
    if len(together) >= folds:
        sizes = [0] * folds
        weights = {group: sum(len(points[name]) for name in members) for group, members in together.items()}
        for group in sorted(together, key=lambda group: (-weights[group], group)):
            smallest = sizes.index(min(sizes))
            sizes[smallest] += weights[group]
            for name in together[group]:
                held[smallest][name] = (snapshot.images[name].region,)
    elif groups:
        raise SettingsError(
            f"The labelled images are of {len(together)} groups, which cannot be divided into {folds} folds. "
            "Use fewer folds, or leave groups out: then images are cut."
        )
    else:
        for name in names:
            region = snapshot.images[name].region
            pieces = cut_evenly(np.array(points[name]), region, folds, np.array(kinds[name]))
            for number, piece in enumerate(pieces):
                held[number][name] = (piece,)
    return [Split(one) for one in held]


def _together(
    names: Sequence[str], snapshot: ProjectSnapshot, groups: Mapping[str, str]
) -> dict[tuple[bool, str], list[str]]:
    """Return the images of each group; an image without one is alone, whatever it is called."""
    for name in groups:
        if name not in snapshot.images:
            raise SettingsError(f"groups names {name!r}, which is no image; there are {', '.join(snapshot.images)}.")
    together: dict[tuple[bool, str], list[str]] = {}
    for name in names:
        together.setdefault((name in groups, groups.get(name, name)), []).append(name)
    return together


def _request(snapshot: ProjectSnapshot, settings: TrainingSettings, split: Split, number: int) -> TrainingRequest:
    request = make_request(snapshot, settings, split=split)
    if request.split is not split or not can_measure(request):
        raise TrainingDataError(
            f"Fold {number + 1} would have labels of fewer than two classes to learn from, or none to measure on. "
            "Use fewer folds, or paint more of each class."
        )
    return replace(request, folder=None)


def _train_fold(
    request: TrainingRequest,
    number: int,
    folds: int,
    progress: Progress | None,
    should_stop: Callable[[], bool] | None,
) -> EpochRecord | None:
    """Train one fold on this thread; return the record of its last epoch, or None if it was stopped."""

    def hear(record: EpochRecord) -> None:
        if progress is not None:
            progress(number, folds, record)

    trained = train_here(request, hear, should_stop)
    return None if trained is None else trained.history[-1]


def _pair(pair: tuple[float, float] | None) -> dict[str, float | None] | None:
    """Put a mean and a deviation under their names; JSON has no NaN."""
    return None if pair is None else {"mean": pair[0], "sd": None if np.isnan(pair[1]) else pair[1]}


def _mean_and_sd(values: Sequence[float | None]) -> tuple[float, float] | None:
    known = np.array([value for value in values if value is not None])
    if len(known) == 0:
        return None
    return float(known.mean()), float(known.std(ddof=1)) if len(known) > 1 else float("nan")
