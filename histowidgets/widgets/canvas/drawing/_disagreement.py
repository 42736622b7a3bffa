"""Colour annotations by how far a prediction contradicts them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from histowidgets.annotations import UNLABELLED
from histowidgets.widgets.canvas.drawing._paint import Paint

if TYPE_CHECKING:  # prediction imports torch
    from histowidgets.prediction import PredictionResults

# Where the prediction agrees, annotations are pale blue and translucent; where it contradicts, red and opaque. The
# difference in lightness and opacity helps people who cannot see red.
_AGREES, _CONTRADICTS = np.array([110, 190, 240, 70.0]), np.array([230, 0, 38, 255.0])
# The colour where there is no prediction.
_UNKNOWN = (140, 140, 140, 120)
# Number of colour steps, few enough for a small PNG.
STEPS = 16


def contradiction(
    prediction: "PredictionResults", classes: Sequence[str], labels: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """Return one minus the probability of the label of each pixel, NaN where there is no label or no prediction.

    Parameters
    ----------
    prediction
        The prediction; its classes are matched by name.
    classes
        The classes that the labels are indices of.
    labels : ndarray of (H, W), uint8
    rows, columns : ndarray of (H,) and (W,), int
        The image row and column, in full-size pixels, of each row and column of `labels`.

    Returns
    -------
    ndarray of (H, W), float32
    """
    computed, region = prediction.probability_map, prediction.region
    own = rows - region.y, columns - region.x
    inside = [(at >= 0) & (at < size) for at, size in zip(own, (region.height, region.width), strict=True)]
    places = computed.places_of(*own)
    known = (labels != UNLABELLED) & inside[0][:, None] & inside[1][None]
    index = np.full(256, -1)
    for number, name in enumerate(classes):
        if name in prediction.classes:
            index[number] = prediction.classes.index(name)
    known &= index[labels] >= 0
    found = np.full(labels.shape, np.nan, np.float32)
    y, x = np.nonzero(known)
    found[y, x] = 1 - computed.values[index[labels[y, x]], places[0][y], places[1][x]].astype(np.float32)
    return found


def painted_contradiction(labels: np.ndarray, contradicted: np.ndarray) -> Paint:
    """Return labelled pixels: pale where the prediction agrees, red where it does not, grey where there is none."""
    share = np.linspace(0, 1, STEPS)[:, None]
    steps = np.rint(_AGREES * (1 - share) + _CONTRADICTS * share).astype(np.uint8)
    numbers = (labels != UNLABELLED).astype(np.uint8)
    known = np.isfinite(contradicted)
    numbers[known] = 2 + np.minimum(contradicted[known] * STEPS, STEPS - 1).astype(np.uint8)
    return Paint(numbers, np.concatenate([[(0, 0, 0, 0), _UNKNOWN], steps]).astype(np.uint8))
