"""Apply all rules to the curves of a run."""

from collections.abc import Iterable, Mapping
from typing import Any

from histowidgets.advice._advice import Advice, most_urgent_first
from histowidgets.advice.diagnosis import _rules_class as of_class
from histowidgets.advice.diagnosis import _rules_level as of_level
from histowidgets.advice.diagnosis import _rules_loss as of_loss
from histowidgets.advice.diagnosis import _rules_validation as of_validation
from histowidgets.advice.diagnosis._curves import RunContext, read_history

#: The ids of all diagnoses, in the order in which equally severe ones are shown.
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
#: Findings persist from this epoch on; before it they change too quickly.
_STEADY = 5
#: Number of epochs for which a finding is still reported after it no longer applies, by severity. Advice to stop or to
#: continue must not outlast its reason.
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
    """Diagnose a run, finished or not, from its curves.

    Parameters
    ----------
    history : iterable of mappings
        One record for each epoch, as in ``run.history``: ``epoch, train_loss, val_loss, train_miou, val_miou, val_iou``
        (maps class names to a number or None)``, val_accuracy, learning_rate``; missing values and None mean "not
        measured". A NaN loss counts as measured, and is reported.
    settings : TrainingSettings, optional
        The settings of the run. Changes that they already contain are not offered. Without settings, only a change of
        the learning rate can be offered.
    steps_per_epoch, n_train_tiles : int, optional
        Needed only if the records do not have the number of steps (key ``steps``).
    class_tiles : mapping, optional
        Maps class names to (tiles in training, tiles in validation).
    confusion : mapping, optional
        Maps true class to predicted class to number of pixels; used to suggest which class to merge a poor one with.
    held_out_strokes : mapping, optional
        Maps class names to numbers of held-out strokes, as from `held_out_counts`. With only a few strokes, a high
        score may be chance, and is then not called too good.

    A finding is still reported for three epochs after it no longer applies (for one, if it says to stop or to
    continue), so that the advice does not flicker.

    Returns
    -------
    list of Advice
        The most urgent first; several may apply. Empty for an empty history, and while too little is known. The ids are
        those of `DIAGNOSES`.

    Raises
    ------
    AdviceError
        The history is not a list of records, or a value is not a number.
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
    """Return recent findings (`before`: the latest epoch first) that no longer apply but are still reported.

    Positive and negative findings exclude each other, and so do two positive ones: the later finding wins.
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
    """Apply all rules to the present curves."""
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
    """Report a class that is predicted everywhere; otherwise, or with two classes, report on single classes."""
    alone = of_class.one_class_predicted(run)
    if alone and len(run.curves.class_iou) > 2:
        return [alone]
    never = of_class.class_never_learned(run)
    poor = [] if alone else of_class.class_poor(run, {str(advice.about["class"]) for advice in never})
    return [*([alone] if alone else []), *never, *poor]
