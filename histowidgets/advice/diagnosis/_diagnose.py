"""What the curves of a run say."""

from collections.abc import Iterable, Mapping
from typing import Any

from histowidgets.advice._advice import Advice, most_urgent_first
from histowidgets.advice.diagnosis import _rules_class as of_class
from histowidgets.advice.diagnosis import _rules_level as of_level
from histowidgets.advice.diagnosis import _rules_loss as of_loss
from histowidgets.advice.diagnosis import _rules_validation as of_validation
from histowidgets.advice.diagnosis._curves import Situation, read_history

DIAGNOSES = (
    "loss-nan",
    "stop-diverged",
    "stop-rising",
    "single-step-epoch",
    "lr-too-high",
    "lr-too-low",
    "one-class-predicted",
    "class-never-learned",
    "overfitting",
    "class-in-one-split",
    "class-poor",
    "validation-below-training",
    "underfitting",
    "converged",
    "good",
)
"""The ids of all diagnoses; of those that are equally severe, the earlier one is shown first."""

_PRAISE = {"good", "converged"}
# Before this many epochs too little is said to be kept up.
_STEADY = 5
# For so many epochs without it a finding is still told. What says stop or go on must not outlast its reason.
_KEPT_UP = {"stop": 1, "warning": 3, "info": 3, "good": 1}


def diagnose(
    history: Iterable[Mapping[str, Any]],
    settings: Any = None,
    *,
    steps_per_epoch: int | None = None,
    n_train_tiles: int | None = None,
    class_tiles: Mapping[str, tuple[int, int]] | None = None,
    confusion: Mapping[str, Mapping[str, float]] | None = None,
    held_out_strokes: Mapping[str, int] | None = None,
) -> list[Advice]:
    """Read the curves of a run, finished or not (rows R27-R30, R36-R43, N10).

    Parameters
    ----------
    history : iterable of mappings
        One record an epoch, as in ``run.history``: ``epoch, train_loss, val_loss, train_miou, val_miou, val_iou``
        (class name to a number or None)``, val_accuracy, learning_rate``; what is missing or None was not measured.
        A loss that is NaN was computed, and is a finding.
    settings : TrainingSettings, optional
        The settings of the run. What would change nothing about them is not offered; without them only the
        learning rate can be.
    steps_per_epoch, n_train_tiles : int, optional
        Where the records do not say (key ``steps``).
    class_tiles : mapping, optional
        Class name to (tiles in training, tiles in validation).
    confusion : mapping, optional
        True class to predicted class to pixels; tells which class to merge a poor one with.
    held_out_strokes : mapping, optional
        Class name to strokes that are held out, as `held_out_counts` counts them. On a handful a score is high by
        chance, and is then not called too good.

    What was found is still told for three epochs in which it is not (one, if it says to stop or to go on): a line
    that comes and goes helps nobody.

    Returns
    -------
    list of Advice
        The most urgent first; several can hold. Empty for an empty history, and while too little can be said. The
        ids are those of `DIAGNOSES`.

    Raises
    ------
    AdviceError
        The history is no list of records, or holds what is no number where one is wanted.
    """
    curves = read_history(history)
    if len(curves) == 0:
        return []
    told = (settings, steps_per_epoch, n_train_tiles, class_tiles, confusion, held_out_strokes)
    found = _found_at(Situation(curves, *told))
    if len(curves) > _STEADY:
        before = range(len(curves) - 1, len(curves) - 1 - max(_KEPT_UP.values()), -1)
        found += _still_told(found, [_found_at(Situation(curves.until(epochs), *told)) for epochs in before])
    return most_urgent_first(found, {name: rank for rank, name in enumerate(DIAGNOSES)})


def _still_told(found: list[Advice], before: list[list[Advice]]) -> list[Advice]:
    """Return what was found not long ago (`before`: the latest epoch first), and is not now.

    Praise and blame exclude each other, and so do two kinds of praise: what was found later counts.
    """
    kept: list[Advice] = []
    for ago, earlier in enumerate(before, 1):
        told = {advice.id for advice in [*found, *kept]}
        if told & _PRAISE:
            break
        for advice in earlier:
            if ago <= _KEPT_UP[advice.severity] and advice.id not in told and not (told and advice.id in _PRAISE):
                kept.append(advice)
    return kept


def _found_at(now: Situation) -> list[Advice]:
    """Apply every rule to the curves as they are."""
    found = [
        advice
        for advice in (
            of_loss.loss_nan(now),
            of_validation.stop_diverged(now),
            of_validation.stop_rising(now),
            of_validation.overfitting(now),
            of_validation.validation_below_training(now),
            of_class.single_step_epoch(now),
            of_class.class_in_one_split(now),
        )
        if advice is not None
    ]
    found += _of_learning_rate(now)
    found += _of_classes(now)
    for rule in (of_level.underfitting, of_level.converged, of_level.good):
        advice = rule(now, {a.id for a in found})
        if advice is not None:
            found.append(advice)
    return found


def _of_learning_rate(now: Situation) -> list[Advice]:
    high = of_loss.lr_too_high(now)
    low = None if high else of_loss.lr_too_low(now)
    return [advice for advice in (high, low) if advice]


def _of_classes(now: Situation) -> list[Advice]:
    """One class everywhere says it all about three or more classes; otherwise each class by itself."""
    alone = of_class.one_class_predicted(now)
    if alone and len(now.curves.class_iou) > 2:
        return [alone]
    never = of_class.class_never_learned(now)
    poor = [] if alone else of_class.class_poor(now, {str(advice.about["class"]) for advice in never})
    return [*([alone] if alone else []), *never, *poor]
