"""Cross-validation: score a training on tissue that it has not seen. Every label is held out once."""

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
from histowidgets.training.evaluation._inline import can_measure, run_inline
from histowidgets.training.settings import TrainingSettings

Progress = Callable[[int, int, EpochRecord], None]


@dataclass(frozen=True)
class Fold:
    """One training: its held-out regions, and the record of its last epoch.

    The last epoch is used rather than the best, since choosing an epoch by the labels that it is scored on would be
    biased.
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
        The finished folds.
    n_folds : int
        Number of requested folds.
    """

    classes: tuple[str, ...]
    folds: tuple[Fold, ...]
    n_folds: int

    @property
    def cancelled(self) -> bool:
        """Whether some folds were not finished."""
        return len(self.folds) < self.n_folds

    def iou(self, class_name: str) -> tuple[float, float] | None:
        """Return the mean and standard deviation (n - 1) of a class's IoU over the folds; None if never measured.

        Folds without held-out labels of the class are left out; with a single fold the deviation is NaN.
        """
        return _mean_and_sd([fold.record["val_iou"][class_name] for fold in self.folds])

    def miou(self) -> tuple[float, float] | None:
        """Return the mean and standard deviation (n - 1) of the mIoU over the folds; None if it was never measured."""
        return _mean_and_sd([fold.record["val_miou"] for fold in self.folds])

    def to_dict(self) -> dict[str, Any]:
        """Return all scores for JSON: mean and sd of the mIoU and of each class's IoU, and the record of each fold."""
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
    """Train once for each fold, and score on the labels that it holds out.

    If there are at least as many images as folds, whole images are held out; otherwise each image is cut into as many
    rectangles as there are folds. Folds share no pixels, nor do the training and validation tiles of a fold, including
    their surroundings. Images with the role "train" are used for training in every fold; images with the role
    "validation" are treated like all others. Only the statistics of the normalization may be measured on a whole image.

    Parameters
    ----------
    project : Project or ProjectSnapshot
        Images and annotations.
    settings : TrainingSettings, optional
        Settings of each training, with early stopping off. By default the default settings: a minute for each fold.
    folds : int
        Number of folds, 2 to 20.
    progress : callable, optional
        ``progress(fold, folds, record)`` is called after each epoch; folds count from 1.
    should_stop : callable, optional
        Called before each batch; if it returns True, the work stops, as with Ctrl+C.
    groups : mapping of image name to str, optional
        Maps images to groups, such as patients: the images of a group are held out together. An image without a group
        forms its own.

    Returns
    -------
    CrossValidation
        Scores of the finished folds.

    Raises
    ------
    SettingsError
        The number of folds is out of range, there are fewer groups than folds, or a setting does not fit.
    TrainingDataError
        There are too few labels for this number of folds.
    BudgetError
        A training does not fit into memory; see `estimate`.
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
        pass  # the finished folds are still useful
    return CrossValidation(tuple(snapshot.classes), tuple(done), folds)


def make_folds(
    snapshot: ProjectSnapshot, settings: TrainingSettings, folds: int, groups: Mapping[str, str] | None = None
) -> list[Split]:
    """Divide the labels into folds that share no pixels; see `cross_validate`."""
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
    members_of = _members_of_groups(names, snapshot, groups or {})
    if len(members_of) >= folds:
        sizes = [0] * folds
        weights = {group: sum(len(points[name]) for name in members) for group, members in members_of.items()}
        for group in sorted(members_of, key=lambda group: (-weights[group], group)):
            smallest = sizes.index(min(sizes))
            sizes[smallest] += weights[group]
            for name in members_of[group]:
                held[smallest][name] = (snapshot.images[name].region,)
    elif groups:
        raise SettingsError(
            f"The labelled images form {len(members_of)} groups, too few for {folds} folds. "
            "Use fewer folds, or no groups, so that images are cut into parts."
        )
    else:
        for name in names:
            region = snapshot.images[name].region
            pieces = cut_evenly(np.array(points[name]), region, folds, np.array(kinds[name]))
            for number, piece in enumerate(pieces):
                held[number][name] = (piece,)
    return [Split(one) for one in held]


def _members_of_groups(
    names: Sequence[str], snapshot: ProjectSnapshot, groups: Mapping[str, str]
) -> dict[tuple[bool, str], list[str]]:
    """Return the images of each group; an image without a group forms its own, whatever its name."""
    for name in groups:
        if name not in snapshot.images:
            raise SettingsError(
                f"groups names {name!r}, which is not an image; the images are {', '.join(snapshot.images)}."
            )
    members_of: dict[tuple[bool, str], list[str]] = {}
    for name in names:
        members_of.setdefault((name in groups, groups.get(name, name)), []).append(name)
    return members_of


def _request(snapshot: ProjectSnapshot, settings: TrainingSettings, split: Split, number: int) -> TrainingRequest:
    request = make_request(snapshot, settings, split=split)
    if request.split is not split or not can_measure(request):
        raise TrainingDataError(
            f"Fold {number + 1} would have labels of fewer than two classes for training, or none for validation. "
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
    """Train one fold on the calling thread; return the record of its last epoch, or None if it was stopped."""

    def report(record: EpochRecord) -> None:
        if progress is not None:
            progress(number, folds, record)

    trained = run_inline(request, report, should_stop)
    return None if trained is None else trained.history[-1]


def _pair(pair: tuple[float, float] | None) -> dict[str, float | None] | None:
    """Return the mean and deviation by name, with None instead of NaN, which JSON does not have."""
    return None if pair is None else {"mean": pair[0], "sd": None if np.isnan(pair[1]) else pair[1]}


def _mean_and_sd(values: Sequence[float | None]) -> tuple[float, float] | None:
    known = np.array([value for value in values if value is not None])
    if len(known) == 0:
        return None
    return float(known.mean()), float(known.std(ddof=1)) if len(known) > 1 else float("nan")
