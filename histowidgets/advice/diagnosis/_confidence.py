"""How far to trust a score on held-out strokes: the number of strokes behind it, and its confidence interval."""

from collections.abc import Iterable

from histowidgets._wilson import wilson
from histowidgets.annotations import ProjectSnapshot, Split
from histowidgets.errors import AdviceError


def held_out_counts(snapshot: ProjectSnapshot, split: Split) -> dict[str, int]:
    """Count the annotations of each class that lie at least partly in the held-out regions of `split`."""
    counts = dict.fromkeys(snapshot.classes, 0)
    for name, regions in split.held_out.items():
        for annotation in snapshot.annotations.get(name, ()):
            if annotation.class_name in counts and any(annotation.shape.region().intersect(held) for held in regions):
                counts[annotation.class_name] += 1
    return counts


def likely_range(score: float, strokes: float) -> tuple[float, float] | None:
    """Return the range in which a score probably lies, as (low, high) between 0 and 1; None without strokes.

    This is the 95 % interval of Wilson (1927) for a proportion `score` of `strokes` trials. Each stroke counts as one
    trial that is right or wrong as a whole: the pixels of a stroke are so similar that a thousand of them say little
    more than one. The interval is meaningful at the ends too: three strokes that are all right give 0.44 to 1.

    Parameters
    ----------
    score : float
        IoU, 0 to 1.
    strokes : float
        Number of strokes that it was measured on.

    Raises
    ------
    AdviceError
        The score is not between 0 and 1.
    """
    if not 0 <= score <= 1:
        raise AdviceError(f"The score is {score!r}; expected a number from 0 to 1.")
    if not strokes > 0:
        return None
    low, high = wilson(score, strokes)
    return float(low), float(high)


def strokes_of_mean(strokes: Iterable[int]) -> float:
    """Return the effective number of strokes behind a mean over classes; 0 if a class has none.

    The mean of k independent proportions, of n trials each, has the variance of a single proportion of k * k / sum(1 /
    n) trials.
    """
    counts = list(strokes)
    if not counts or min(counts) <= 0:
        return 0.0
    return len(counts) ** 2 / sum(1 / count for count in counts)
