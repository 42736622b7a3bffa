"""The uncertainty of a prediction as colours."""

import types

import numpy as np

from histowidgets.widgets.canvas.drawing._uncertainty import STEPS, uncertainty_colors, uncertainty_steps


def test_uncertainty_is_one_minus_the_likeliest_class_and_is_ordered_for_all_eyes():
    values = np.zeros((2, 1, 3), np.float16)
    values[:, 0] = [[1.0, 0.75, 0.5], [0.0, 0.25, 0.5]]
    prediction = types.SimpleNamespace(probability_map=types.SimpleNamespace(values=values))
    assert uncertainty_steps(prediction).tolist() == [[0, STEPS // 2, STEPS - 1]]
    light = uncertainty_colors() @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(light) > 0).all()
    assert np.ptp(np.diff(light)) < 8, "even steps"
