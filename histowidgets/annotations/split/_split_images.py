"""Choose whole images to hold out for validation."""

import itertools

import numpy as np

#: Most sets of images to compare; if there are more, this many are drawn at random.
CANDIDATES = 4096
#: Costs, as in the choice of a rectangle, of a class missing on one side, and the size of the random part.
COST_NOT_TRAINED, COST_NOT_VALIDATED, COST_RANDOM = 10.0, 4.0, 0.1


def choose_images(pixels: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Choose images so that each class is on both sides if possible, and about the given share of it is held out.

    Parameters
    ----------
    pixels : ndarray of (images, classes)
        Labelled pixels of at least two images, each with some labels.
    fraction : float
        Share of each class's pixels to hold out, 0 to 1.
    seed : int
        Seed that decides between equally good choices.

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
    """Return all or many sets of images, neither empty nor full, as bool (sets, images)."""
    if 2**n_images - 2 <= CANDIDATES:
        sets = np.array(list(itertools.product((False, True), repeat=n_images)))
    else:
        # Sizes are drawn uniformly; otherwise, nearly all sets would have half of the images.
        sets = rng.random((CANDIDATES, n_images)) < rng.uniform(1 / n_images, 1, (CANDIDATES, 1))
        sets[0] = False
        sets[0, rng.integers(n_images)] = True
    return sets[sets.any(axis=1) & ~sets.all(axis=1)]
