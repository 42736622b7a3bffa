"""Diagnoses about single classes, and about what training and validation are made of."""

import math

import numpy as np

from histowidgets.advice import _thresholds as t
from histowidgets.advice._advice import Action, Advice, with_actions
from histowidgets.advice.diagnosis import _remedies as change
from histowidgets.advice.diagnosis._curves import Situation
from histowidgets.advice.diagnosis._series import finite, recent, running_median, trend_change, trend_score


def one_class_predicted(now: Situation) -> Advice | None:
    """All pixels get the same class."""
    names = _measured(now)
    if len(names) < 2 or len(now.curves) < t.ONE_CLASS_FIRST_EPOCH or _warming_up(now):
        return None
    table = np.stack([now.curves.class_iou[name] for name in names])[:, -t.ONE_CLASS_EPOCHS :]
    if not np.isfinite(table).all():
        return None
    winner = int(np.argmax(table[:, -1]))
    others = np.delete(table, winner, axis=0)
    if others.max() > t.NOTHING_IOU or table[winner].min() <= t.NOTHING_IOU:
        return None
    accuracy = now.curves.val_accuracy[-t.ONE_CLASS_EPOCHS :]
    if np.isfinite(accuracy).all() and np.median(np.abs(accuracy - table[winner])) > t.SAME:
        return None
    epochs = _how_long(np.stack([now.curves.class_iou[name] for name in names]), winner)
    return Advice(
        id="one-class-predicted",
        title=f"Everything is predicted as {names[winner]}",
        detail="The other classes are lost: raise their weights, or lower the learning rate. Check that they have "
        "strokes of about the same area.",
        evidence={
            "epochs": epochs,
            "iou": float(np.median(table[winner])),
            "highest_iou_of_others": float(others.max()),
            "limit": t.NOTHING_IOU,
        },
        rule="R23, R30",
        severity="warning",
        **with_actions(
            [change.heavier_class(now, names[i]) for i in range(len(names)) if i != winner]
            + [change.lower_rate(now), change.work("Add strokes of the other classes")]
        ),
    )


def class_never_learned(now: Situation) -> list[Advice]:
    """Find classes that no epoch could predict, while it did others."""
    names = _measured(now)
    ends = now.setting("epochs")
    enough = t.NEVER_EPOCHS if ends is None else max(t.POOR_FIRST_EPOCH, min(t.NEVER_EPOCHS, int(ends)))
    found = []
    for name in names:
        scores = finite(now.curves.class_iou[name])
        others = [recent(now.curves.class_iou[other], 5) for other in names if other != name]
        if len(scores) < enough or not others or max(others) < t.LEARNED_IOU:
            continue
        highest = float(np.nanmax(running_median(scores, 3)))
        if highest < t.NEVER_IOU:
            found.append(_never_learned(now, name, highest, max(others), len(scores)))
    return found


def class_poor(now: Situation, never: set[str]) -> list[Advice]:
    """R30: classes that are far behind the others, and does not catch up."""
    names = _measured(now)
    if len(names) < 2 or len(now.curves) < t.POOR_FIRST_EPOCH or _warming_up(now):
        return []
    levels = {name: recent(now.curves.class_iou[name], t.POOR_EPOCHS) for name in names}
    found = []
    for name in sorted(names, key=lambda n: levels[n]):
        others = float(np.median([levels[other] for other in names if other != name]))
        last = finite(now.curves.class_iou[name])[-t.POOR_EPOCHS :]
        behind = levels[name] < t.POOR_IOU and others - levels[name] > t.POOR_GAP and others >= t.OTHERS_FINE
        learning = trend_change(last) >= t.STILL_LEARNING and trend_score(last) > t.TREND_SCORE
        once_fine = float(np.nanmax(running_median(now.curves.class_iou[name], 3))) >= t.ONCE_FINE
        if name not in never and behind and len(last) >= t.POOR_EPOCHS and not learning and not once_fine:
            found.append(_poor(now, name, levels[name], others))
    return found


def class_in_one_split(now: Situation) -> Advice | None:
    """N10, B12: a class that only training, or only validation, has."""
    only_train, only_validation = _one_sided(now)
    if not only_train and not only_validation:
        return None
    parts = [f"{_names(only_train)} only in training"] if only_train else []
    parts += [f"{_names(only_validation)} only in validation"] if only_validation else []
    return Advice(
        id="class-in-one-split",
        title=f"Labels on one side only: {' and '.join(parts)}",
        detail="Such a class cannot be learned and measured at once; it is left out of the mIoU. Annotate it in a "
        "second place, far from the first.",
        evidence={
            "classes_only_in_training": len(only_train),
            "classes_only_in_validation": len(only_validation),
        },
        about={
            "only_in_training": ", ".join(only_train) or "none",
            "only_in_validation": ", ".join(only_validation) or "none",
        },
        rule="N10, B12",
        severity="warning",
        **with_actions([change.larger_validation(now), change.work("Annotate the class in a second place")]),
    )


def single_step_epoch(now: Situation) -> Advice | None:
    """N10: an epoch is one step, so that there are very few steps."""
    steps = now.steps
    if steps is None or steps > 1:
        return None
    batch = now.setting("batch_size")
    told = {"batch_size": batch, "train_tiles": now.n_train_tiles}
    limited = Action("Let an epoch take all tiles", {"steps_per_epoch": None})
    return Advice(
        id="single-step-epoch",
        title="Each epoch is a single step: the network hardly gets to learn",
        detail="The batch holds all tiles. Make batches smaller, or annotate more, so that an epoch has several steps.",
        evidence={"steps_per_epoch": steps, **{k: int(v) for k, v in told.items() if v is not None}},
        rule="N10",
        severity="warning",
        **with_actions(
            [
                limited if now.setting("steps_per_epoch") == 1 else None,
                change.batch_for_more_steps(now),
                change.work("Annotate more places"),
            ]
        ),
    )


def _never_learned(now: Situation, name: str, highest: float, best_other: float, epochs: int) -> Advice:
    return Advice(
        id="class-never-learned",
        title=f"{name} was never learned",
        detail=f"In {epochs} epochs no prediction found it. Check that its strokes lie on what they name, add more of "
        f"them, and give the class more weight.{_merge_hint(now, name)}",
        evidence={
            "highest_iou": highest,
            "limit": t.NEVER_IOU,
            "best_other_iou": best_other,
            "epochs": epochs,
        },
        about={"class": name},
        rule="R30",
        severity="warning",
        **with_actions([change.heavier_class(now, name), change.work(f"Add strokes of {name}")]),
    )


def _poor(now: Situation, name: str, level: float, others: float) -> Advice:
    return Advice(
        id="class-poor",
        title=f"{name} is recognized poorly: IoU {level:.2f}, the other classes {others:.2f}",
        detail=f"Give it more weight, add strokes where it meets other classes, and check that its strokes are "
        f"consistent.{_merge_hint(now, name)}",
        evidence={"iou": level, "iou_of_others": others, "gap_limit": t.POOR_GAP},
        about={"class": name},
        rule="R30",
        severity="warning",
        **with_actions(
            [
                change.heavier_class(now, name),
                change.work(f"Add strokes at the boundaries of {name}"),
                change.work(f"Check that the strokes of {name} are consistent"),
            ]
        ),
    )


def _merge_hint(now: Situation, name: str) -> str:
    """R30: the class that it is most confused with, where a confusion matrix tells."""
    row = (now.confusion or {}).get(name, {})
    wrong = {other: float(count) for other, count in row.items() if other != name}
    if not wrong or max(wrong.values()) <= 0:
        return ""
    other = max(wrong, key=lambda key: wrong[key])
    return f" It is mostly taken for {other}: if they need not be told apart, merge them."


def _measured(now: Situation) -> list[str]:
    return [name for name, values in now.curves.class_iou.items() if np.isfinite(values).any()]


def _one_sided(now: Situation) -> tuple[list[str], list[str]]:
    """Classes that only training has, and those that only validation has."""
    if now.class_tiles is not None:
        train = [name for name, (inside, held_out) in now.class_tiles.items() if inside and not held_out]
        return train, [name for name, (inside, held_out) in now.class_tiles.items() if held_out and not inside]
    measured = _measured(now)
    if not measured:
        return [], []
    return [name for name in now.curves.class_iou if name not in measured], []


def _warming_up(now: Situation) -> bool:
    """Whether the learning rate still rises, before most of its ramp is done."""
    still = now.curves.warmup_end == len(now.curves)
    return still and len(now.curves) < max(t.RAMP_BEFORE_JUDGING * now.scheduled_warmup, 1)


def _how_long(table: np.ndarray, winner: int) -> int:
    """Epochs, back from the last one, in which only one class was found."""
    others = np.delete(table, winner, axis=0)
    alone = (np.nan_to_num(others, nan=math.inf).max(axis=0) <= t.NOTHING_IOU) & (table[winner] > t.NOTHING_IOU)
    missed = np.flatnonzero(~alone)
    return int(len(alone) - 1 - missed[-1]) if len(missed) else len(alone)


def _names(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
