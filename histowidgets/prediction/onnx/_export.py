"""Export networks as ONNX."""

import importlib.util
import warnings
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, cast

from histowidgets._io import atomic_write
from histowidgets._threads import process_is_ending
from histowidgets.errors import ClassifierError, ExportCancelled, HistowidgetsWarning
from histowidgets.prediction._spec import ClassifierSpec
from histowidgets.prediction.onnx._files import needed
from histowidgets.prediction.onnx._graph import CHECKING, TRACING, GraphOptions, write_graph
from histowidgets.prediction.onnx._metadata import card_text
from histowidgets.prediction.onnx._process import CannotStartError, export_in_process

if TYPE_CHECKING:
    from histowidgets.prediction.pixel_models import NetworkModel

#: Called with the number of finished steps, the total number, and the name of the step that begins.
ExportProgress = Callable[[int, int, str], object]
ShouldStop = Callable[[], bool]

#: Default time limit of an export, in seconds.
MAX_SECONDS = 900.0

STARTING, WAITING = "starting a process", "waiting for the training to end"
_STEPS = (STARTING, "building the network", TRACING, CHECKING)


def write_onnx(
    spec: ClassifierSpec,
    path: str | PathLike[str],
    progress: ExportProgress | None = None,
    should_stop: ShouldStop | None = None,
    max_seconds: float = MAX_SECONDS,
) -> None:
    """Export the network of a classifier, with its card; see `Classifier.export_onnx`."""
    network = exportable(spec)
    export_network(network, path, GraphOptions(card=card_text(network)), progress, should_stop, max_seconds)


def exportable(spec: ClassifierSpec) -> ClassifierSpec:
    """Return the part of a classifier that other programs can use: itself, or, with a warning, an ensemble's network.

    Raises
    ------
    ClassifierError
        If the classifier has no network.
    """
    network = spec.network
    if network is None:
        raise ClassifierError(f"A classifier of kind {spec.kind!r} has no network to export. Train a network first.")
    if network is not spec:
        message = (
            "Only the network is exported, without the quick learner: other programs predict with the network alone."
        )
        warnings.warn(HistowidgetsWarning(message), stacklevel=4)  # points to the caller of Classifier.export_…
    return network


def export_network(
    spec: ClassifierSpec,
    path: str | PathLike[str],
    options: GraphOptions,
    progress: ExportProgress | None = None,
    should_stop: ShouldStop | None = None,
    max_seconds: float = MAX_SECONDS,
) -> None:
    """Export a network as ONNX, in a separate process; see `write_graph`.

    If no process can be started, the export runs in this process while no training is running.

    Parameters
    ----------
    spec : ClassifierSpec
        A classifier of kind "network".
    path : path
    options : GraphOptions
    progress, should_stop, max_seconds
        See `Classifier.export_onnx`.

    Raises
    ------
    ClassifierError
        If packages are missing, the network cannot be exported, or the file cannot be written.
    ExportCancelled
        If `should_stop` returned True, or this process ends.
    """
    if not max_seconds > 0:
        raise ClassifierError(f"max_seconds is {max_seconds!r}; expected a number above 0.")
    for name in ("onnx", "onnxscript"):
        if importlib.util.find_spec(name) is None:
            needed(name)  # raises with instructions to install it
    model = cast("NetworkModel", spec.model)
    stop = should_stop or (lambda: False)

    def tell(step: str) -> None:
        if progress is not None:
            progress(_STEPS.index(step) if step in _STEPS else 0, len(_STEPS), step)

    with atomic_write(path, ClassifierError) as part:  # rejects a wrong path before the work
        tell(STARTING)
        try:
            export_in_process(
                model.spec(), model.tensors(), part, options, tell=tell, should_stop=stop, max_seconds=max_seconds
            )
        except CannotStartError:
            _export_here(model, part, options, tell, stop)
    if progress is not None:
        progress(len(_STEPS), len(_STEPS), "done")


def _export_here(
    model: "NetworkModel", path: Path, options: GraphOptions, tell: Callable[[str], None], should_stop: ShouldStop
) -> None:
    from histowidgets.models import alone_with_torch

    needed("onnxscript")
    tell(WAITING)
    with alone_with_torch(lambda: should_stop() or process_is_ending()) as alone:
        if not alone:
            raise ExportCancelled("The export was cancelled; nothing was written.")
        write_graph(model.network().eval(), path, options, tell)
