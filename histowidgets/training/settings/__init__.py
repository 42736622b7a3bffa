"""Training settings and their presets."""

from histowidgets.training.settings._settings import TrainingSettings, setting_range

__all__ = [
    "TrainingSettings",
    "setting_range",
]
