from .canvas import AnnotationCanvas, DisplayPanel
from .monitor import CrossValidationChart, LossMonitor
from .settings import NormalizationPreview, SettingsForm
from .studio import ImageStrip, Studio

__all__ = [
    "AnnotationCanvas",
    "CrossValidationChart",
    "DisplayPanel",
    "ImageStrip",
    "LossMonitor",
    "NormalizationPreview",
    "SettingsForm",
    "Studio",
]
