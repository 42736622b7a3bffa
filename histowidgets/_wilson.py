"""The interval of a share, which also holds at 0 and 1."""

import numpy as np

#: Quantile of the normal distribution for a two-sided 95 % interval.
Z_95 = 1.959963984540054


def wilson(share: "float | np.ndarray", trials: "float | np.ndarray", z: float = Z_95) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the interval of Wilson (1927) for a share of independent trials.

    `trials` is above 0, and need not be whole, as for an effective number.
    """
    share, trials = np.asarray(share, float), np.asarray(trials, float)
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * np.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return np.maximum(middle - half, 0), np.minimum(middle + half, 1)
