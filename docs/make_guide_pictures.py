"""Draw the pictures of the guide: `python -m docs.make_guide_pictures` writes `docs/guide/pictures`.

The curves are simulated, and each is drawn only if `diagnose` gives the advice that its page explains.
"""

from pathlib import Path

import numpy as np
from scipy import ndimage

from benchmarks import _curves
from docs import _svg as svg
from histowidgets.advice import diagnose

PICTURES = Path(__file__).resolve().parent / "guide" / "pictures"

LOSSES = {
    "good": ("good", 11),
    "converged": ("converged", 1),
    "overfitting": ("overfitting", 3),
    "underfitting": ("underfitting", 1),
    "lr-too-high": ("lr_too_high", 2),
    "lr-too-low": ("lr_too_low", 1),
    "stop-rising": ("overfitting", 20),
    "stop-diverged": ("stop_diverged", 1),
    "validation-below-training": ("validation_below_training", 3),
    "loss-nan": ("loss_nan", 2),
    "single-step-epoch": ("single_step_epoch", 4),
}
CLASSES = {
    "class-poor": ("class_poor", 3),
    "class-never-learned": ("class_never_learned", 2),
    "one-class-predicted": ("one_class_predicted", 3),
    "class-in-one-split": ("class_in_one_split", 2),
}
BARS = {
    "annotations-few": ([("Stroma", 34), ("Gland", 18), ("Lumen", 6)], [(10, "minimum"), (30, "recommended")]),
    "area-imbalance": ([("Stroma", 100), ("Gland", 62), ("Lumen", 8)], []),
    "batch-exceeds-tiles": ([("tiles", 5), ("batch", 8)], []),
    "little-memory": ([("here", 2), ("small net", 4), ("resnet34", 8), ("resnet50", 12)], []),
    "augmentation-off": ([("tiles", 1), ("rotated", 4), ("and flipped", 8)], []),
}


def curve(name, kind, seed):
    """Draw the losses of a simulated run that gets this advice, or the IoU of its classes."""
    curve = next(c for c in (_curves.make(kind, seed + i) for i in range(40)) if _says(c, name))
    if name in CLASSES:
        names = list(curve.history[0]["val_iou"])
        lines = [(n, [r["val_iou"][n] for r in curve.history]) for n in names]
        return svg.chart(lines, "IoU", top=1.0)
    lines = [("training", [r["train_loss"] for r in curve.history])]
    lines.append(("validation", [r["val_loss"] for r in curve.history]))
    return svg.chart(lines, "loss")


def _says(curve, name):
    return name in [advice.id for advice in diagnose(curve.history, curve.settings)]


def places():
    """Draw the pictures of tissue with strokes: name to picture."""
    rng = np.random.default_rng(4)
    field = ndimage.gaussian_filter(rng.normal(size=(60, 120)), 7)
    tissue = svg.Tissue(field > 0)
    corner = [(x, y, k) for x, y, k in tissue.strokes(40, 7) if x < 150 and y < 110][:8]
    far = [s for s in tissue.strokes(60, 5) if tissue.to_boundary(s) > 22][:9]
    near = [s for s in tissue.strokes(200, 6) if tissue.to_boundary(s) < 14][:6]
    left = [s for s in tissue.strokes(60, 3) if s[0] < 200][:9]
    return {
        "no-image": svg.frame(svg.note(240, 125, "Add an image")),
        "image-unreadable": svg.frame(svg.box(140, 50, 200, 140, "?")),
        "one-corner": tissue.draw(corner),
        "few-boundaries": tissue.draw(far),
        "annotate-here": tissue.draw(far, boxes=[(x - 28, y - 28, 56) for x, y, _ in near[:4]], what="suggested"),
        "only-easy-regions": tissue.draw(far, boxes=[(x - 28, y - 28, 56) for x, y, _ in near[:3]], what="difficult"),
        "one-kind-of-place": tissue.draw(left, shade=(240, 0, 240, 240)),
        "labelled-twice": tissue.draw(near[:2], crossing=True, what="two classes"),
        "contradicting-labels": svg.frame(svg.twins()),
        "one-image": svg.pair(tissue.draw(left, whole=False), tissue.draw([], whole=False)),
        "image-unlike-others": svg.pair(
            tissue.draw(left, whole=False), tissue.draw(left, whole=False, shade=(0, 0, 480, 240))
        ),
        "least-covered-image": svg.pair(tissue.draw(far, whole=False), tissue.draw(far[:1], whole=False)),
    }


def others():
    """Draw the histograms and the remaining pictures: name to picture."""
    x = np.linspace(0, 1, 60)
    peak = np.exp(-(((x - 0.35) / 0.09) ** 2)) + 0.6 * np.exp(-(((x - 0.7) / 0.1) ** 2))
    pale = np.exp(-(((x - 0.78) / 0.07) ** 2))
    dark = np.exp(-(((x - 0.3) / 0.09) ** 2))
    n = np.arange(40)
    learned, nothing = 0.1 + 0.9 * np.exp(-n / 5), 0.35 + 0.65 * np.exp(-n / 30)
    best = 0.25 + 0.75 * np.exp(-n / 6) + 0.006 * np.maximum(0, n - 16)
    return {
        "normalization": svg.histogram([("values", peak)], cuts=(0.12, 0.92)),
        "no-training-statistics": svg.histogram([("this image", peak)], cuts=(), text="?"),
        "image-outside-training": svg.histogram([("training", dark), ("this image", pale)]),
        "stain-varies": svg.histogram(
            [("slide 1", dark), ("slide 2", np.roll(dark, 14)), ("slide 3", np.roll(dark, 27))]
        ),
        "tissue-distorted": svg.frame(svg.grids()),
        "multi-scale": svg.nested(["a nucleus", "the gland around it", "the tissue around that"]),
        "not-pretrained": svg.chart([("pretrained", learned), ("random weights", nothing)], "loss"),
        "early-stopping-off": svg.chart([("validation", best)], "loss", mark=int(np.argmin(best))),
    }


def all_pictures():
    """Return every picture: name to SVG text."""
    pictures = {name: curve(name, *how) for name, how in {**LOSSES, **CLASSES}.items()}
    pictures |= {name: svg.bars(values, marks) for name, (values, marks) in BARS.items()}
    return pictures | places() | others()


def main():
    """Write every picture."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name, text in all_pictures().items():
        (PICTURES / f"{name}.svg").write_text(text)


if __name__ == "__main__":
    main()
