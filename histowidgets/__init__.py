"""Paint a few strokes, train a pixel classifier in the kernel, watch it learn, take it away.

Importing this module is quick: each name is fetched from its room when it is first used, so that neither
torch nor the widgets are loaded before they are needed.
"""

import os
from typing import TYPE_CHECKING

from histowidgets import errors
from histowidgets._lazy import lazy_names

# Read once, when torch is loaded. By default its threads spin while they wait; where the browser, the kernel and two
# learners share two cores, that made training up to twenty times slower (docs/architecture.md, "Sharing the cores").
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"

_HOMES = {
    "images": ["Image", "Normalization", "open_image", "samples"],
    "annotations": ["Annotation", "Line", "Polygon", "Project", "Rectangle", "Stroke"],
    "models": ["backbones"],
    "prediction": ["Classifier", "Prediction"],
    "training": [
        "TrainingRun",
        "TrainingSettings",
        "cross_validate",
        "quick_classifier",
        "start_training",
        "train",
    ],
    "advice": ["Advice", "coach", "diagnose", "recommend", "suggest_regions"],
    "widgets": ["AnnotationCanvas", "LossMonitor", "SettingsForm", "Studio"],
}
_HOME_OF = {name: room for room, names in _HOMES.items() for name in names}

if TYPE_CHECKING:
    from histowidgets.advice import Advice, coach, diagnose, recommend, suggest_regions
    from histowidgets.annotations import Annotation, Line, Polygon, Project, Rectangle, Stroke
    from histowidgets.images import Image, Normalization, open_image, samples
    from histowidgets.models import backbones
    from histowidgets.prediction import Classifier, Prediction
    from histowidgets.training import (
        TrainingRun,
        TrainingSettings,
        cross_validate,
        quick_classifier,
        start_training,
        train,
    )
    from histowidgets.widgets import AnnotationCanvas, LossMonitor, SettingsForm, Studio

__all__ = [
    "Advice",
    "Annotation",
    "AnnotationCanvas",
    "Classifier",
    "Image",
    "Line",
    "LossMonitor",
    "Normalization",
    "Polygon",
    "Prediction",
    "Project",
    "Rectangle",
    "SettingsForm",
    "Stroke",
    "Studio",
    "TrainingRun",
    "TrainingSettings",
    "backbones",
    "coach",
    "cross_validate",
    "diagnose",
    "errors",
    "open_image",
    "quick_classifier",
    "recommend",
    "samples",
    "start_training",
    "suggest_regions",
    "train",
]


__getattr__ = lazy_names(__name__, _HOME_OF)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
