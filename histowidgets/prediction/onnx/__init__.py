"""Export classifiers as ONNX files or QuPath folders, and import ONNX files."""

from histowidgets.prediction.onnx._export import MAX_SECONDS, ExportProgress, export_network, exportable, write_onnx
from histowidgets.prediction.onnx._files import EXPORT_OPSET
from histowidgets.prediction.onnx._graph import GraphOptions
from histowidgets.prediction.onnx._import import spec_from_onnx
from histowidgets.prediction.onnx._metadata import card_text
from histowidgets.prediction.onnx._model import OnnxModel
from histowidgets.prediction.onnx._qupath import write_qupath_folder

__all__ = [
    "EXPORT_OPSET",
    "MAX_SECONDS",
    "ExportProgress",
    "GraphOptions",
    "OnnxModel",
    "card_text",
    "export_network",
    "exportable",
    "spec_from_onnx",
    "write_onnx",
    "write_qupath_folder",
]
