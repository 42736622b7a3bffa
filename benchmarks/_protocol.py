"""Images with their complete truth, and a simulated hand that paints a few strokes from it."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image
from scipy import ndimage

import histowidgets as hw

STROKE_WIDTH = 8.0


@dataclass(frozen=True)
class Picture:
    """Pixels (rows, columns, channels) uint8 and the class index of each, 255 where unknown."""

    name: str
    pixels: np.ndarray
    mask: np.ndarray


@dataclass(frozen=True)
class Case:
    """What a learner is given strokes on, and what it is asked about besides."""

    name: str
    annotated: list[Picture]
    unseen: list[Picture]
    n_classes: int


def simulated_strokes(mask, per_class, seed, length=80, width=STROKE_WIDTH):
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
    """Mean IoU over the classes that the truth has; 255 in it is left out."""
    keep = truth != 255
    p, t = predicted[keep], truth[keep]
    present = [k for k in range(n_classes) if (t == k).any()]
    return float(np.mean([((p == k) & (t == k)).sum() / ((p == k) | (t == k)).sum() for k in present]))


def load(folder, name):
    """Read an image and its mask; an image is RGB (.png) or has any channels, channels first (.tif)."""
    mask = np.array(Image.open(Path(folder) / "masks" / f"{name}.png"))
    path = Path(folder) / "images" / f"{name}.tif"
    if path.exists():
        return np.moveaxis(tifffile.imread(path), 0, -1).copy(), mask
    return np.array(Image.open(path.with_suffix(".png")).convert("RGB")), mask


def read_case(data, most_unseen=None):
    """Read a folder of images/ and masks/, or make the case "colon".

    ``split.json`` ({"train": [...], "test": [...], "n_classes": n}) says which are annotated. Without it every second
    one is, in the order of their names, beginning with the first. "colon" is the sample image: strokes on its left
    half, the right half unseen; its truth is a rule of colours (see `benchmarks._tissue.colon`). Of more unseen
    images than `most_unseen`, as many are taken at even distances.
    """
    if str(data) == "colon":
        from benchmarks._tissue import colon

        pixels, mask = colon()
        halves = [
            Picture(name, pixels[:, at : at + 256].copy(), mask[:, at : at + 256])
            for name, at in (("left half", 0), ("right half", 256))
        ]
        return Case("colon", halves[:1], halves[1:], 3)
    folder = Path(data)
    if (folder / "split.json").exists():
        split = json.loads((folder / "split.json").read_text())
    else:
        names = sorted(path.stem for path in (folder / "images").glob("*.png"))
        split = {"train": names[::2], "test": names[1::2]}
    if most_unseen is not None:
        split["test"] = split["test"][:: -(-len(split["test"]) // most_unseen)]
    annotated, unseen = ([Picture(name, *load(folder, name)) for name in split[part]] for part in ("train", "test"))
    n_classes = split.get("n_classes") or 1 + max(int(p.mask[p.mask != 255].max()) for p in annotated)
    return Case(folder.resolve().name, annotated, unseen, n_classes)


def suite(folder):
    """Return all sets in the folder of test data, as `read_case` takes them, small ones first."""
    sets = [path.parent for path in Path(folder).glob("*/*/split.json")]
    sets += [path for path in Path(folder).iterdir() if (path / "masks").is_dir() and (path / "images").is_dir()]
    return ["colon", *sorted(sets, key=lambda path: (sum(f.stat().st_size for f in path.rglob("*")), path.name))]


def painted_project(case, per_class, seed):
    """Make a project of the annotated images with strokes of each class on each."""
    project = hw.Project(classes=[f"class {k}" for k in range(case.n_classes)])
    for i, picture in enumerate(case.annotated):
        project.add_image(hw.open_image(picture.pixels, name=picture.name))
        for k, points in simulated_strokes(picture.mask, per_class, 100 * seed + i):
            project.annotate(picture.name, hw.Stroke(points, width=STROKE_WIDTH), f"class {k}")
    return project


def stroke_on(project, picture, number):
    """Paint the `number`-th of some more strokes on a picture, of the class that its truth has there."""
    k, points = simulated_strokes(picture.mask, 1, 9000 + number)[number % 2]
    project.annotate(picture.name, hw.Stroke(points, width=STROKE_WIDTH), f"class {k}")
