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
    "prediction": ["Classifier", "Prediction", "open_prediction", "predict_images"],
    "training": [
        "Comparison",
        "Estimate",
        "RunLog",
        "RunSummary",
        "TrainingRun",
        "TrainingSettings",
        "augmentation_preview",
        "compare",
        "compare_runs",
        "cross_validate",
        "estimate",
        "quick_classifier",
        "quick_score",
        "resume_training",
        "start_training",
        "train",
        "unfinished_run",
        "with_quick",
        "write_tensorboard",
    ],
    "advice": ["Advice", "coach", "diagnose", "recommend", "review", "suggest_regions"],
    "widgets": ["AnnotationCanvas", "CrossValidationChart", "LossMonitor", "SettingsForm", "Studio"],
}
_HOME_OF = {name: room for room, names in _HOMES.items() for name in names}

if TYPE_CHECKING:
    from histowidgets.advice import Advice, coach, diagnose, recommend, review, suggest_regions
    from histowidgets.annotations import Annotation, Line, Polygon, Project, Rectangle, Stroke
    from histowidgets.images import Image, Normalization, open_image, samples
    from histowidgets.models import backbones
    from histowidgets.prediction import Classifier, Prediction, open_prediction, predict_images
    from histowidgets.training import (
        Comparison,
        Estimate,
        RunLog,
        RunSummary,
        TrainingRun,
        TrainingSettings,
        augmentation_preview,
        compare,
        compare_runs,
        cross_validate,
        estimate,
        quick_classifier,
        quick_score,
        resume_training,
        start_training,
        train,
        unfinished_run,
        with_quick,
        write_tensorboard,
    )
    from histowidgets.widgets import AnnotationCanvas, CrossValidationChart, LossMonitor, SettingsForm, Studio

__all__ = [
    "Advice",
    "Annotation",
    "AnnotationCanvas",
    "Classifier",
    "Comparison",
    "CrossValidationChart",
    "Estimate",
    "Image",
    "Line",
    "LossMonitor",
    "Normalization",
    "Polygon",
    "Prediction",
    "Project",
    "Rectangle",
    "RunLog",
    "RunSummary",
    "SettingsForm",
    "Stroke",
    "Studio",
    "TrainingRun",
    "TrainingSettings",
    "augmentation_preview",
    "backbones",
    "coach",
    "compare",
    "compare_runs",
    "cross_validate",
    "diagnose",
    "errors",
    "estimate",
    "open_image",
    "open_prediction",
    "predict_images",
    "quick_classifier",
    "quick_score",
    "recommend",
    "resume_training",
    "review",
    "samples",
    "start_training",
    "suggest_regions",
    "train",
    "unfinished_run",
    "with_quick",
    "write_tensorboard",
]


__getattr__ = lazy_names(__name__, _HOME_OF)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
