"""The live monitor of a run with the diagnosis of its curves, and the chart of a cross-validation."""

from histowidgets.widgets.monitor._cross_validation_chart import CrossValidationChart, cross_validation_html
from histowidgets.widgets.monitor._diagnosis_line import DiagnosisLine
from histowidgets.widgets.monitor._held_out_list import FEW_STROKES
from histowidgets.widgets.monitor._monitor import LossMonitor

__all__ = [
    "FEW_STROKES",
    "CrossValidationChart",
    "DiagnosisLine",
    "LossMonitor",
    "cross_validation_html",
]
