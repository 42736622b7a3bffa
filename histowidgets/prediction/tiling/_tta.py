"""Test-time augmentation by the eight symmetries of the square, each at another phase of the model's strides."""

from collections.abc import Callable

import numpy as np

#: Number of quarter turns, and whether to mirror first.
SYMMETRIES = tuple((turns, mirrored) for mirrored in (False, True) for turns in range(4))

#: Rows and columns, in pixels of the input, by which each view is moved after it is turned. A model with strides
#: answers differently when its input moves; turned back, the eight moves are at four different phases of a stride of 16
#: along each axis, even and odd ones. All views move alike, so that a turned image gets the turned answer.
MOVE = (3, 6)


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
    """Average the outputs of a model for a batch over the eight symmetries, each moved by some pixels.

    A move fills one edge of the view by reflection and pushes as many pixels over the opposite edge, where the average
    is then over the other views.

    Parameters
    ----------
    probabilities : callable
        Maps (N, C, H, W) to (N, K, H / s, W / s).
    batch : ndarray of float32, (N, C, H, W)
    check : callable
        Called before each symmetry; may raise to stop.
    """
    total, views = np.zeros((), np.float32), np.zeros((), np.float32)
    for symmetry in SYMMETRIES:
        check()
        seen = turned(batch, *symmetry)
        answer = probabilities(np.ascontiguousarray(_moved(_moved(seen, MOVE[0], -2), MOVE[1], -1)))
        stride = seen.shape[-1] // answer.shape[-1]
        answer, rows = _moved_back(answer, MOVE[0] / stride, -2)
        answer, cols = _moved_back(answer, MOVE[1] / stride, -1)
        weight = np.outer(rows, cols)
        total = total + turned_back(answer * weight, *symmetry)
        views = views + turned_back(weight, *symmetry)
    mean: np.ndarray = total / views
    return mean


def _moved(values: np.ndarray, by: int, axis: int) -> np.ndarray:
    """Move down or to the right by some pixels, and fill the edge by reflection; the shape stays."""
    pads = [(0, 0)] * values.ndim
    pads[axis] = (by, 0)
    return np.take(np.pad(values, pads, mode="reflect"), np.arange(values.shape[axis]), axis)


def _moved_back(values: np.ndarray, by: float, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Undo `_moved` for values of an output, and tell with 1 and 0 which of them were seen.

    A fraction is interpolated between neighbours.
    """
    last = values.shape[axis] - 1
    places = np.arange(last + 1) + by
    before = places.astype(np.int64)
    share = np.float32(by % 1)
    found = np.take(values, np.minimum(before, last), axis)
    if share:
        found = (1 - share) * found + share * np.take(values, np.minimum(before + 1, last), axis)
    return found, (places <= last).astype(np.float32)
