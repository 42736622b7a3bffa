"""Draw the points of an audit: at random within each predicted class, block by block."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from histowidgets.annotations import UNLABELLED
from histowidgets.errors import AuditError
from histowidgets.prediction.results import PredictionResults

#: Each predicted class gets at least this share of what equal numbers for all classes would give it.
LEAST_SHARE = 1 / 3


class Place(NamedTuple):
    """A pixel of an image, and the index of its predicted class."""

    image_name: str
    x: int
    y: int
    predicted: int


def allocate(pixels: Sequence[int] | np.ndarray, n: int) -> np.ndarray:
    """Divide the points among the predicted classes.

    In proportion to their pixels, except that rare classes get a third of what equal numbers would give them.

    Parameters
    ----------
    pixels : sequence of int, (K,)
    n : int

    Returns
    -------
    ndarray of int, (K,)
        At least 1 for each class with pixels, never more than its pixels; `n` in total if there are that many pixels.

    Raises
    ------
    AuditError
        If there are fewer points than classes with pixels.
    """
    sizes = np.asarray(pixels, np.int64)
    there = sizes > 0
    if n < there.sum():
        raise AuditError(f"{n} points are too few for {there.sum()} predicted classes. Draw 10 or more for each.")
    if n >= sizes.sum():
        return sizes.copy()
    least = np.where(there, np.minimum(n * LEAST_SHARE / there.sum(), sizes), 0.0)
    fixed = there & (sizes * n / sizes.sum() < least)
    wanted = least
    while True:  # each round fixes at least one more class
        rest = n - least[fixed].sum()
        others = there & ~fixed
        wanted = np.where(fixed, least, np.where(others, sizes * rest / max(sizes[others].sum(), 1), 0.0))
        more = others & (wanted < least)
        if not more.any():
            break
        fixed |= more
    counts = np.minimum(np.maximum(np.floor(wanted), there), sizes).astype(np.int64)
    remainders = np.where(counts < sizes, wanted - counts, -np.inf)
    while counts.sum() < n:
        k = int(np.argmax(remainders))
        counts[k] += 1
        remainders[k] = remainders[k] - 1 if counts[k] < sizes[k] else -np.inf
    while counts.sum() > n:  # the 1 that each class gets at least
        counts[np.argmax(counts)] -= 1
    return counts


def draw_places(
    predictions: Mapping[str, PredictionResults],
    class_indices: Mapping[str, Sequence[int]],
    pixels: Mapping[str, Sequence[int]],
    n: int,
    rng: np.random.Generator,
) -> list[Place]:
    """Draw pixels without replacement, each with the same probability within its predicted class.

    Parameters
    ----------
    predictions : mapping of image name to PredictionResults
    class_indices : mapping of image name to sequence of int
        The index of each class of the prediction among the classes of the audit.
    pixels : mapping of image name to sequence of int
        Number of predicted pixels of each class of the audit.
    n : int
    rng : Generator

    Returns
    -------
    list of Place
        In an order in which the classes take turns, so that a part of them is like the whole.
    """
    totals = np.sum(list(pixels.values()), axis=0)
    wanted = allocate(totals, n)
    # The rank of each place among the pixels of its class, in the order of images and blocks.
    ranks = [np.sort(rng.choice(int(total), int(k), replace=False)) for total, k in zip(totals, wanted, strict=True)]
    found: dict[int, list[Place]] = defaultdict(list)
    passed = np.zeros(len(totals), np.int64)
    for name, prediction in predictions.items():
        for region, labels in prediction.label_bands():
            counts = np.bincount(labels.ravel(), minlength=UNLABELLED + 1)
            for own in np.flatnonzero(counts[:UNLABELLED]).tolist():
                k, here = class_indices[name][own], int(counts[own])
                first, last = np.searchsorted(ranks[k], [passed[k], passed[k] + here])
                if last > first:
                    rows, columns = (axis[ranks[k][first:last] - passed[k]] for axis in np.nonzero(labels == own))
                    places = zip(columns + region.x, rows + region.y, strict=True)
                    found[k] += [Place(name, int(x), int(y), k) for x, y in places]
                passed[k] += here
    if any(len(found[k]) != wanted[k] for k in range(len(wanted))):
        raise AuditError("A prediction changed while points were drawn on it. Predict again, then draw them again.")
    keyed = []
    for k in range(len(wanted)):
        shuffled = [found[k][i] for i in rng.permutation(len(found[k]))]
        keyed += [((i + rng.random()) / len(shuffled), place) for i, place in enumerate(shuffled)]
    return [place for _, place in sorted(keyed)]
