"""Soften probabilities by a temperature (Guo et al. 2017, "On calibration of modern neural networks")."""

import math
from collections.abc import Mapping
from typing import Any

import torch

from histowidgets.errors import ClassifierError

#: Largest temperature of a model; far above what is ever fitted.
MOST_TEMPERATURE = 1000.0


def softened(probabilities: torch.Tensor, temperature: float) -> torch.Tensor:
    """Return probabilities, (N, K, H, W), to the power of 1 / temperature, scaled to the sum 1 over K."""
    if temperature == 1:
        return probabilities
    return (probabilities.clamp_min(torch.finfo(probabilities.dtype).tiny).log() / temperature).softmax(1)


def stored_temperature(spec: Mapping[str, Any]) -> float:
    """Return the temperature in a model's spec, 1 by default.

    Raises
    ------
    ClassifierError
        If it is not a number above 0.
    """
    temperature = spec.get("temperature", 1.0)
    if type(temperature) not in (int, float) or not 0 < temperature <= MOST_TEMPERATURE or math.isnan(temperature):
        raise ClassifierError(f"The temperature of a model is {temperature!r}; expected a number above 0.")
    return float(temperature)
