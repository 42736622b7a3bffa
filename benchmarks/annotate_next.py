"""How many strokes `suggest_regions` saves.

    python -m benchmarks.annotate_next --data FOLDER              images/, masks/, split.json; 5 seeds
    python -m benchmarks.annotate_next --data FOLDER --develop    on images that the report leaves out, other seeds
    python -m benchmarks.annotate_next                            on made-up tissue
    ... --courses FOLDER    keep each finished arm there, and take it from there: a run may be broken off and go on

A simulated hand paints random walks inside the classes of the masks. All arms begin with the same stroke of each
class on one image, and after each round the quick learner is fitted to all strokes. What a round is:

    random       a stroke of each class anywhere, on images in turn
    suggested    at the best two suggestions, a stroke each of the class that is missed most there: what a person does
                 who sees the prediction, and whom the advice asks to correct it
    both         at the best suggestion, a stroke of each class that is seen there
    corrected    as "suggested", at two places chosen by chance: what is gained by correcting alone

The target is the mIoU that random painting has after 20 strokes a class; what counts is how many strokes each arm
needs to reach it: on the complete masks of the annotated images, and on images that nobody painted on. Scores are
taken every four strokes.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

import histowidgets as hw
from benchmarks._protocol import load, mean_iou, simulated_strokes
from benchmarks._tissue import tissue
from histowidgets.images import Region
from histowidgets.prediction.pixel_models import _quick as _quick_model

STROKES_A_CLASS = 20
SCORE_EVERY, SUGGESTIONS = 4, 4
WAYS = ("random", "suggested", "both", "corrected")
REGION = 100
"""Side of a place that is chosen by chance; suggested ones are as large on these images."""
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

    def correct(self, name, region, predicted):
        """Paint a stroke of the class that is missed most in a region; of the commonest one where all is right."""
        n_classes = len(self.project.classes)
        rows, cols = slice(region.y, region.bottom), slice(region.x, region.right)
        truth, guess = self.masks[name][rows, cols], predicted[rows, cols]
        missed = [int(((truth == k) & (guess != k)).sum()) for k in range(n_classes)]
        areas = [int((truth == k).sum()) for k in range(n_classes)]
        seen = np.full_like(self.masks[name], 255)
        seen[rows, cols] = np.where(truth == int(np.argmax(missed if any(missed) else areas)), truth, 255)
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
    unseen = split["test"][4:half] if develop else split["test"][half : half + 4]
    read = {}
    for name in [*painted, *unseen]:
        pixels, mask = load(folder, name)
        read[name] = (hw.open_image(pixels, name=name), mask)
    return {n: read[n] for n in painted}, {n: read[n] for n in unseen}, split["n_classes"]


class Arm:
    """One way to paint, with one seed, until so many strokes are painted."""

    def __init__(self, way, painted, unseen, n_classes, seed):
        self.way, self.painted, self.unseen, self.n_classes, self.seed = way, painted, unseen, n_classes, seed
        self.names = list(painted)
        self.project = hw.Project(classes=[f"Class {k + 1}" for k in range(n_classes)])
        for name, (image, _) in painted.items():
            self.project.add_image(image, name=name)
        self.hand = Hand(self.project, {name: mask for name, (_, mask) in painted.items()}, seed)
        self.rng = np.random.default_rng([seed, 29])
        self.seconds = []

    def run(self, normalization, most):
        """Return [strokes, mIoU on annotated images, mIoU on unseen ones] of each round."""
        self.hand.anywhere(self.names[self.seed % len(self.names)])
        course, rounds = [], 0
        while True:
            ends, due = self.hand.strokes >= most, not course or self.hand.strokes >= course[-1][0] + SCORE_EVERY
            if ends or due or self.way != "random":  # painting by chance asks no classifier
                classifier = Remembered(hw.quick_classifier(self.project, seed=self.seed, normalization=normalization))
            if ends or due:
                scores = [score(classifier, images, self.n_classes) for images in (self.painted, self.unseen)]
                course.append([self.hand.strokes, *scores])
            if ends:
                return course
            rounds += 1
            self._round(classifier, self.names[(self.seed + rounds) % len(self.names)])

    def _round(self, classifier, name):
        if self.way == "random":
            self.hand.anywhere(name)
            return
        wanted = 1 if self.way == "both" else 2
        for place in self._places(classifier):
            wanted -= self._at(classifier, *place) > 0
            if not wanted:
                return
        self.hand.anywhere(name)  # no stroke fits in most of the places

    def _places(self, classifier):
        if self.way == "corrected":
            return [self._anywhere() for _ in range(SUGGESTIONS)]
        begun = time.perf_counter()
        places = hw.suggest_regions(self.project, classifier, n=SUGGESTIONS)
        self.seconds.append(time.perf_counter() - begun)
        return [(place.image_name, place.region) for place in places]

    def _anywhere(self):
        name = self.names[int(self.rng.integers(len(self.names)))]
        image = self.painted[name][0]
        side = min(REGION, image.width, image.height)
        x, y = (int(self.rng.integers(length - side + 1)) for length in (image.width, image.height))
        return name, Region(x, y, side, side)

    def _at(self, classifier, name, region):
        if self.way == "both":
            return self.hand.within(name, region)
        return self.hand.correct(name, region, classifier.predict(self.painted[name][0]).labels)


def course_of(way, images, n_classes, seed, normalization, courses=None):
    """Return the course of an arm, and the seconds of each suggestion; from the folder `courses` where it is there."""
    path = None if courses is None else Path(courses) / f"{way}-{seed}.json"
    if path is not None and path.exists():
        return json.loads(path.read_text())
    arm = Arm(way, *images, n_classes, seed)
    found = [arm.run(normalization, STROKES_A_CLASS * n_classes), arm.seconds]
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found))
    return found


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


def compare(painted, unseen, n_classes, seeds, courses=None, ways=WAYS):
    """Run the arms with each seed; return the figures."""
    _quick_model._cache.max_bytes = 4 << 30  # all images stay in memory: only learning is to be waited for
    normalization = hw.Normalization().fitted([image for image, _ in painted.values()])
    most = STROKES_A_CLASS * n_classes
    runs = {way: [] for way in ways}
    seconds = []
    for seed in seeds:
        for way in ways:
            course, spent = course_of(way, (painted, unseen), n_classes, seed, normalization, courses)
            runs[way].append(course)
            seconds += spent
            print(json.dumps({"seed": seed, "way": way, "end": [round(v, 3) for v in course[-1]]}), flush=True)
    found = {"strokes_of_random": most, "suggest_s": round(float(np.median(seconds or [0])), 2)}
    for column, where in ((1, "annotated"), (2, "unseen")):
        at = np.arange(n_classes, most + 1)
        mean = {way: np.mean([curve(course, column, at) for course in some], axis=0) for way, some in runs.items()}
        found[where] = {"mean_target": round(float(mean["random"][-1]), 3)}
        for way in ways:
            found[where][way] = figures(runs, mean, way, column, at)
    return found


def figures(runs, mean, way, column, at):
    """Return the share of the strokes of random painting that an arm needs: on the mean curve, and for each seed."""
    target, most = mean["random"][-1], int(at[-1])
    reached = np.flatnonzero(mean[way] >= target)
    own = [needed(course, column, random[-1][column]) for course, random in zip(runs[way], runs["random"], strict=True)]
    shares = [round(strokes / most, 2) if strokes else None for strokes in own]
    middle = float(np.median([np.inf if share is None else share for share in shares]))
    return {
        "share_on_the_mean_curve": round(float(at[reached[0]] / most), 2) if len(reached) else None,
        "median_share_of_seeds": round(middle, 2) if np.isfinite(middle) else None,
        "shares": shares,
        "mean_curve": [round(float(value), 3) for value in mean[way][:: max(1, most // 10)]],
    }


def curve(course, column, at):
    """Return the score at each number of strokes: that of the last round that needed no more."""
    strokes = np.array([row[0] for row in course])
    values = np.array([row[column] for row in course])
    return values[np.maximum(np.searchsorted(strokes, at, side="right") - 1, 0)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder of images with masks; made-up tissue if left out")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--develop", action="store_true", help="use other images and seeds than the report does")
    parser.add_argument("--courses", help="folder that keeps the course of each arm")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS, help="random first")
    a = parser.parse_args()
    seeds = range(100 * a.develop, 100 * a.develop + a.seeds)
    print(json.dumps(compare(*images_of(a.data, a.develop), seeds, a.courses, a.ways)))


if __name__ == "__main__":
    main()
