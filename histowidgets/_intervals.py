"""Wilson's confidence interval of a share."""

import numpy as np

#: Quantile of the normal distribution for 95 %.
Z_95 = 1.959963984540054


def wilson(value: np.ndarray | float, n: np.ndarray | float, z: float = Z_95) -> tuple[np.ndarray, np.ndarray]:
    """Return Wilson's interval (1927) of a share from `n` cases, which may be an effective number of cases."""
    value, n = np.asarray(value), np.asarray(n)
    middle = (value + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(value * (1 - value) / n + z * z / (4 * n * n))
    return np.maximum(middle - half, 0), np.minimum(middle + half, 1)
