"""How many strokes `suggest_regions` saves.

    python -m benchmarks.annotate_next --data FOLDER              images/, masks/, split.json; 5 seeds
    python -m benchmarks.annotate_next --data FOLDER --develop    on images that the report leaves out
    python -m benchmarks.annotate_next                            on made-up tissue

A simulated hand paints random walks inside the classes of the masks. Both arms begin with the same stroke of each
class on one image. Then one arm paints at random: a stroke of each class, on images in turn. The other asks for the
best suggestion (the next one, where no stroke fits in it), and paints a stroke of each class that is seen there.
After each round the quick learner is fitted to all strokes. The target is the mIoU that random painting has after 20
strokes a class; what counts is how many strokes each arm needs to reach it: on the complete masks of the annotated
images, and on images that nobody painted on.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

import histowidgets as hw
from benchmarks._tissue import tissue
from benchmarks.quick import load, mean_iou, simulated_strokes
from histowidgets.prediction import _quick_model

STROKES_A_CLASS = 20
LENGTH, WIDTH = 80, 8.0


class Remembered:
    """A classifier that predicts each image once, for the suggestions and the score."""

    def __init__(self, classifier):
        self.classifier, self.classes, self.known = classifier, classifier.classes, {}

    def predict(self, image, region=None):
        """Return the prediction of the whole image; all images here are small enough to be asked for whole."""
        if image.name not in self.known:
            self.known[image.name] = self.classifier.predict(image)
        return self.known[image.name]


class Hand:
    """Paints strokes of a width and length inside the classes of masks."""

    def __init__(self, project, masks, seed):
        self.project, self.masks = project, masks
        self.rng = np.random.default_rng([seed, 23])
        self.strokes = 0

    def anywhere(self, name):
        """Paint a stroke of each class of an image."""
        return self._paint(name, self.masks[name])

    def within(self, name, region):
        """Paint a stroke of each class that is seen in a region."""
        mask = self.masks[name]
        seen = np.full_like(mask, 255)
        rows, cols = slice(region.y, region.bottom), slice(region.x, region.right)
        seen[rows, cols] = mask[rows, cols]
        return self._paint(name, seen)

    def _paint(self, name, mask):
        some = simulated_strokes(mask, 1, int(self.rng.integers(2**31)), LENGTH, WIDTH)
        for k, points in some:
            self.project.annotate(name, hw.Stroke(points, width=WIDTH), self.project.classes[k])
        self.strokes += len(some)
        return len(some)


def images_of(folder, develop):
    """Return ({name: (image, mask)} to annotate, the same of unseen images, number of classes)."""
    if folder is None:
        parts = {f"made {i}": tissue(i + 50 * develop, 3, 0.3, 400, style=i % 2) for i in range(8)}
        parts = {name: (hw.open_image(pixels, name=name), mask) for name, (pixels, mask) in parts.items()}
        names = list(parts)
        return {n: parts[n] for n in names[:4]}, {n: parts[n] for n in names[4:]}, 3
    split = json.loads((Path(folder) / "split.json").read_text())
    half = len(split["test"]) // 2
    painted = split["test"][:4] if develop else split["train"]
    unseen = split["test"][4:half] if develop else split["test"][half:]
    read = {}
    for name in [*painted, *unseen]:
        pixels, mask = load(folder, name)
        read[name] = (hw.open_image(pixels, name=name), mask)
    return {n: read[n] for n in painted}, {n: read[n] for n in unseen}, split["n_classes"]


def one_arm(suggest, painted, unseen, n_classes, normalization, seed, most):
    """Paint until so many strokes; return (strokes, mIoU on annotated images, mIoU on unseen ones) of each round."""
    project = hw.Project(classes=[f"Class {k + 1}" for k in range(n_classes)])
    for name, (image, _) in painted.items():
        project.add_image(image, name=name)
    hand = Hand(project, {name: mask for name, (_, mask) in painted.items()}, seed)
    names = list(painted)
    hand.anywhere(names[seed % len(names)])
    course, seconds = [], []
    while True:
        classifier = Remembered(hw.quick_classifier(project, seed=seed, normalization=normalization))
        course.append((hand.strokes, score(classifier, painted, n_classes), score(classifier, unseen, n_classes)))
        if hand.strokes >= most:
            return course, seconds
        if not suggest:
            hand.anywhere(names[(seed + len(course)) % len(names)])
            continue
        begun = time.perf_counter()
        places = hw.suggest_regions(project, classifier, n=3)
        seconds.append(time.perf_counter() - begun)
        if not any(hand.within(place.image_name, place.region) for place in places):
            hand.anywhere(names[len(course) % len(names)])


def score(classifier, images, n_classes):
    """Mean over images of the mean IoU over classes, on complete masks."""
    found = [mean_iou(classifier.predict(image).labels, mask, n_classes) for image, mask in images.values()]
    return float(np.mean(found))


def needed(course, column, target):
    """Strokes after which the score first reaches the target, and has it on average from there on."""
    values = np.array([row[column] for row in course])
    for i, value in enumerate(values):
        if value >= target and values[i:].mean() >= target:
            return course[i][0]
    return None


def compare(painted, unseen, n_classes, seeds):
    """Run both arms with each seed; return the figures."""
    _quick_model._cache.max_bytes = 4 << 30  # all images stay in memory: only learning is to be waited for
    normalization = hw.Normalization().fitted([image for image, _ in painted.values()])
    most = STROKES_A_CLASS * n_classes
    rows, courses, seconds = [], {True: [], False: []}, []
    for seed in range(seeds):
        for suggest in (False, True):
            course, spent = one_arm(suggest, painted, unseen, n_classes, normalization, seed, most)
            courses[suggest].append(course)
            seconds += spent
        row = {"seed": seed}
        for column, where in ((1, "annotated"), (2, "unseen")):
            target = courses[False][-1][-1][column]
            row[where] = {
                "target": round(target, 3),
                "suggested_end": round(courses[True][-1][-1][column], 3),
                "random": needed(courses[False][-1], column, target),
                "suggested": needed(courses[True][-1], column, target),
            }
        rows.append(row)
        print(json.dumps(row), flush=True)
    found = {"strokes_of_random": most, "suggest_s": round(float(np.median(seconds)), 2)}
    for column, where in ((1, "annotated"), (2, "unseen")):
        at = np.arange(n_classes, most + 1)
        mean = {s: np.mean([curve(course, column, at) for course in some], axis=0) for s, some in courses.items()}
        reached = np.flatnonzero(mean[True] >= mean[False][-1])
        own = [row[where]["suggested"] or np.inf for row in rows]
        found[where] = {
            "mean_target": round(float(mean[False][-1]), 3),
            "strokes_on_the_mean_curve": int(at[reached[0]]) if len(reached) else None,
            "share_on_the_mean_curve": round(float(at[reached[0]] / most), 2) if len(reached) else None,
            "median_share_of_seeds": round(float(np.median(own)) / most, 2) if np.isfinite(np.median(own)) else None,
            "mean_curve_random": [round(float(v), 3) for v in mean[False][:: max(1, most // 10)]],
            "mean_curve_suggested": [round(float(v), 3) for v in mean[True][:: max(1, most // 10)]],
        }
    return found


def curve(course, column, at):
    """Return the score at each number of strokes: that of the last round that needed no more."""
    strokes = np.array([row[0] for row in course])
    values = np.array([row[column] for row in course])
    return values[np.maximum(np.searchsorted(strokes, at, side="right") - 1, 0)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder of images with masks; made-up tissue if left out")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--develop", action="store_true", help="use other images than the report does")
    a = parser.parse_args()
    print(json.dumps(compare(*images_of(a.data, a.develop), a.seeds)))


if __name__ == "__main__":
    main()
