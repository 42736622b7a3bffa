"""Test-time augmentation by the eight symmetries of the square."""

from collections.abc import Callable

import numpy as np

#: Number of quarter turns, and whether to mirror first.
SYMMETRIES = tuple((turns, mirrored) for mirrored in (False, True) for turns in range(4))


def turned(values: np.ndarray, turns: int, mirrored: bool) -> np.ndarray:
    """Mirror (left to right) and then rotate the last two axes."""
    if mirrored:
        values = values[..., ::-1]
    return np.rot90(values, turns, axes=(-2, -1))


def turned_back(values: np.ndarray, turns: int, mirrored: bool) -> np.ndarray:
    """Undo `turned`."""
    values = np.rot90(values, -turns, axes=(-2, -1))
    return values[..., ::-1] if mirrored else values


def mean_over_symmetries(
    probabilities: Callable[[np.ndarray], np.ndarray], batch: np.ndarray, check: Callable[[], None]
) -> np.ndarray:
    """Average the outputs of a model for a batch over the eight symmetries.

    Parameters
    ----------
    probabilities : callable
        Maps (N, C, H, W) to (N, K, H / s, W / s).
    batch : ndarray of float32, (N, C, H, W)
    check : callable
        Called before each symmetry; may raise to stop.
    """
    answers = []
    for turns, mirrored in SYMMETRIES:
        check()
        seen = np.ascontiguousarray(turned(batch, turns, mirrored))
        answers.append(turned_back(probabilities(seen), turns, mirrored))
    return np.stack(answers).mean(0, dtype=np.float32)
