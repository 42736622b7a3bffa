"""Classifiers as ONNX files and as QuPath folders, out and in."""

from histowidgets.prediction.onnx._export import MAX_SECONDS, ExportProgress, write_onnx
from histowidgets.prediction.onnx._import import spec_from_onnx
from histowidgets.prediction.onnx._model import OnnxModel
from histowidgets.prediction.onnx._qupath import write_qupath_folder

__all__ = [
    "MAX_SECONDS",
    "ExportProgress",
    "OnnxModel",
    "spec_from_onnx",
    "write_onnx",
    "write_qupath_folder",
]
