"""What is seen and touched in the notebook: the canvas, the form, the live monitor, and the studio that holds them.

Widgets know no torch. `page/_bridge` is the one place where what a training thread says becomes trait writes.
"""

import sys
from typing import TYPE_CHECKING

from histowidgets._lazy import lazy_names

if TYPE_CHECKING:
    from histowidgets.widgets.canvas._canvas import AnnotationCanvas
    from histowidgets.widgets.canvas._display_panel import DisplayPanel
    from histowidgets.widgets.monitor._cross_validation_chart import CrossValidationChart
    from histowidgets.widgets.monitor._monitor import LossMonitor
    from histowidgets.widgets.settings._form import SettingsForm
    from histowidgets.widgets.settings._normalization_preview import NormalizationPreview
    from histowidgets.widgets.studio._image_strip import ImageStrip
    from histowidgets.widgets.studio._review_panel import ReviewPanel
    from histowidgets.widgets.studio._studio import Studio

# Fetched when first used: the chart brings pandas, which the canvas does not need.
_HOME_OF = {
    "AnnotationCanvas": "canvas._canvas",
    "CrossValidationChart": "monitor._cross_validation_chart",
    "DisplayPanel": "canvas._display_panel",
    "ImageStrip": "studio._image_strip",
    "LossMonitor": "monitor._monitor",
    "NormalizationPreview": "settings._normalization_preview",
    "ReviewPanel": "studio._review_panel",
    "SettingsForm": "settings._form",
    "Studio": "studio._studio",
}

__all__ = [
    "AnnotationCanvas",
    "CrossValidationChart",
    "DisplayPanel",
    "ImageStrip",
    "LossMonitor",
    "NormalizationPreview",
    "ReviewPanel",
    "SettingsForm",
    "Studio",
]

if "google.colab" in sys.modules:
    from histowidgets.widgets.page._colab import prepare

    prepare()


__getattr__ = lazy_names(__name__, _HOME_OF)
