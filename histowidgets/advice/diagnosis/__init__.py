"""Diagnosis of a run: rules that read its curves, explain them, and suggest changes."""

from histowidgets.advice.diagnosis._confidence import held_out_counts, likely_range, strokes_of_mean
from histowidgets.advice.diagnosis._curves import RunContext, read_history
from histowidgets.advice.diagnosis._diagnose import DIAGNOSES, diagnose
from histowidgets.advice.diagnosis._remedies import batch_for_more_steps, color_jitter, elastic, flips

__all__ = [
    "DIAGNOSES",
    "RunContext",
    "batch_for_more_steps",
    "color_jitter",
    "diagnose",
    "elastic",
    "flips",
    "held_out_counts",
    "likely_range",
    "read_history",
    "strokes_of_mean",
]
