"""Made-up tissue with its complete truth, and projects painted on it by a simulated hand."""

import numpy as np
from scipy import ndimage

import histowidgets as hw
from benchmarks._protocol import simulated_strokes

_PALETTE = np.array([[196, 120, 168], [138, 92, 150], [230, 214, 226], [170, 110, 80], [205, 150, 150]], float)


def tissue(seed, n_classes=3, contrast=1.0, side=256, style=0):
    """Draw an image (side, side, 3) uint8 and its mask (side, side) uint8.

    Classes differ in colour, and in how many and how large dark spots they have. `style` fixes how they look, `seed`
    where they lie; with a `contrast` of 0 they look alike.
    """
    rng, look = np.random.default_rng([seed, 11]), np.random.default_rng([style, 12])
    fields = np.stack([ndimage.gaussian_filter(rng.normal(size=(side, side)), 14) for _ in range(n_classes)])
    mask = fields.argmax(0).astype(np.uint8)
    colors = _PALETTE[look.permutation(len(_PALETTE))[:n_classes]] + look.uniform(-12, 12, (n_classes, 3))
    middle = colors.mean(0)
    pixels = (middle + contrast * (colors - middle))[mask]
    for k in range(n_classes):
        share = 0.02 + contrast * look.uniform(-0.015, 0.05)
        spots = ndimage.gaussian_filter((rng.random((side, side)) < share).astype(float), 1.0 + contrast * k / 2)
        dark = np.clip(spots / max(spots.max(), 1e-9) * 1.6, 0, 1) * (mask == k)
        pixels = pixels * (1 - 0.5 * dark[..., None])
    shade = ndimage.gaussian_filter(rng.normal(size=(side, side)), 25)
    pixels = pixels * (1 + 0.1 * shade / shade.std())[..., None] + rng.normal(0, 14, pixels.shape)
    return np.clip(pixels, 0, 255).astype(np.uint8), mask


def colon():
    """Return the sample image with a rough truth: lumen is bright, epithelium brown, the rest stroma."""
    pixels = hw.samples.colon_ihc().read(0, 0, 512, 512)
    smooth = ndimage.gaussian_filter(pixels.astype(float), (4, 4, 0))
    mask = np.ones(pixels.shape[:2], np.uint8)
    mask[smooth[..., 0] - smooth[..., 2] > 38] = 0
    mask[smooth.min(-1) > 190] = 2
    return pixels, mask


def painted(parts, n_classes, per_class, seed, names=None, leave_out=None, change=None, width=6.0, length=40):
    """Make a project of some images, each with strokes drawn from its mask.

    Parameters
    ----------
    parts : list of (pixels, mask, role)
    per_class : int
        Strokes of each class on each image.
    leave_out : dict, optional
        Role to the class indices that are not painted there.
    change : callable, optional
        Is given a random generator and a class index and returns the index to paint instead.
    """
    rng = np.random.default_rng([seed, 13])
    names = names or [f"Class {k + 1}" for k in range(n_classes)]
    project = hw.Project(classes=names)
    for i, (pixels, mask, role) in enumerate(parts):
        image = project.add_image(hw.open_image(pixels, name=f"image {i + 1}"), role=role)
        for k, points in simulated_strokes(mask, per_class, 100 * seed + i, length, width):
            if k in (leave_out or {}).get(role, ()):
                continue
            shown = k if change is None else change(rng, k)
            project.annotate(image, hw.Stroke(points, width=width), names[shown])
    return project
