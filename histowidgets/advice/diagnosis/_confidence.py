"""How far a score on held-out strokes can be trusted: on how many strokes it rests, and within which range it lies."""

import math
from collections.abc import Iterable

from histowidgets.annotations import ProjectSnapshot, Split
from histowidgets.errors import AdviceError

#: The range in which a score on held-out strokes probably lies: 95 % of a normal distribution.
LIKELY_Z = 1.96


def held_out_counts(snapshot: ProjectSnapshot, split: Split) -> dict[str, int]:
    """Count for each class the annotations that lie at least partly in what `split` holds out."""
    counts = dict.fromkeys(snapshot.classes, 0)
    for name, regions in split.held_out.items():
        for annotation in snapshot.annotations.get(name, ()):
            if annotation.class_name in counts and any(annotation.shape.region().intersect(held) for held in regions):
                counts[annotation.class_name] += 1
    return counts


def likely_range(score: float, strokes: float) -> tuple[float, float] | None:
    """Return the range in which a score probably lies, as (low, high) between 0 and 1; None without a stroke.

    The interval of Wilson (1927) at 95 % for the share `score` of `strokes` trials. It takes each stroke for one trial
    that is right or wrong as a whole: the pixels of a stroke are much alike, so that a thousand of them say little
    more than one. It stays honest at the ends: three strokes that are all right give 0.44 to 1.

    Parameters
    ----------
    score : float
        IoU, 0 to 1.
    strokes : float
        How many strokes it was measured on.

    Raises
    ------
    AdviceError
        The score is not between 0 and 1.
    """
    if not 0 <= score <= 1:
        raise AdviceError(f"The score is {score!r}; a number from 0 to 1 is wanted.")
    if not strokes > 0:
        return None
    z2 = LIKELY_Z**2
    middle = (score + z2 / (2 * strokes)) / (1 + z2 / strokes)
    half = LIKELY_Z * math.sqrt(score * (1 - score) / strokes + z2 / (4 * strokes**2)) / (1 + z2 / strokes)
    return max(0.0, middle - half), min(1.0, middle + half)


def strokes_of_mean(strokes: Iterable[int]) -> float:
    """Return how many strokes a mean over classes rests on, given those of each class; 0 where a class has none.

    The variance of a mean of k independent shares, each of n trials, is that of one share of k * k / sum(1 / n).
    """
    counts = list(strokes)
    if not counts or min(counts) <= 0:
        return 0.0
    return len(counts) ** 2 / sum(1 / count for count in counts)
