"""Classifiers as ONNX files and as QuPath folders, out and in."""

from histowidgets.prediction.onnx._import import classifier_from_onnx
from histowidgets.prediction.onnx._metadata import card_text
from histowidgets.prediction.onnx._model import export_network, exportable
from histowidgets.prediction.onnx._qupath import export_folder

__all__ = [
    "card_text",
    "classifier_from_onnx",
    "export_folder",
    "export_network",
    "exportable",
]
