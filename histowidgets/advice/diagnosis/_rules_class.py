"""Diagnoses of single classes, and of what training and validation contain."""

import math

import numpy as np

from histowidgets.advice import _thresholds as t
from histowidgets.advice._advice import Action, Advice, with_actions
from histowidgets.advice.diagnosis import _remedies as change
from histowidgets.advice.diagnosis._curves import RunContext
from histowidgets.advice.diagnosis._series import finite, recent, running_median, trend_change, trend_score

#: A class is poor if its median IoU is below `POOR_IOU`, and below the median of the other classes by `POOR_GAP` ...
POOR_IOU = 0.5
POOR_GAP = 0.25
#: ... and if these are learned: their median IoU is at least `OTHERS_FINE`. The last `POOR_EPOCHS` are judged, from
#: `POOR_FIRST_EPOCH` on.
OTHERS_FINE = 0.6
POOR_EPOCHS = 8
POOR_FIRST_EPOCH = 15
#: A class that has reached this IoU is not poor: its score only fluctuates.
ONCE_FINE = 0.6
#: A class whose IoU rose by this much over those epochs is still being learned.
STILL_LEARNING = 0.05
#: A class was never learned if it stayed at or below this IoU for this many epochs, while another class reached
#: `LEARNED_IOU`.
NEVER_IOU = 0.1
NEVER_EPOCHS = 20
LEARNED_IOU = 0.3
#: One class is predicted everywhere if the IoU of all others is at most this for this many epochs in a row.
NOTHING_IOU = 0.02
ONE_CLASS_EPOCHS = 5
ONE_CLASS_FIRST_EPOCH = 8
#: If all pixels get one class, its IoU equals the accuracy, within this tolerance.
SAME = 0.03


def one_class_predicted(run: RunContext) -> Advice | None:
    """Detect that all pixels are predicted as the same class."""
    names = _measured(run)
    if len(names) < 2 or len(run.curves) < ONE_CLASS_FIRST_EPOCH or _warming_up(run):
        return None
    table = np.stack([run.curves.class_iou[name] for name in names])[:, -ONE_CLASS_EPOCHS:]
    if not np.isfinite(table).all():
        return None
    winner = int(np.argmax(table[:, -1]))
    others = np.delete(table, winner, axis=0)
    if others.max() > NOTHING_IOU or table[winner].min() <= NOTHING_IOU:
        return None
    accuracy = run.curves.val_accuracy[-ONE_CLASS_EPOCHS:]
    if np.isfinite(accuracy).all() and np.median(np.abs(accuracy - table[winner])) > SAME:
        return None
    epochs = _how_long(np.stack([run.curves.class_iou[name] for name in names]), winner)
    return Advice(
        id="one-class-predicted",
        title=f"Everything is predicted as {names[winner]}",
        detail="The other classes are lost: raise their weights, or lower the learning rate. Check that they have "
        "strokes of about the same area.",
        evidence={
            "epochs": epochs,
            "iou": float(np.median(table[winner])),
            "highest_iou_of_others": float(others.max()),
            "limit": NOTHING_IOU,
        },
        severity="warning",
        **with_actions(
            [change.heavier_class(run, names[i]) for i in range(len(names)) if i != winner]
            + [change.lower_rate(run), change.work("Add strokes of the other classes")]
        ),
    )


def class_never_learned(run: RunContext) -> list[Advice]:
    """Find classes that were never predicted correctly, while others were."""
    names = _measured(run)
    ends = run.setting("epochs")
    enough = NEVER_EPOCHS if ends is None else max(POOR_FIRST_EPOCH, min(NEVER_EPOCHS, int(ends)))
    found = []
    for name in names:
        scores = finite(run.curves.class_iou[name])
        others = [recent(run.curves.class_iou[other], 5) for other in names if other != name]
        if len(scores) < enough or not others or max(others) < LEARNED_IOU:
            continue
        highest = float(np.nanmax(running_median(scores, 3)))
        if highest < NEVER_IOU:
            found.append(_never_learned(run, name, highest, max(others), len(scores)))
    return found


def class_poor(run: RunContext, never: set[str]) -> list[Advice]:
    """Find classes that are far behind the others and are not catching up."""
    names = _measured(run)
    if len(names) < 2 or len(run.curves) < POOR_FIRST_EPOCH or _warming_up(run):
        return []
    levels = {name: recent(run.curves.class_iou[name], POOR_EPOCHS) for name in names}
    found = []
    for name in sorted(names, key=lambda n: levels[n]):
        others = float(np.median([levels[other] for other in names if other != name]))
        last = finite(run.curves.class_iou[name])[-POOR_EPOCHS:]
        behind = levels[name] < POOR_IOU and others - levels[name] > POOR_GAP and others >= OTHERS_FINE
        learning = trend_change(last) >= STILL_LEARNING and trend_score(last) > t.TREND_SCORE
        once_fine = float(np.nanmax(running_median(run.curves.class_iou[name], 3))) >= ONCE_FINE
        if name not in never and behind and len(last) >= POOR_EPOCHS and not learning and not once_fine:
            found.append(_poor(run, name, levels[name], others))
    return found


def class_in_one_split(run: RunContext) -> Advice | None:
    """Detect classes that occur only in training, or only in validation."""
    only_train, only_validation = _one_sided(run)
    if not only_train and not only_validation:
        return None
    parts = [f"{_names(only_train)} only in training"] if only_train else []
    parts += [f"{_names(only_validation)} only in validation"] if only_validation else []
    return Advice(
        id="class-in-one-split",
        title=f"Labels on one side only: {' and '.join(parts)}",
        detail="Such a class cannot be both learned and scored; it is left out of the mIoU. Annotate it in a second "
        "place, far from the first.",
        evidence={
            "classes_only_in_training": len(only_train),
            "classes_only_in_validation": len(only_validation),
        },
        about={
            "only_in_training": ", ".join(only_train) or "none",
            "only_in_validation": ", ".join(only_validation) or "none",
        },
        severity="warning",
        **with_actions([change.larger_validation(run), change.work("Annotate the class in a second place")]),
    )


def single_step_epoch(run: RunContext) -> Advice | None:
    """Detect that an epoch is a single step, so that the run has very few steps."""
    steps = run.steps
    if steps is None or steps > 1:
        return None
    batch = run.setting("batch_size")
    told = {"batch_size": batch, "train_tiles": run.n_train_tiles}
    limited = Action("Use all tiles in each epoch", {"steps_per_epoch": None})
    return Advice(
        id="single-step-epoch",
        title="Each epoch is a single step: the network hardly learns",
        detail="The batch holds all tiles. Make batches smaller, or annotate more, so that an epoch has several steps.",
        evidence={"steps_per_epoch": steps, **{k: int(v) for k, v in told.items() if v is not None}},
        severity="warning",
        **with_actions(
            [
                limited if run.setting("steps_per_epoch") == 1 else None,
                change.batch_for_more_steps(run),
                change.work("Annotate more places"),
            ]
        ),
    )


def _never_learned(run: RunContext, name: str, highest: float, best_other: float, epochs: int) -> Advice:
    return Advice(
        id="class-never-learned",
        title=f"{name} was never learned",
        detail=f"In {epochs} epochs it was never predicted correctly. Check that its strokes are in the right places, "
        f"add more of them, and give the class more weight.{_merge_hint(run, name)}",
        evidence={
            "highest_iou": highest,
            "limit": NEVER_IOU,
            "best_other_iou": best_other,
            "epochs": epochs,
        },
        about={"class": name},
        severity="warning",
        **with_actions([change.heavier_class(run, name), change.work(f"Add strokes of {name}")]),
    )


def _poor(run: RunContext, name: str, level: float, others: float) -> Advice:
    return Advice(
        id="class-poor",
        title=f"{name} is recognized poorly: IoU {level:.2f}, the other classes {others:.2f}",
        detail=f"Give it more weight, add strokes where it meets other classes, and check that its strokes are "
        f"consistent.{_merge_hint(run, name)}",
        evidence={"iou": level, "iou_of_others": others, "gap_limit": POOR_GAP},
        about={"class": name},
        severity="warning",
        **with_actions(
            [
                change.heavier_class(run, name),
                change.work(f"Add strokes at the boundaries of {name}"),
                change.work(f"Check that the strokes of {name} are consistent"),
            ]
        ),
    )


def _merge_hint(run: RunContext, name: str) -> str:
    """Name the class that it is most confused with, if there is a confusion matrix."""
    row = (run.confusion or {}).get(name, {})
    wrong = {other: float(count) for other, count in row.items() if other != name}
    if not wrong or max(wrong.values()) <= 0:
        return ""
    other = max(wrong, key=lambda key: wrong[key])
    return f" It is mostly confused with {other}: if you need not distinguish them, merge them."


def _measured(run: RunContext) -> list[str]:
    return [name for name, values in run.curves.class_iou.items() if np.isfinite(values).any()]


def _one_sided(run: RunContext) -> tuple[list[str], list[str]]:
    """Return the classes that only training has, and those that only validation has."""
    if run.class_tiles is not None:
        train = [name for name, (inside, held_out) in run.class_tiles.items() if inside and not held_out]
        return train, [name for name, (inside, held_out) in run.class_tiles.items() if held_out and not inside]
    measured = _measured(run)
    if not measured:
        return [], []
    return [name for name in run.curves.class_iou if name not in measured], []


def _warming_up(run: RunContext) -> bool:
    """Return whether the learning rate is still rising, with most of its ramp to come."""
    still = run.curves.warmup_end == len(run.curves)
    return still and len(run.curves) < max(t.RAMP_BEFORE_JUDGING * run.scheduled_warmup, 1)


def _how_long(table: np.ndarray, winner: int) -> int:
    """Return the number of latest epochs in which only one class was predicted."""
    others = np.delete(table, winner, axis=0)
    alone = (np.nan_to_num(others, nan=math.inf).max(axis=0) <= NOTHING_IOU) & (table[winner] > NOTHING_IOU)
    missed = np.flatnonzero(~alone)
    return int(len(alone) - 1 - missed[-1]) if len(missed) else len(alone)


def _names(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
