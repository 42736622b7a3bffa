"""What the curves of a run mean, as rules on its history, and what to change."""

from histowidgets.advice.diagnosis._confidence import held_out_counts, likely_range, strokes_of_mean
from histowidgets.advice.diagnosis._curves import Situation, read_history
from histowidgets.advice.diagnosis._diagnose import DIAGNOSES, diagnose

__all__ = [
    "DIAGNOSES",
    "Situation",
    "diagnose",
    "held_out_counts",
    "likely_range",
    "read_history",
    "strokes_of_mean",
]
