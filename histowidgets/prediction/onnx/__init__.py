"""Export classifiers as ONNX files or QuPath folders, and import ONNX files."""

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
