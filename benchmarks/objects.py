"""How well touching nuclei are split, beside scikit-image's own recipe on the same images.

The recipe is that of scikit-image's examples: a threshold after Otsu, the distance to the border, its local maxima as
markers, a watershed. Ours: a quick learner fitted to a few simulated strokes, then `objects(split=...)`. Both find
objects in the same images; an object is right if it overlaps a true one by an IoU of at least 0.5. A mask with the
numbers of the objects is taken as it is; one of 0 and 1 gives its connected areas, so that nuclei that touch in it
count as one, for both.

Run it as ``python -m benchmarks.objects FOLDER``, where FOLDER holds ``fluorescence/`` and ``uint16/``; it takes about
a minute.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.filters import threshold_otsu
from skimage.measure import label
from skimage.segmentation import watershed

import histowidgets as hw
from benchmarks._protocol import STROKE_WIDTH, simulated_strokes

STROKES = 4
MIN_AREA = 20.0  # px, for both
RECIPE_DISTANCE = 7  # px, as in scikit-image's example of nuclei in mitosis


def recipe(pixels, min_distance):
    """Return the instances of scikit-image's recipe: Otsu, distance, local maxima, watershed."""
    mask = pixels > threshold_otsu(pixels)
    distance = ndimage.distance_transform_edt(mask)
    places = peak_local_max(distance, min_distance=min_distance, labels=label(mask), exclude_border=False)
    markers = np.zeros(mask.shape, int)
    markers[tuple(places.T)] = np.arange(1, len(places) + 1)
    found = watershed(-distance, markers, mask=mask)
    sizes = np.bincount(found.ravel())
    return np.where(sizes[found] >= MIN_AREA, found, 0)


def instances(objects, shape):
    """Draw objects as numbers."""
    from skimage.draw import polygon2mask

    drawn = np.zeros(shape, int)
    for number, one in enumerate(objects, start=1):
        left, top, right, bottom = (int(v) for v in one.polygon.bounds)
        size = bottom - top, right - left
        corner = np.array([top, left])
        rings = [one.polygon.exterior, *one.polygon.interiors]
        masks = [polygon2mask(size, np.array(ring.coords)[:, ::-1] - corner - 0.5) for ring in rings]
        inside = masks[0] & ~np.any(masks[1:], axis=0) if masks[1:] else masks[0]
        drawn[top:bottom, left:right][inside] = number
    return drawn


def matches(found, truth):
    """Return how many objects overlap a true one by an IoU of at least 0.5, how many were found, how many there are."""
    joint = np.zeros((found.max() + 1, truth.max() + 1), int)
    np.add.at(joint, (found.ravel(), truth.ravel()), 1)
    union = joint.sum(1, keepdims=True) + joint.sum(0, keepdims=True) - joint
    iou = (joint / np.maximum(union, 1))[1:, 1:]  # above 0.5 each object fits one other at most
    return int((iou > 0.5).sum()), len(np.unique(found[found > 0])), len(np.unique(truth[truth > 0]))


def f1(counts):
    right, found, true = np.sum(counts, axis=0)
    return 2 * right / (found + true)


def fluorescence(folder):
    """Return the pictures (channels last) with instances, and the indices of those to annotate."""
    pairs = []
    for path in sorted((folder / "images").glob("*.png")):
        mask = np.array(Image.open(folder / "masks" / path.name))
        pairs.append((path.stem, np.array(Image.open(path).convert("L"))[..., None], label(mask, connectivity=1)))
    return pairs, [0, 2, 5]


def uint16(folder):
    pixels = np.moveaxis(tifffile.imread(folder / "nuclei_tubulin.tif"), 0, -1)
    truth = tifffile.imread(folder / "nuclei_tubulin_labels.tif").astype(int)
    return [("nuclei_tubulin", pixels, truth)], [0]


def measure(pairs, annotated, seed, channel, splits):
    """Return the counts of each method over all images, and seconds for the objects of each of ours."""
    project = hw.Project(classes=["Background", "Nucleus"])
    for i, (name, pixels, truth) in enumerate(pairs):
        project.add_image(hw.open_image(pixels, name=name))
        if i in annotated:
            for k, points in simulated_strokes((truth > 0).astype(np.uint8), STROKES, 100 * seed + i, 40, 4):
                project.annotate(name, hw.Stroke(points, width=STROKE_WIDTH / 2), project.classes[k])
    classifier = hw.quick_classifier(project)
    counts = {}
    seconds = dict.fromkeys(splits, 0.0)
    for name, pixels, truth in pairs:
        image = project.image(name)
        prediction = classifier.predict(image, image.region)
        for how in splits:
            began = time.monotonic()
            split, depth = how
            options = {} if split is None else {"split": split, "split_depth_um": depth, "split_classes": ["Nucleus"]}
            objects = prediction.objects(MIN_AREA, **options)
            seconds[how] += time.monotonic() - began
            found = instances([o for o in objects if o.class_name == "Nucleus"], truth.shape)
            counts.setdefault(how, []).append(matches(found, truth))
        gray = pixels[..., channel]
        for distance in (1, RECIPE_DISTANCE):
            counts.setdefault(("recipe", distance), []).append(matches(recipe(gray, distance), truth))
    return counts, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--depths", type=float, nargs="+", default=[0.5, 1.0, 2.0])
    parser.add_argument("--channel", type=int, default=1, help="the nuclei of uint16, for the recipe")
    options = parser.parse_args()
    splits = [(None, 0.0)] + [(split, depth) for split in ("distance", "probability") for depth in options.depths]
    for read, name, channel in ((fluorescence, "fluorescence", 0), (uint16, "uint16", options.channel)):
        pairs, annotated = read(options.folder / name)
        runs = [measure(pairs, annotated, seed, channel, splits) for seed in range(options.seeds)]
        print(f"\n{name}: {len(pairs)} images, {sum(len(np.unique(t)) - 1 for *_, t in pairs)} objects")
        for how in runs[0][0]:
            scores = [f1(counts[how]) for counts, _ in runs]
            each = " ".join(f"{f1([one]):.2f}" for one in runs[0][0][how])
            print(f"{how!s:24} F1 {np.mean(scores):.3f} ({min(scores):.3f}-{max(scores):.3f})  {each}")


if __name__ == "__main__":
    main()
