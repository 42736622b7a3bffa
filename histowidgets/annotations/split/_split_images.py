"""Which whole images to hold out for validation."""

import itertools

import numpy as np

#: Most sets of images that are compared; of more possible ones, this number is drawn at random.
CANDIDATES = 4096
#: Costs, as in the choice of a rectangle: a class that one side lacks, and the size of the random part.
COST_NOT_TRAINED, COST_NOT_VALIDATED, COST_RANDOM = 10.0, 4.0, 0.1


def choose_images(pixels: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Choose images so that each class is on both sides where that can be, and about a share of it is held out.

    Parameters
    ----------
    pixels : ndarray of (images, classes)
        Labelled pixels; at least two images, each with some.
    fraction : float
        Share of each class's pixels to hold out, 0 to 1.
    seed : int
        Decides between equally good choices.

    Returns
    -------
    ndarray of (images,), bool
        True where the image is held out: at least one, and not all.
    """
    rng = np.random.default_rng(seed)
    candidates = _candidates(len(pixels), rng)
    counts = pixels[:, pixels.any(axis=0)]
    held = candidates @ counts / counts.sum(axis=0)
    cost = np.abs(held - fraction).mean(axis=1) / fraction
    cost += COST_NOT_TRAINED * (held >= 1).sum(axis=1) + COST_NOT_VALIDATED * (held <= 0).sum(axis=1)
    cost += COST_RANDOM * rng.random(len(cost))
    chosen: np.ndarray = candidates[int(np.argmin(cost))]
    return chosen


def _candidates(n_images: int, rng: np.random.Generator) -> np.ndarray:
    """Return sets of images, (sets, images) of bool, neither empty nor full: all of them, or many."""
    if 2**n_images - 2 <= CANDIDATES:
        sets = np.array(list(itertools.product((False, True), repeat=n_images)))
    else:
        # Of every size alike, not of half of the images almost always.
        sets = rng.random((CANDIDATES, n_images)) < rng.uniform(1 / n_images, 1, (CANDIDATES, 1))
        sets[0] = False
        sets[0, rng.integers(n_images)] = True
    return sets[sets.any(axis=1) & ~sets.all(axis=1)]
