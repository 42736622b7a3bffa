"""Whether probabilities hold, before and after calibration, on sets of images whose complete truth is known.

For each set, a quick learner and a network are trained without the held-out part of a few simulated strokes. One
temperature each is fitted to the held-out strokes. The expected calibration error (ECE) is then measured on pixels of
the annotated and of the unseen images.

Run it as ``python -m benchmarks.calibration FOLDER --steps 100``; FOLDER holds sets as `benchmarks._protocol.suite`
takes them. ``--steps 0`` leaves the networks out, which takes most of the time.
"""

import argparse
import statistics
import warnings

import numpy as np

import histowidgets as hw
from benchmarks._protocol import painted_project, read_case, suite
from histowidgets.errors import ClassifierError, HistowidgetsWarning
from histowidgets.prediction import Calibration

STROKES = 10
MOST_UNSEEN = 4
#: Pixels of each image that are measured, drawn at random.
PIXELS = 20_000


def measured(classifier, pictures, seed=0):
    """Measure a classifier on the truth of pictures."""
    rng = np.random.default_rng(seed)
    found, truths = [], []
    for picture in pictures:
        height, width = picture.mask.shape
        answer = classifier.predict(picture.pixels, (0, 0, width, height)).probabilities.reshape(height * width, -1)
        known = np.flatnonzero(picture.mask.ravel() != 255)
        chosen = rng.choice(known, min(PIXELS, len(known)), replace=False)
        found.append(answer[chosen])
        truths.append(picture.mask.ravel()[chosen])
    return Calibration.of(np.concatenate(found), np.concatenate(truths))


def classifiers(project, split, steps, seed):
    """Yield the name of each learner and its classifier."""
    yield "quick", hw.quick_classifier(project, split=split, announce=False)
    if steps:
        settings = hw.TrainingSettings.preset("cpu").model_copy(
            update={"epochs": max(1, steps // 10), "steps_per_epoch": 10, "max_seconds": None, "seed": seed}
        )
        yield "network", hw.train(project, settings, split=split).classifier


def main():
    """Print a table of all sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--only", nargs="*")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", HistowidgetsWarning)
    print("| set | learner | temperature | ECE annotated, before | after | ECE unseen, before | after |")
    print("|---|---|---|---|---|---|---|")
    rows = []
    for data in suite(arguments.data):
        case = read_case(data, MOST_UNSEEN)
        if arguments.only and case.name not in arguments.only:
            continue
        for seed in arguments.seeds:
            project = painted_project(case, STROKES, seed)
            split = hw.split_project(project)
            for name, classifier in classifiers(project, split, arguments.steps, seed):
                try:
                    after = hw.calibrate(classifier, project, split)
                except ClassifierError as error:
                    print(f"| {case.name} | {name} | {error} |")
                    continue
                row = [
                    measured(one, pictures).expected_error
                    for pictures in (case.annotated, case.unseen)
                    for one in (classifier, after)
                ]
                rows.append((name, row))
                cells = " | ".join(f"{value:.3f}" for value in row)
                print(f"| {case.name} | {name} | {after.scores['temperature']:.2f} | {cells} |", flush=True)
    for learner in dict.fromkeys(name for name, _ in rows):
        means = [
            statistics.mean(column) for column in zip(*(row for name, row in rows if name == learner), strict=True)
        ]
        print(f"| **mean** | {learner} | | " + " | ".join(f"{value:.3f}" for value in means) + " |")


if __name__ == "__main__":
    main()
