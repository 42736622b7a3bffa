"""What is seen and touched in the notebook: the canvas, the form, the live monitor, and the studio that holds them.

Widgets know no torch. `_bridge` is the one place where what a training thread says becomes trait writes.
"""

import sys
from typing import TYPE_CHECKING

from histowidgets._lazy import lazy_names

if TYPE_CHECKING:
    from histowidgets.widgets._canvas import AnnotationCanvas
    from histowidgets.widgets._cross_validation_chart import CrossValidationChart
    from histowidgets.widgets._display_panel import DisplayPanel
    from histowidgets.widgets._form import SettingsForm
    from histowidgets.widgets._image_strip import ImageStrip
    from histowidgets.widgets._monitor import LossMonitor
    from histowidgets.widgets._normalization_preview import NormalizationPreview
    from histowidgets.widgets._review_panel import ReviewPanel
    from histowidgets.widgets._studio import Studio

# Fetched when first used: the chart brings pandas, which the canvas does not need.
_HOME_OF = {
    "AnnotationCanvas": "_canvas",
    "CrossValidationChart": "_cross_validation_chart",
    "DisplayPanel": "_display_panel",
    "ImageStrip": "_image_strip",
    "LossMonitor": "_monitor",
    "NormalizationPreview": "_normalization_preview",
    "ReviewPanel": "_review_panel",
    "SettingsForm": "_form",
    "Studio": "_studio",
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
    from histowidgets.widgets._colab import prepare

    prepare()


__getattr__ = lazy_names(__name__, _HOME_OF)
