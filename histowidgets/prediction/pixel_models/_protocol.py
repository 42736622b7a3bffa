"""What a classifier needs from the model inside it."""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np

from histowidgets.prediction.tiling import Tile

#: Largest side of a tile of a network, at the classifier's downsample: larger tiles waste less on context, smaller ones
#: need less memory.
NETWORK_TILE = 640

#: Pixels of real context that a network is given on each side of the part of a tile that is used, where the image has
#: them.
NETWORK_CONTEXT = 56

#: Tiles that a network is given at once: on a CPU a batch gains nothing, on a GPU it keeps the device busy.
BATCH_ON_CPU, BATCH_ON_GPU = 1, 8

#: Pixels of an image, or of a region that is predicted, up to which the features of all of it are kept.
KEPT_PIXELS = 4_200_000


class PixelModel(Protocol):
    """Turns pixels into class probabilities; safe to use from several threads at once."""

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
        """Sides of its input are multiples of this."""
        ...

    @property
    def output_stride(self) -> int:
        """Input pixels per value of its output, along each side; divides `multiple`."""
        ...

    @property
    def context(self) -> int:
        """Input pixels of real context that it needs on each side of the part of a tile that is used."""
        ...

    @property
    def largest_tile(self) -> int:
        """Longest side of a tile."""
        ...

    @property
    def batch_size(self) -> int:
        """Number of tiles that it is given at once."""
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
            Sums over K are 1.
        """
        ...

    def spec(self) -> dict[str, Any]:
        """Return what is needed, besides the tensors, to build the model again: plain values for JSON."""
        ...

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the weights by name."""
        ...


@runtime_checkable
class RemembersTiles(Protocol):
    """A model that keeps what it computed for a tile, and so needs to know which tile it is given."""

    def tile_probabilities(self, tile: Tile) -> np.ndarray:
        """Compute the probabilities of one tile: float32 (K, H / output_stride, W / output_stride)."""
        ...


@runtime_checkable
class AnswersFast(Protocol):
    """A model that has a faster way to compute, and can return labels without probabilities."""

    def fastest(self, side: int, tiles: int) -> Callable[[np.ndarray, bool], np.ndarray]:
        """Return the fastest way to predict `tiles` tiles of `side` x `side` pixels.

        Returns
        -------
        callable
            From a batch as `PixelModel.probabilities` takes it, and whether labels are wanted, to probabilities, or
            to labels: uint8 (N, H / output_stride, W / output_stride).
        """
        ...
