"""The kinds of models that a classifier folder can hold."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np

from histowidgets.errors import ClassifierError
from histowidgets.prediction._model import PixelModel

_MODELS = {
    "mean": ("_mean_model", "MeanModel"),
    "network": ("_network_model", "NetworkModel"),
    "onnx": ("_onnx", "OnnxModel"),
    "quick": ("_quick_model", "QuickModel"),
}
"""Where the model of each kind lives; each has ``restore(spec, tensors)``."""


def restored_model(kind: str, spec: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> PixelModel:
    """Build a model from what its `spec` and `tensors` gave.

    Raises
    ------
    ClassifierError
        If there is no such kind, or the parts do not fit each other.
    """
    if kind not in _MODELS:
        raise ClassifierError(f"the kind {kind!r} is unknown; {', '.join(_MODELS)} can be loaded")
    module, name = _MODELS[kind]
    restore = getattr(import_module(f"histowidgets.prediction.{module}"), name).restore
    model: PixelModel = restore(spec, tensors)
    return model
