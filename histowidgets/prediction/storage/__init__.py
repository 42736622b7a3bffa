"""The folder of a classifier on disk."""

from histowidgets.prediction.storage._folder import load_classifier, save_classifier

__all__ = [
    "load_classifier",
    "save_classifier",
]
