"""Networks out as ONNX."""

import warnings
from os import PathLike
from typing import TYPE_CHECKING, Any, cast

from histowidgets._io import atomic_write
from histowidgets.errors import ClassifierError, HistowidgetsWarning
from histowidgets.prediction._spec import ClassifierSpec
from histowidgets.prediction.onnx._files import EXPORT_OPSET, needed
from histowidgets.prediction.onnx._metadata import KEY, card_text

if TYPE_CHECKING:
    from histowidgets.prediction.pixel_models import NetworkModel

#: Side of the pixels that the network is traced with.
EXAMPLE_SIDE = 64


def write_onnx(spec: ClassifierSpec, path: str | PathLike[str]) -> None:
    """Write the network of a classifier, with its card; see `Classifier.export_onnx`."""
    network = exportable(spec)
    export_network(cast("NetworkModel", network.model).network().eval(), path, card=card_text(network))


def exportable(spec: ClassifierSpec) -> ClassifierSpec:
    """Return what other programs can read of a classifier: itself, or, with a warning, the network of a mean.

    Raises
    ------
    ClassifierError
        If there is no network in it.
    """
    network = spec.network
    if network is None:
        raise ClassifierError(f"A classifier of kind {spec.kind!r} has no network to export. Train a network first.")
    if network is not spec:
        message = (
            "Other programs can read only the network, without the quick learner: they answer as the network alone."
        )
        warnings.warn(HistowidgetsWarning(message), stacklevel=4)  # points at the caller of Classifier.export_…
    return network


def export_network(
    network: Any,
    path: str | PathLike[str],
    names: tuple[str, str] = ("pixels", "probabilities"),
    softmax: bool = True,
    card: str | None = None,
) -> None:
    """Write a network as ONNX: pixels (N, C, H, W) in [0, 1] to probabilities (N, K, H, W), or to logits.

    Parameters
    ----------
    network : Network
    path : path
    names : (str, str)
        Of input and output.
    softmax : bool, default True
        False for logits.
    card : str, optional
        How to use it, written into the file; see `card_text`.

    Raises
    ------
    ClassifierError
        If the packages for it are missing, or the file cannot be written.
    """
    needed("onnx")
    needed("onnxscript")
    with atomic_write(path, ClassifierError) as part:  # refuses a wrong path before the work
        _exported(network, names, softmax, card).save(str(part))


def _exported(network: Any, names: tuple[str, str], softmax: bool, card: str | None) -> Any:
    import torch

    model = torch.nn.Sequential(network, torch.nn.Softmax(1)).eval() if softmax else network
    example = torch.zeros(1, network.spec.n_channels, EXAMPLE_SIDE, EXAMPLE_SIDE)
    any_size = torch.export.Dim.DYNAMIC
    program = torch.onnx.export(
        model,
        (example,),
        input_names=[names[0]],
        output_names=[names[1]],
        opset_version=EXPORT_OPSET,
        dynamo=True,
        dynamic_shapes=({0: any_size, 2: any_size, 3: any_size},),
        verbose=False,
    )
    if program is None:
        raise ClassifierError("The network could not be exported. Save it with classifier.save(folder) instead.")
    if card is not None:
        program.model.metadata_props[KEY] = card
    return program
