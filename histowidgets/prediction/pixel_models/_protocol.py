"""The interface of the models inside classifiers."""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np

from histowidgets.prediction.tiling import Tile

#: Largest side of a network's tile in pixels, at the classifier's downsample: larger tiles waste less on context,
#: smaller ones need less memory.
NETWORK_TILE = 640

#: Pixels of context on each side of the used part of a network's tile, as far as the image extends.
NETWORK_CONTEXT = 56

#: Batch size of a network: on a CPU larger batches gain nothing, on a GPU they keep the device busy.
BATCH_ON_CPU, BATCH_ON_GPU = 1, 8

#: Number of pixels of an image or region up to which all its features are cached.
KEPT_PIXELS = 4_200_000


class PixelModel(Protocol):
    """A model that computes class probabilities from pixels; thread-safe."""

    @property
    def kind(self) -> str:
        """The kind of model: "network", "quick", "onnx" or "mean"."""
        ...

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        ...

    @property
    def n_channels(self) -> int:
        """Number of input channels."""
        ...

    @property
    def multiple(self) -> int:
        """The sides of its input must be multiples of this."""
        ...

    @property
    def output_stride(self) -> int:
        """Input pixels along each side of an output value; divides `multiple`."""
        ...

    @property
    def context(self) -> int:
        """Input pixels of context needed on each side of the used part of a tile."""
        ...

    @property
    def largest_tile(self) -> int:
        """Longest side of a tile, in pixels."""
        ...

    @property
    def batch_size(self) -> int:
        """Number of tiles to predict at once."""
        ...

    def with_temperature(self, temperature: float) -> "PixelModel":
        """Return a model whose probabilities are these to the power of 1 / `temperature`, scaled to the sum 1.

        Above 1 they are softer; the class of each pixel stays the same.

        Raises
        ------
        ClassifierError
            If the model cannot be changed, as one from an ONNX file.
        """
        ...

    def probabilities(self, batch: np.ndarray) -> np.ndarray:
        """Compute probabilities.

        Parameters
        ----------
        batch : ndarray of float32, (N, C, H, W)
            In [0, 1]; sides are multiples of `multiple`.

        Returns
        -------
        ndarray of float32, (N, K, H / output_stride, W / output_stride)
            The sum over K is 1.
        """
        ...

    def spec(self) -> dict[str, Any]:
        """Return what is needed, besides the tensors, to rebuild the model, as plain values for JSON."""
        ...

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the weights by name."""
        ...


@runtime_checkable
class RemembersTiles(Protocol):
    """A model that caches what it computes for a tile, and so needs to know the tile."""

    def tile_probabilities(self, tile: Tile) -> np.ndarray:
        """Compute the probabilities of one tile: float32 (K, H / output_stride, W / output_stride)."""
        ...


@runtime_checkable
class AnswersFast(Protocol):
    """A model with a faster way to compute, which can return labels without probabilities."""

    def fastest(self, side: int, tiles: int) -> Callable[[np.ndarray, bool], np.ndarray]:
        """Return the fastest way to predict `tiles` tiles of `side` x `side` pixels.

        Returns
        -------
        callable
            Takes a batch as `PixelModel.probabilities` does, and whether to return labels; returns probabilities, or
            labels as uint8 (N, H / output_stride, W / output_stride).
        """
        ...
