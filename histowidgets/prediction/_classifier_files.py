"""What a classifier can be written to, and made from."""

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, cast

from histowidgets.errors import ClassifierError
from histowidgets.images import Normalization
from histowidgets.prediction._model import PixelModel

if TYPE_CHECKING:
    from histowidgets.prediction._classifier import Classifier
    from histowidgets.prediction._network_model import NetworkModel


class ClassifierFiles:
    """The part of `Classifier` that knows files."""

    model: PixelModel

    @property
    def kind(self) -> str:
        """Which sort of model is inside: "network", "quick", "onnx", or "mean" of several."""
        return self.model.kind

    def save(self, folder: str | PathLike[str]) -> None:
        """Write the classifier into a folder: ``classifier.json`` and ``model.safetensors``.

        It is written whole beside the folder and then takes its place, so that an earlier classifier there is
        replaced, and never half.

        Raises
        ------
        ClassifierError
            If the folder cannot be written, or holds something else.
        """
        from histowidgets.prediction._folder import save_classifier

        save_classifier(cast("Classifier", self), folder)

    @staticmethod
    def load(folder: str | PathLike[str]) -> "Classifier":
        """Load a classifier that `save` wrote. Nothing is unpickled.

        Raises
        ------
        ClassifierError
            If the folder or a file is missing, damaged, or written by a newer version; the message names it.
        """
        from histowidgets.prediction._folder import load_classifier

        return load_classifier(folder)

    def export_onnx(self, path: str | PathLike[str]) -> None:
        """Write the network as ONNX: "pixels" (N, C, H, W), normalized, to "probabilities" (N, K, H, W).

        Of a mean its network alone is written; a `HistowidgetsWarning` says so.

        Raises
        ------
        ClassifierError
            If this is no network, the packages for it are missing, or the file cannot be written.
        """
        from histowidgets.prediction._onnx import export_network, exportable

        model = cast("NetworkModel", exportable(cast("Classifier", self)).model)
        export_network(model.network().eval(), path)

    def export_qupath(self, folder: str | PathLike[str]) -> None:
        """Write the folder that the QuPath extension "DL pixel classifier" loads: model.onnx and metadata.json.

        The ONNX goes from "input" (N, C, H, W), normalized, to "output", logits (N, K, H, W). The metadata hold
        classes with their colours, channels, pixel size, downsample, and the normalization with the numbers that
        are used here. The extension cannot match stains: a `HistowidgetsWarning` says so where this classifier does.

        Raises
        ------
        ClassifierError
            If this is no network, the packages for it are missing, or the folder cannot be written.
        """
        from histowidgets.prediction._qupath import export_folder

        export_folder(cast("Classifier", self), Path(folder).expanduser())

    @staticmethod
    def from_onnx(
        path: str | PathLike[str],
        classes: Sequence[str],
        normalization: Normalization,
        *,
        colors: Mapping[str, str] | Sequence[str] | None = None,
        channel_names: Sequence[str] = ("Red", "Green", "Blue"),
        pixel_size_um: float | None = None,
        downsample: int = 1,
        tile_size: int | None = None,
    ) -> "Classifier":
        """Make a classifier of any ONNX model of (N, C, H, W) in [0, 1] to (N, K, H, W) (row R62).

        Parameters
        ----------
        path : path
        classes : sequence of str
            In the order of its output.
        normalization : Normalization
            Fitted, or "fixed_range".
        colors : mapping or sequence, optional
            Colour-blind safe ones by default.
        channel_names : sequence of str
            In the order of its input.
        pixel_size_um, downsample
            As for `Classifier`.
        tile_size : int, optional
            As for `Classifier`; by default that of the model, or 256 where it takes any.

        Raises
        ------
        ClassifierError
            If onnxruntime is missing, the file is no ONNX, or its channels, classes, tile size or opset do not fit.
        """
        from histowidgets.annotations import PALETTE
        from histowidgets.prediction._classifier import Classifier
        from histowidgets.prediction._onnx import read_onnx

        if colors is None:
            colors = [PALETTE[i % len(PALETTE)] for i in range(len(classes))]
        model = read_onnx(path, len(channel_names), len(classes))
        side = model.side or tile_size or 256
        if tile_size is not None and tile_size != side:
            raise ClassifierError(
                f"tile_size is {tile_size}, but the model takes tiles of {side} x {side} only. Leave tile_size out."
            )
        return Classifier(
            model,
            classes=classes,
            colors=colors,
            channel_names=channel_names,
            normalization=normalization,
            pixel_size_um=pixel_size_um,
            downsample=downsample,
            tile_size=side,
            name=Path(path).stem,
        )
