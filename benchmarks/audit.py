"""Whether the intervals of an audit hold the truth, on sets of images whose complete truth is known.

For each set a quick learner is fitted to a few simulated strokes and predicts the unseen images. Then thousands of
audits are drawn: the predicted and the true class of every pixel are known, so an audit is a draw of numbers of points
for each pair of classes. An interval should hold the truth in 95 of 100 audits. Its width is compared with plain point
counting, which does not use the prediction, at the same number of points.

Run it as ``python -m benchmarks.audit FOLDER --draws 2000 --points 100 200 400``; FOLDER holds sets as
`benchmarks._protocol.suite` takes them. It takes a few minutes, most of it for the predictions, which ``--keep FILE``
saves.
"""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import histowidgets as hw
from benchmarks._protocol import painted_project, read_case, suite
from histowidgets._intervals import Z_95, wilson
from histowidgets.prediction.auditing._draw import allocate
from histowidgets.prediction.auditing._estimates import _weighted_ratio
from histowidgets.prediction.auditing._intervals import (
    _score,
    iou,
    precision,
    recall,
    score_interval,
    share,
)

STROKES = 3
MOST_UNSEEN = 8
MEASURED = 300  # audits whose intervals are computed for their width
OTHERS = 500  # audits in which another learner's prediction is scored


@dataclass(frozen=True)
class Cell:
    """A quantity of a set: its truth, in what share of the audits the interval held it, and the widths."""

    name: str
    truth: float
    coverage: float
    width: float
    plain: float = float("nan")
    theory: float = float("nan")


def pixels_of(data):
    """Count the unseen pixels of a set by the prediction of one learner, that of another one, and the truth."""
    case = read_case(data, MOST_UNSEEN)
    learners = [hw.quick_classifier(painted_project(case, STROKES, seed)) for seed in (0, 1)]
    size = case.n_classes
    joint = np.zeros(size**3, np.int64)
    for picture in case.unseen:
        known = picture.mask != 255
        first, second = (
            one.predict(picture.pixels, picture_region(picture), probabilities=False).labels[known].astype(np.int64)
            for one in learners
        )
        joint += np.bincount((first * size + second) * size + picture.mask[known], minlength=size**3)
    return case.name, joint.reshape(size, size, size)


def picture_region(picture):
    """Return the whole region of a picture; passing it leaves out the warning about unlike images."""
    height, width = picture.mask.shape
    return (0, 0, width, height)


def coverage_and_width(hits, n, make, truth):
    """Return how often the interval holds the truth in many audits (draws, strata), and its mean width.

    The truth is in the interval if the score test does not reject it, which takes a fraction of the time of the
    interval. The intervals of some of the audits give the width, and must agree.
    """
    contrast = make(hits.shape)
    n = np.broadcast_to(n, hits.shape)
    held = np.abs(_score(hits.astype(float), n, *contrast.at(np.full(len(hits), truth)))) <= Z_95
    low, high = score_interval(hits[:MEASURED].astype(float), n[:MEASURED], make(hits[:MEASURED].shape))
    agree = ((low <= truth + 1e-7) & (truth - 1e-7 <= high)) == held[:MEASURED]
    assert agree.mean() > 0.995, f"only {agree.mean():.3f} of the intervals agree with the test"
    return float(held.mean()), float((high - low).mean())


def simulated(joint, n, draws, seed=0):
    """Draw audits; return the cells of accuracy and shares, those of the ratios, and those of another learner."""
    rng = np.random.default_rng(seed)
    size = len(joint)
    counts, own_total = joint.sum(1), joint.sum((1, 2))  # (predicted, true)
    strata = np.flatnonzero(own_total)
    m = allocate(own_total, n)[strata].astype(float)
    weights = own_total[strata] / own_total.sum()
    flat = joint[strata].reshape(len(strata), -1)
    drawn = [rng.multivariate_hypergeometric(flat[i], int(m[i]), draws, "marginals") for i in range(len(strata))]
    points = np.stack(drawn, 1).reshape(draws, len(strata), size, size)  # (draws, predicted, by the other, true)
    seen = points.sum(2)

    def cell(name, truth, hits, make, plain=False):
        held, width = coverage_and_width(hits, m, make, truth)
        if not plain:
            return Cell(name, truth, held, width)
        alone = wilson(rng.binomial(n, truth, draws) / n, np.full(draws, n))
        p = shares_of[name]
        theory = np.sqrt((weights**2 * p * (1 - p) / m).sum() / (truth * (1 - truth) / n))
        return Cell(name, truth, held, width, float((alone[1] - alone[0]).mean()), float(theory))

    within = counts[strata] / own_total[strata, None]
    right = within[np.arange(len(strata)), strata]
    shares_of = {"accuracy": right, **{f"class {k}": within[:, k] for k in range(size)}}

    def all_strata(shape):
        return share(np.broadcast_to(weights, shape))

    areas = [
        cell("accuracy", float((weights * right).sum()), seen[:, np.arange(len(strata)), strata], all_strata, True)
    ]
    for k in range(size):
        truth = float((weights * within[:, k]).sum())
        if truth > 0:
            areas.append(cell(f"class {k}", truth, seen[:, :, k], all_strata, True))
    ratios, others = [], []
    for k in strata:
        own = (strata == k).astype(float)
        both, true, found = counts[k, k], counts[:, k].sum(), own_total[k]
        values = {"precision": both / found, "recall": both / max(true, 1), "IoU": both / (found + true - both)}
        for (name, truth), make in zip(values.items(), (precision, recall, iou), strict=True):
            if true:

                def contrast(shape, make=make, own=own):
                    return make(np.broadcast_to(weights, shape), np.broadcast_to(own, shape))

                ratios.append(cell(f"{name} {k}", float(truth), seen[:, :, k], contrast))
    for k in range(size):
        both, true, found = joint[:, k, k].sum(), joint[:, :, k].sum(), joint[:, k].sum()
        if true and found:
            truths = {"precision": both / found, "recall": both / true, "IoU": both / (found + true - both)}
            others += other_learner(points[:OTHERS], m, weights, k, truths)
    return areas, ratios, others


def other_learner(points, m, weights, k, truths):
    """Return the cells of another learner's prediction of a class, from points that were drawn for the first one."""
    draws, n_strata, size = points.shape[:3]
    strata = np.repeat(np.arange(n_strata), m.astype(int))
    per_point = (weights / m)[strata]
    held = dict.fromkeys(truths, 0)
    width = dict.fromkeys(truths, 0.0)
    used = dict.fromkeys(truths, 0)
    pair = np.arange(size * size)
    for draw in range(draws):
        pairs = np.concatenate([np.repeat(pair, points[draw, h].ravel()) for h in range(n_strata)])
        now, was = pairs // size == k, pairs % size == k
        for name, whole in (("precision", now), ("recall", was), ("IoU", now | was)):
            found = _weighted_ratio(strata, per_point, m[strata], now & was, whole)
            if found is not None:
                held[name] += found.low <= truths[name] <= found.high
                width[name] += found.high - found.low
                used[name] += 1
    return [
        Cell(f"{name} {k}", float(truth), held[name] / used[name], width[name] / used[name])
        for name, truth in truths.items()
        if used[name]
    ]


def row_of(name, n, joint, draws):
    """Return a row of the table, and the cells behind it."""
    areas, ratios, others = simulated(joint, n, draws)
    coverage = np.array([one.coverage for one in areas])
    worst = max(areas, key=lambda one: abs(one.coverage - 0.95))
    narrower = float(np.mean([one.width / one.plain for one in areas[1:]]))
    theory = float(np.mean([one.theory for one in areas[1:]]))
    cells = [
        name,
        len(joint),
        n,
        f"{areas[0].truth:.3f}",
        f"{100 * coverage.mean():.1f}",
        f"{100 * coverage.min():.1f}-{100 * coverage.max():.1f}",
        f"{int(((coverage >= 0.93) & (coverage <= 0.97)).sum())} of {len(areas)}",
        f"{worst.name} ({100 * worst.coverage:.1f}, truth {worst.truth:.3f})",
        f"{narrower:.2f}",
        f"{theory:.2f}",
        f"{100 * np.mean([one.coverage for one in ratios]):.1f}",
        f"{100 * np.mean([one.coverage for one in others]):.1f}",
    ]
    return cells, areas, ratios, others


TITLES = [
    "set",
    "classes",
    "points",
    "accuracy",
    "held (%)",
    "least-most",
    "in 93-97 %",
    "farthest from 95 %",
    "width / plain",
    "in theory",
    "ratios held (%)",
    "another learner's (%)",
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--points", type=int, nargs="+", default=[100, 200, 400])
    parser.add_argument("--keep", type=Path, help="file that keeps the counted pixels between runs")
    arguments = parser.parse_args()
    kept = json.loads(arguments.keep.read_text()) if arguments.keep and arguments.keep.exists() else {}
    started = time.perf_counter()
    for data in suite(arguments.folder):
        if Path(str(data)).name not in kept:
            name, joint = pixels_of(data)
            kept[name] = joint.tolist()
            if arguments.keep:
                arguments.keep.write_text(json.dumps(kept))
    print(f"Predicted in {time.perf_counter() - started:.0f} s.\n")
    print("| " + " | ".join(TITLES) + " |\n|" + "---|" * len(TITLES))
    pooled = {n: [] for n in arguments.points}
    for n in arguments.points:
        for name, joint in kept.items():
            cells, areas, ratios, others = row_of(name, n, np.array(joint), arguments.draws)
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)
            pooled[n].append((name, areas, ratios, others))
    for n, rows in pooled.items():
        for what, index in (("accuracy and shares", 1), ("precision, recall, IoU", 2), ("another learner's", 3)):
            found = [(one.coverage, name, one.name, one.truth) for name, *cells in rows for one in cells[index - 1]]
            coverage = np.array([one[0] for one in found])
            within = ((coverage >= 0.93) & (coverage <= 0.97)).mean()
            low, high = min(found), max(found)
            print(
                f"\n{n} points, {what}: held in {100 * coverage.mean():.1f} % of the audits; {100 * within:.0f} % of "
                f"{len(found)} numbers within 93-97 %; least {100 * low[0]:.1f} ({low[1]}, {low[2]}, truth "
                f"{low[3]:.3f}), most {100 * high[0]:.1f} ({high[1]}, {high[2]}, truth {high[3]:.3f})"
            )
    print(f"\n{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
