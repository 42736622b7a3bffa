"""Convert a network to an ONNX file, and check that both give the same output."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from histowidgets.errors import ClassifierError
from histowidgets.prediction.onnx._files import EXPORT_OPSET, needed
from histowidgets.prediction.onnx._metadata import KEY

#: Side of the input that the network is traced with, in pixels.
EXAMPLE_SIDE = 64
#: Height and width of the input that the file is checked with; they differ from those of tracing.
_CHECK_SHAPE = (96, 128)
#: Largest accepted difference between the outputs, as a share of their largest value.
_CHECK_TOLERANCE = 2e-3

TRACING, CHECKING = "tracing the network", "comparing the file with the network"


@dataclass(frozen=True)
class GraphOptions:
    """Options of an ONNX file.

    Attributes
    ----------
    names : (str, str)
        Names of the input and the output.
    softmax : bool
        Whether the output is probabilities rather than logits.
    card : str or None
        Description of how to use the model, written into the file; see `card_text`.
    """

    names: tuple[str, str] = ("pixels", "probabilities")
    softmax: bool = True
    card: str | None = None


def write_graph(network: Any, path: Path, options: GraphOptions, tell: Callable[[str], None]) -> None:
    """Export a network as ONNX, from pixels (N, C, H, W) in [0, 1] to probabilities or logits (N, K, H, W).

    Tracing changes torch's global state, so that optimizers in other threads would fail.

    Parameters
    ----------
    network : Network
        In evaluation mode, on the CPU.
    path : Path
    options : GraphOptions
    tell : callable
        Called with `TRACING` and `CHECKING` as these begin.

    Raises
    ------
    ClassifierError
        If torch cannot export the network, or the output of the file differs.
    OSError
        If the file cannot be written.
    """
    import torch

    tell(TRACING)
    model = torch.nn.Sequential(network, torch.nn.Softmax(1)).eval() if options.softmax else network
    example = torch.zeros(1, network.spec.n_channels, EXAMPLE_SIDE, EXAMPLE_SIDE)
    any_size = torch.export.Dim.DYNAMIC
    program = torch.onnx.export(
        model,
        (example,),
        input_names=[options.names[0]],
        output_names=[options.names[1]],
        opset_version=EXPORT_OPSET,
        dynamo=True,
        dynamic_shapes=({0: any_size, 2: any_size, 3: any_size},),
        verbose=False,
    )
    if program is None:
        raise ClassifierError("The network could not be exported. Save it with classifier.save(folder) instead.")
    if options.card is not None:
        program.model.metadata_props[KEY] = options.card
    program.save(str(path))
    tell(CHECKING)
    _compare(model, path, network.spec.n_channels)


def _compare(model: Any, path: Path, n_channels: int) -> None:
    """Check that a file gives the network's output; without onnxruntime, check only its structure."""
    import torch

    try:
        runtime = needed("onnxruntime")
    except ClassifierError:
        needed("onnx.checker").check_model(str(path))
        return
    pixels = np.random.default_rng(0).random((1, n_channels, *_CHECK_SHAPE), dtype=np.float32)
    with torch.inference_mode():
        expected = model(torch.from_numpy(pixels)).numpy()
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {session.get_inputs()[0].name: pixels})
    scale = max(1.0, float(np.abs(expected).max()))
    if found.shape != expected.shape or not np.allclose(found, expected, rtol=0, atol=_CHECK_TOLERANCE * scale):
        by = "" if found.shape != expected.shape else f" by up to {float(np.abs(found - expected).max()):.3g}"
        raise ClassifierError(
            f"The output of the exported file differs from the network's{by}, so the file was not kept. "
            "Save the classifier with classifier.save(folder) instead."
        )
