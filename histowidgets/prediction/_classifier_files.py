"""What a classifier can be written to, and made from."""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, cast

from histowidgets._io import as_path
from histowidgets.errors import ClassifierError
from histowidgets.images import Normalization
from histowidgets.prediction.pixel_models import PixelModel

if TYPE_CHECKING:
    from histowidgets.prediction._classifier import Classifier
    from histowidgets.prediction.pixel_models import NetworkModel


def described(classifier: "Classifier") -> dict[str, Any]:
    """Return what each file of a classifier says of how it is used, as plain values for JSON."""
    return {
        "name": classifier.name,
        "classes": classifier.classes,
        "colors": classifier.colors,
        "channel_names": list(classifier.channel_names),
        "normalization": classifier.normalization.to_dict(),
        "pixel_size_um": classifier.pixel_size_um,
        "downsample": int(classifier.downsample),
        "tile_size": int(classifier.tile_size),
    }


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
        from histowidgets.prediction.storage import save_classifier

        save_classifier(cast("Classifier", self), folder)

    @staticmethod
    def load(folder: str | PathLike[str]) -> "Classifier":
        """Load a classifier that `save` wrote. Nothing is unpickled.

        Raises
        ------
        ClassifierError
            If the folder or a file is missing, damaged, or written by a newer version; the message names it.
        """
        from histowidgets.prediction.storage import load_classifier

        return load_classifier(folder)

    def export_onnx(self, path: str | PathLike[str]) -> None:
        """Write the network as ONNX: "pixels" (N, C, H, W), normalized, to "probabilities" (N, K, H, W).

        Classes, channels, normalization, pixel size, downsample and tile size are written into the file, for
        `from_onnx`. Of a mean its network alone is written; a `HistowidgetsWarning` says so.

        Raises
        ------
        ClassifierError
            If this is no network, the packages for it are missing, or the file cannot be written.
        """
        from histowidgets.prediction.onnx import card_text, export_network, exportable

        network = exportable(cast("Classifier", self))
        export_network(cast("NetworkModel", network.model).network().eval(), path, card=card_text(network))

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
        from histowidgets.prediction.onnx import export_folder

        export_folder(cast("Classifier", self), as_path(folder, ClassifierError))

    @staticmethod
    def from_onnx(
        path: str | PathLike[str],
        classes: Sequence[str] | None = None,
        normalization: Normalization | None = None,
        *,
        colors: Mapping[str, str] | Sequence[str] | None = None,
        channel_names: Sequence[str] | None = None,
        pixel_size_um: float | None = None,
        downsample: int | None = None,
        tile_size: int | None = None,
    ) -> "Classifier":
        """Make a classifier of any ONNX model of (N, C, H, W) in [0, 1] to (N, K, H, W) (row R62).

        What `export_onnx` and `export_qupath` write says how it is to be used; what is given here comes before
        that. Where it is damaged a `HistowidgetsWarning` says so, and it is not used.

        Parameters
        ----------
        path : path
        classes : sequence of str, optional
            In the order of its output; those of the file if it names them.
        normalization : Normalization, optional
            Fitted, or "fixed_range"; that of the file if it has one.
        colors : mapping or sequence, optional
            Those of the file, or colour-blind safe ones.
        channel_names : sequence of str, optional
            In the order of its input. By default those of the file, or Gray; Red, Green, Blue; Channel 1, Channel 2, …
            for as many as it takes.
        pixel_size_um, downsample
            As for `Classifier`; by default those of the file.
        tile_size : int, optional
            As for `Classifier`; by default that of the file, or 256 where it takes any.

        Raises
        ------
        ClassifierError
            If onnxruntime is missing, the file is no ONNX, its channels, classes, tile size or opset do not fit, or
            neither the file nor the caller names classes and normalization.
        """
        from histowidgets.prediction.onnx import classifier_from_onnx

        return classifier_from_onnx(
            path, classes, normalization, colors, channel_names, pixel_size_um, downsample, tile_size
        )
