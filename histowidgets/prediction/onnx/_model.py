"""A network from an ONNX file as the model of a classifier."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from histowidgets.errors import ClassifierError
from histowidgets.prediction.onnx._files import needed, require_known_opset, require_self_contained, with_external_data
from histowidgets.prediction.onnx._metadata import read_card
from histowidgets.prediction.pixel_models import BATCH_ON_CPU, NETWORK_CONTEXT, NETWORK_TILE, restored_model

_MULTIPLE = 32
_NAME_THEM = " Name all channels, in the order of the model's input: channel_names=[…]."


class OnnxModel:
    """A network from an ONNX file as the model of a classifier.

    It must have one input (N, C, H, W) in [0, 1], and one output (N, K, H / s, W / s) of logits or probabilities; which
    of the two is found by running it once.

    Parameters
    ----------
    content : bytes
        Content of the file.
    n_channels, n_classes : int
        The numbers of channels and classes that the model must have.

    Attributes
    ----------
    side : int or None
        Side of its tiles in pixels; None if it accepts any.

    Raises
    ------
    ClassifierError
        If onnxruntime is missing, the file is not ONNX, or its opset or its shapes do not fit.
    """

    kind = "onnx"
    context = NETWORK_CONTEXT

    def __init__(self, content: bytes, n_channels: int, n_classes: int) -> None:
        runtime = needed("onnxruntime")
        require_self_contained(content)
        require_known_opset(content)
        try:
            self._session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise ClassifierError(f"This is not an ONNX model that can be run: {error}") from error
        self._content, self.n_channels, self.n_classes = content, n_channels, n_classes
        self.side = side = self._checked_side()
        self.batch_size = self._checked_batch()
        self.multiple = side or _MULTIPLE
        self.largest_tile = side or _largest_tile(content)
        self.output_stride, self._softmax = self._probed(side or 2 * _MULTIPLE)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle by the values that a classifier's folder holds."""
        return restored_model, (self.kind, self.spec(), self.tensors())

    def _checked_side(self) -> int | None:
        """Check the input; return its side if fixed."""
        inputs = self._session.get_inputs()
        shape = inputs[0].shape if inputs else []
        if len(inputs) != 1 or len(shape) != 4 or inputs[0].type != "tensor(float)":
            raise ClassifierError(
                f"The model takes {[(i.name, i.shape, i.type) for i in inputs]}; expected one float input "
                "(batch, channels, height, width)."
            )
        if isinstance(shape[1], int) and shape[1] != self.n_channels:
            hint = (
                " Its channels seem to be last; export it with channels second." if shape[3] == self.n_channels else ""
            )
            raise ClassifierError(
                f"The model takes {shape[1]} channel(s), but {self.n_channels} were named.{hint or _NAME_THEM}"
            )
        sides = [n for n in shape[2:] if isinstance(n, int)]
        if sides and (len(sides) == 1 or sides[0] != sides[1]):
            raise ClassifierError(
                f"The model takes tiles of {shape[2]} x {shape[3]}; expected square or variable ones."
            )
        return sides[0] if sides else None

    def _checked_batch(self) -> int:
        """Check the model's batch size; return the one to use."""
        batch = self._session.get_inputs()[0].shape[0]
        if isinstance(batch, int) and batch != 1:
            raise ClassifierError(f"The model takes batches of {batch} tiles; expected batches of 1, or of any size.")
        return 1 if batch == 1 else BATCH_ON_CPU

    def _probed(self, side: int) -> tuple[int, bool]:
        """Run the model once; return its output stride, and whether it returns logits."""
        pixels = np.random.default_rng(0).random((1, self.n_channels, side, side), dtype=np.float32)
        try:
            answer = self._run(pixels)
        except Exception as error:
            raise ClassifierError(f"The model cannot be run on {side} x {side} pixels: {error}") from error
        if answer.ndim != 4 or answer.shape[1] != self.n_classes:
            raise ClassifierError(
                f"The model returns {answer.shape}; expected (batch, {self.n_classes} classes, height, width). "
                "Name as many classes as it has."
            )
        stride = side // answer.shape[2]
        if answer.shape[2:] != (side // stride, side // stride) or side % stride:
            raise ClassifierError(
                f"The model returns {answer.shape[2:]} for {side} x {side} pixels: the stride is not a whole number."
            )
        probabilities = bool(answer.min() >= 0 and np.allclose(answer.sum(1), 1, atol=1e-3))
        return stride, not probabilities

    def _run(self, batch: np.ndarray) -> np.ndarray:
        answer: np.ndarray = self._session.run(None, {self._session.get_inputs()[0].name: batch})[0]
        return answer

    def with_temperature(self, temperature: float) -> NoReturn:
        """Refuse: the file's graph is taken as it is."""
        raise ClassifierError(
            "A classifier from an ONNX file cannot be calibrated. Calibrate the original, then export it again."
        )

    def probabilities(self, batch: np.ndarray) -> np.ndarray:
        """Compute probabilities; see `PixelModel`."""
        answer = self._run(np.ascontiguousarray(batch))
        if not self._softmax:
            return answer
        answer = np.exp(answer - answer.max(1, keepdims=True))
        normalized: np.ndarray = answer / answer.sum(1, keepdims=True)
        return normalized

    def spec(self) -> dict[str, Any]:
        """Return everything but the tensors, for JSON."""
        return {"n_channels": self.n_channels, "n_classes": self.n_classes}

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the content of the file."""
        return {"onnx": np.frombuffer(self._content, np.uint8)}

    @classmethod
    def restore(cls, spec: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> "OnnxModel":
        """Build the model from `spec` and `tensors`."""
        return cls(tensors["onnx"].tobytes(), int(spec["n_channels"]), int(spec["n_classes"]))


def _largest_tile(content: bytes) -> int:
    """Return the largest tile for a network, from its card if there is one."""
    with suppress(ClassifierError):
        card = read_card(content)
        return NETWORK_TILE if card is None else card.largest_tile
    return NETWORK_TILE


def read_onnx(path: Path) -> bytes:
    """Read a model from a file, with the weights in files beside it.

    Raises
    ------
    ClassifierError
        If the file cannot be read, or is not ONNX.
    """
    try:
        return with_external_data(path)
    except OSError as error:
        raise ClassifierError(f"{path} cannot be read: {error.strerror or error}.") from error
