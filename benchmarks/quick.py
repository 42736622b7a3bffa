"""How fast and how good the quick learner is.

    python benchmarks/quick.py                    cold and warm times on the sample image
    python benchmarks/quick.py --data FOLDER      mean IoU on annotated and unseen images of FOLDER
    python benchmarks/quick.py --data FOLDER --stroke    the time of one more stroke on those images

FOLDER holds images/, masks/ and split.json ({"train": [...], "test": [...], "n_classes": n}). Strokes are random walks
inside each class of the masks. Seconds hold reading, statistics, features and fit, with the libraries loaded.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

import histowidgets as hw
from histowidgets.prediction import forget_features

STROKES = {
    0: [[(95, 35), (110, 52), (122, 68)], [(300, 40), (330, 60)]],
    1: [[(260, 230), (285, 262), (290, 290)], [(490, 250), (482, 300)]],
    2: [[(10, 330), (20, 356), (14, 390)], [(345, 110), (368, 150), (380, 190)]],
}


def simulated_strokes(mask, per_class, seed, length=80, width=8.0):
    """Random walks that stay inside each class of a mask: a list of (class index, points)."""
    rng = np.random.default_rng(seed)
    strokes = []
    for k in [int(v) for v in np.unique(mask) if v != 255]:
        inside = ndimage.distance_transform_edt(mask == k) > width / 2 + 0.5
        ys, xs = np.nonzero(inside)
        for _ in range(per_class if len(ys) else 0):
            i = rng.integers(len(ys))
            y, x = float(ys[i]), float(xs[i])
            angle, travelled, points = rng.uniform(0, 2 * np.pi), 0.0, [(x, y)]
            while travelled < length:
                angle += rng.normal(0, 0.35)
                ny, nx = y + 4 * np.sin(angle), x + 4 * np.cos(angle)
                if not (0 <= ny < mask.shape[0] and 0 <= nx < mask.shape[1]) or not inside[int(ny), int(nx)]:
                    angle += rng.uniform(1, 5)
                    travelled += 2
                    continue
                points.append((nx, ny))
                y, x, travelled = ny, nx, travelled + 4
            strokes.append((k, points if len(points) > 1 else [*points, (x + 0.5, y)]))
    return strokes


def mean_iou(predicted, truth, n_classes):
    keep = truth != 255
    p, t = predicted[keep], truth[keep]
    present = [k for k in range(n_classes) if (t == k).any()]
    return float(np.mean([((p == k) & (t == k)).sum() / ((p == k) | (t == k)).sum() for k in present]))


def timed(work):
    started = time.perf_counter()
    answer = work()
    return answer, time.perf_counter() - started


def sample_times():
    """Time the answer to six strokes on the sample image, cold and warm, and to one more stroke."""
    project = hw.Project(classes=["Epithelium", "Stroma", "Lumen"])
    name = project.add_image(hw.samples.colon_ihc())
    for k, lines in STROKES.items():
        for line in lines:
            project.annotate(name, hw.Stroke(line, width=8), project.classes[k])
    image = project.image(name)

    def answer():
        return hw.quick_classifier(project).predict(image)

    first = timed(answer)[1]
    forget_features()
    cold = timed(answer)[1]
    warm = statistics.median(timed(answer)[1] for _ in range(7))
    more = []
    for i in range(7):
        project.annotate(name, hw.Stroke([(40 + 50 * i, 470), (60 + 50 * i, 480)], width=8), "Stroma")
        more.append(timed(answer)[1])
    return {
        "first_in_process_s": round(first, 3),
        "cold_s": round(cold, 3),
        "warm_s": round(warm, 3),
        "one_more_stroke_s": round(statistics.median(more), 3),
    }


def load(folder, name):
    image = np.array(Image.open(Path(folder) / "images" / f"{name}.png").convert("RGB"))
    return image, np.array(Image.open(Path(folder) / "masks" / f"{name}.png"))


def project_of(folder, names, n_classes, per_class, seed):
    project = hw.Project(classes=[f"class {k}" for k in range(n_classes)])
    for i, name in enumerate(names):
        pixels, mask = load(folder, name)
        project.add_image(hw.open_image(pixels, name=name))
        for k, points in simulated_strokes(mask, per_class, 100 * seed + i):
            project.annotate(name, hw.Stroke(points, width=8), f"class {k}")
    return project


def quality(folder, seeds, per_class, one_more):
    split = json.loads((Path(folder) / "split.json").read_text())
    n = split["n_classes"]
    hw.quick_classifier(project_of(folder, split["train"][:1], n, 2, 0))  # loads the libraries
    fit, more, seen, unseen = [], [], [], []
    for seed in range(seeds):
        forget_features()
        project = project_of(folder, split["train"], n, per_class, seed)
        classifier, seconds = timed(lambda project=project: hw.quick_classifier(project))
        fit.append(seconds)
        if one_more:
            for i in range(5):
                project.annotate(split["train"][0], hw.Stroke([(50 + 9 * i, 60), (70 + 9 * i, 80)]), "class 0")
                more.append(timed(lambda project=project: hw.quick_classifier(project))[1])
        for names, scores in ((split["train"], seen), (split["test"], unseen)):
            pairs = [load(folder, name) for name in names]
            scores.append(float(np.mean([mean_iou(classifier.predict(im).labels, m, n) for im, m in pairs])))
    return {
        "fit_s": round(statistics.median(fit), 2),
        "one_more_stroke_s": round(statistics.median(more), 3) if more else None,
        "miou_annotated_images": [round(v, 3) for v in seen],
        "miou_unseen_images": [round(v, 3) for v in unseen],
        "mean": [round(float(np.mean(seen)), 3), round(float(np.mean(unseen)), 3)],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder of images with masks")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--strokes", type=int, default=10, help="strokes of each class in each training image")
    parser.add_argument("--stroke", action="store_true", help="time one more stroke as well")
    a = parser.parse_args()
    print(json.dumps(quality(a.data, a.seeds, a.strokes, a.stroke) if a.data else sample_times()))


if __name__ == "__main__":
    main()
