"""Apply all rules to the curves of a run."""

from collections.abc import Iterable, Mapping
from typing import Any

from histowidgets.advice._advice import Advice, most_urgent_first
from histowidgets.advice.diagnosis import _rules_class as of_class
from histowidgets.advice.diagnosis import _rules_level as of_level
from histowidgets.advice.diagnosis import _rules_loss as of_loss
from histowidgets.advice.diagnosis import _rules_validation as of_validation
from histowidgets.advice.diagnosis._curves import RunContext, read_history

#: The ids of all diagnoses; of those that are equally severe, the earlier one is shown first.
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


_PRAISE = {"good", "converged"}
#: Findings are held from this epoch on; before it they change too quickly.
_STEADY = 5
#: Epochs for which a finding is still reported after it no longer holds, by severity. Advice to stop or to continue
#: must not outlast its reason.
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
    """Read the curves of a run, finished or not.

    Parameters
    ----------
    history : iterable of mappings
        One record an epoch, as in ``run.history``: ``epoch, train_loss, val_loss, train_miou, val_miou, val_iou``
        (class name to a number or None)``, val_accuracy, learning_rate``; what is missing or None was not measured.
        A loss that is NaN was computed, and is a finding.
    settings : TrainingSettings, optional
        The settings of the run. Changes that they already contain are not offered; without settings only a change of
        the learning rate can be.
    steps_per_epoch, n_train_tiles : int, optional
        Where the records do not say (key ``steps``).
    class_tiles : mapping, optional
        Class name to (tiles in training, tiles in validation).
    confusion : mapping, optional
        True class to predicted class to pixels; tells which class to merge a poor one with.
    held_out_strokes : mapping, optional
        Class name to strokes that are held out, as `held_out_counts` counts them. On a handful a score is high by
        chance, and is then not called too good.

    A finding is still reported for three epochs after it no longer holds (one, if it says to stop or to continue), so
    that the advice does not flicker.

    Returns
    -------
    list of Advice
        The most urgent first; several can hold. Empty for an empty history, and while too little is known. The ids
        are those of `DIAGNOSES`.

    Raises
    ------
    AdviceError
        The history is not a list of records, or holds something else where a number is needed.
    """
    curves = read_history(history)
    if len(curves) == 0:
        return []
    known = (settings, steps_per_epoch, n_train_tiles, class_tiles, confusion, held_out_strokes)
    found = _found_at(RunContext(curves, *known))
    if len(curves) > _STEADY:
        before = range(len(curves) - 1, len(curves) - 1 - max(_KEPT_UP.values()), -1)
        found += _still_found(found, (_found_at(RunContext(curves.until(epochs), *known)) for epochs in before))
    return most_urgent_first(found, {name: rank for rank, name in enumerate(DIAGNOSES)})


def _still_found(found: list[Advice], before: Iterable[list[Advice]]) -> list[Advice]:
    """Return recent findings (`before`: the latest epoch first) that no longer hold but are still reported.

    Praise and criticism exclude each other, and so do two kinds of praise: the later finding counts.
    """
    kept: list[Advice] = []
    for ago, earlier in enumerate(before, 1):
        shown = {advice.id for advice in [*found, *kept]}
        if shown & _PRAISE:
            break
        for advice in earlier:
            if ago <= _KEPT_UP[advice.severity] and advice.id not in shown and not (shown and advice.id in _PRAISE):
                kept.append(advice)
    return kept


def _found_at(run: RunContext) -> list[Advice]:
    """Apply every rule to the curves as they are."""
    found = [
        advice
        for advice in (
            of_loss.loss_nan(run),
            of_validation.stop_diverged(run),
            of_validation.stop_rising(run),
            of_validation.overfitting(run),
            of_validation.validation_below_training(run),
            of_class.single_step_epoch(run),
            of_class.class_in_one_split(run),
        )
        if advice is not None
    ]
    found += _of_learning_rate(run)
    found += _of_classes(run)
    for rule in (of_level.underfitting, of_level.converged, of_level.good):
        advice = rule(run, {a.id for a in found})
        if advice is not None:
            found.append(advice)
    return found


def _of_learning_rate(run: RunContext) -> list[Advice]:
    high = of_loss.lr_too_high(run)
    low = None if high else of_loss.lr_too_low(run)
    return [advice for advice in (high, low) if advice]


def _of_classes(run: RunContext) -> list[Advice]:
    """Report a class that is predicted everywhere; with fewer than three classes, or without one, each class alone."""
    alone = of_class.one_class_predicted(run)
    if alone and len(run.curves.class_iou) > 2:
        return [alone]
    never = of_class.class_never_learned(run)
    poor = [] if alone else of_class.class_poor(run, {str(advice.about["class"]) for advice in never})
    return [*([alone] if alone else []), *never, *poor]
