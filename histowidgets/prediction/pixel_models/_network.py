"""A trained network as the model of a classifier."""

import threading
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, cast

import numpy as np
import torch

from histowidgets.errors import BackboneError, ClassifierError
from histowidgets.models import ComputeFormat, Network, NetworkSpec, build_network
from histowidgets.prediction.pixel_models._global_pooling import mixes_its_tile
from histowidgets.prediction.pixel_models._precision import (
    fastest_inference,
    in_layout,
    inference_autocast,
    prepared,
)
from histowidgets.prediction.pixel_models._protocol import (
    BATCH_ON_CPU,
    BATCH_ON_GPU,
    NETWORK_CONTEXT,
    NETWORK_TILE,
)
from histowidgets.prediction.pixel_models._registry import restored_model

#: Number of tiles from which a network searches for its fastest way to compute.
PROBE_FROM_TILES = 12


class NetworkModel:
    """A network for prediction, as the model of a classifier.

    Parameters
    ----------
    network : Network
        Copied, so that the original can be trained further.
    owned : bool, default False
        Use the network itself instead of a copy; the caller must not change it afterwards.
    """

    kind = "network"
    multiple = Network.multiple
    output_stride = 1
    context = NETWORK_CONTEXT
    largest_tile = NETWORK_TILE

    def __init__(self, network: Network, owned: bool = False) -> None:
        self._network = (network if owned else deepcopy(network)).eval().requires_grad_(False)
        self._device = self._network.input_mean.device
        if mixes_its_tile(self._network):
            self.largest_tile = self.multiple  # tiles are then as large as in training, never larger
        self._prepared: dict[ComputeFormat | None, torch.nn.Module] = {None: self._network}
        self._preparing = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle by the values that a classifier's folder holds."""
        return restored_model, (self.kind, self.spec(), self.tensors())

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return self._network.spec.n_classes

    @property
    def n_channels(self) -> int:
        """Number of input channels."""
        return self._network.spec.n_channels

    @property
    def batch_size(self) -> int:
        """Number of tiles that are predicted at once."""
        return BATCH_ON_CPU if self._device.type == "cpu" else BATCH_ON_GPU

    def network(self) -> Network:
        """Return a copy of the network in training mode, to train it further."""
        return deepcopy(self._network).requires_grad_(True).train()

    def with_temperature(self, temperature: float) -> "NetworkModel":
        """Return the model with softer probabilities; see `PixelModel`.

        The last layer is linear, so its weights take the temperature in, and so does every export.
        """
        network = deepcopy(self._network)
        head = cast(torch.nn.Module, network.core.segmentation_head)
        last = [layer for layer in head.modules() if isinstance(layer, torch.nn.Conv2d)][-1]
        for values in (last.weight, last.bias):
            if values is not None:
                values.div_(temperature)
        return NetworkModel(network, owned=True)

    def probabilities(self, batch: np.ndarray) -> np.ndarray:
        """Compute probabilities; see `PixelModel`."""
        return self._compute(None, batch, labels=False)

    def fastest(self, side: int, tiles: int) -> Callable[[np.ndarray, bool], np.ndarray]:
        """Return the fastest way to predict tiles; see `AnswersFast`.

        For few tiles the search would take longer than it saves, so small regions are always computed in fp32.
        """
        chosen: ComputeFormat | None = None
        if tiles >= PROBE_FROM_TILES:
            chosen = fastest_inference(self._network, (self.batch_size, self.n_channels, side, side))
        return lambda batch, labels: self._compute(chosen, batch, labels)

    def _compute(self, chosen: ComputeFormat | None, batch: np.ndarray, labels: bool) -> np.ndarray:
        with self._preparing:
            if chosen not in self._prepared:
                self._prepared[chosen] = prepared(self._network, chosen)
            network = self._prepared[chosen]
        with torch.inference_mode(), inference_autocast(chosen, self._device):
            logits = network(in_layout(torch.from_numpy(batch).to(self._device), chosen))
        with torch.inference_mode():
            found = logits.argmax(1).to(torch.uint8) if labels else logits.float().softmax(1)
            answer: np.ndarray = found.cpu().numpy()
        return answer

    def spec(self) -> dict[str, Any]:
        """Return the network's spec, for JSON."""
        return {"network": self._network.spec.to_dict(), "weights_used": self._network.weights_used}

    def tensors(self) -> dict[str, np.ndarray]:
        """Return weights and buffers by name."""
        return {name: value.cpu().numpy() for name, value in self._network.state_dict().items()}

    @classmethod
    def restore(cls, spec: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> "NetworkModel":
        """Build the model from `spec` and `tensors`.

        Raises
        ------
        ClassifierError
            If `spec` and `tensors` do not fit together.
        """
        try:
            network = build_network(NetworkSpec.from_dict(spec["network"]), pretrained=False)
            network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in tensors.items()})
        except (KeyError, TypeError, RuntimeError, BackboneError) as error:
            raise ClassifierError(f"The weights do not fit the description of the network: {error}") from error
        network.weights_used = str(spec.get("weights_used", "restored"))
        return cls(network, owned=True)
