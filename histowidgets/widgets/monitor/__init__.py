"""The live chart of a run and the diagnosis above it."""

from histowidgets.widgets.monitor._cross_validation_chart import CrossValidationChart, chart_html
from histowidgets.widgets.monitor._held_out_list import FEW_STROKES
from histowidgets.widgets.monitor._monitor import LossMonitor

__all__ = [
    "FEW_STROKES",
    "CrossValidationChart",
    "LossMonitor",
    "chart_html",
]
