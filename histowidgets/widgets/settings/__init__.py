"""The training settings form, with recommendations, advice and a normalization preview."""

from histowidgets.widgets.settings._form import SettingsForm
from histowidgets.widgets.settings._normalization_fold import NormalizationFold
from histowidgets.widgets.settings._normalization_preview import NormalizationPreview
from histowidgets.widgets.settings._setting_text import label, text_of
from histowidgets.widgets.settings._tab import SettingsTab

__all__ = [
    "NormalizationFold",
    "NormalizationPreview",
    "SettingsForm",
    "SettingsTab",
    "label",
    "text_of",
]
