"""What is seen and touched in the notebook: the canvas, the form, the live monitor, and the studio that holds them.

Widgets know no torch. `_bridge` is the one place where what a training thread says becomes trait writes.
"""

from typing import TYPE_CHECKING

from histowidgets._lazy import lazy_names

if TYPE_CHECKING:
    from histowidgets.widgets._canvas import AnnotationCanvas
    from histowidgets.widgets._form import SettingsForm
    from histowidgets.widgets._monitor import LossMonitor
    from histowidgets.widgets._studio import Studio

# Fetched when first used: the chart brings pandas, which the canvas does not need.
_HOME_OF = {
    "AnnotationCanvas": "_canvas",
    "LossMonitor": "_monitor",
    "SettingsForm": "_form",
    "Studio": "_studio",
}

__all__ = ["AnnotationCanvas", "LossMonitor", "SettingsForm", "Studio"]


__getattr__ = lazy_names(__name__, _HOME_OF)
