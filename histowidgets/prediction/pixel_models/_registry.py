"""The kinds of models that a classifier folder can hold."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np

from histowidgets.errors import ClassifierError
from histowidgets.prediction.pixel_models._protocol import PixelModel

_MODELS = {
    "mean": ("pixel_models._mean_model", "MeanModel"),
    "network": ("pixel_models._network", "NetworkModel"),
    "onnx": ("onnx._model", "OnnxModel"),
    "quick": ("pixel_models._quick", "QuickModel"),
}
"""Module and class of each kind, imported on first use; each has ``restore(spec, tensors)``."""


def restored_model(kind: str, spec: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> PixelModel:
    """Build a model from its `spec` and `tensors`.

    Raises
    ------
    ClassifierError
        If there is no such kind, or `spec` and `tensors` do not fit together.
    """
    if kind not in _MODELS:
        raise ClassifierError(f"the kind {kind!r} is unknown; {', '.join(_MODELS)} can be loaded")
    module, name = _MODELS[kind]
    restore = getattr(import_module(f"histowidgets.prediction.{module}"), name).restore
    model: PixelModel = restore(spec, tensors)
    return model
