"""Colour a prediction by its uncertainty."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # prediction imports torch
    from histowidgets.prediction import PredictionResults

# Dark blue, grey, yellow, of evenly increasing lightness, readable with any colour vision: five points of the colour
# map "cividis" (Nuñez, Anderton and Renslow, 2018).
_POINTS = ((0, 34, 78), (66, 78, 108), (124, 123, 120), (187, 175, 113), (254, 232, 56))
#: Number of colour steps, few enough for a small PNG and a readable legend.
STEPS = 16


def uncertainty_colors() -> np.ndarray:
    """Return the colours of the steps, most certain first: uint8 ``(STEPS, 3)``."""
    at = np.linspace(0, len(_POINTS) - 1, STEPS)
    points = np.array(_POINTS, dtype=float)
    channels = [np.interp(at, np.arange(len(points)), points[:, c]) for c in range(3)]
    return np.rint(np.stack(channels, axis=-1)).astype(np.uint8)


def uncertainty_steps(prediction: "PredictionResults") -> np.ndarray:
    """Return one minus the probability of the likeliest class, as a share of its maximum.

    Returns
    -------
    numpy.ndarray
        uint8 steps, 0 (certain) to ``STEPS - 1`` (all classes equally likely), of the shape of the probability map.
    """
    values = prediction.probability_map.values
    most = 1 - 1 / len(values) if len(values) > 1 else 1.0
    share = (1 - values.max(axis=0).astype(np.float32)) / most
    return np.minimum(np.clip(share, 0, 1) * STEPS, STEPS - 1).astype(np.uint8)


def legend_html() -> str:
    """Return the legend: the colours from sure to unsure, labelled at both ends."""
    colors = ", ".join("#{:02x}{:02x}{:02x}".format(*color) for color in uncertainty_colors())
    return (
        "<div class='hw-legend-uncertainty' role='img' aria-label='Uncertainty: dark blue is sure, yellow is unsure'>"
        f"<span>sure</span><i style='background: linear-gradient(to right, {colors})'></i><span>unsure</span></div>"
    )
