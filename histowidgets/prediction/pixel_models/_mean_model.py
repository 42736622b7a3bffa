"""An ensemble: several models whose probabilities are averaged, with weights."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional

from histowidgets.errors import ClassifierError
from histowidgets.prediction.pixel_models._protocol import AnswersFast, PixelModel, RemembersTiles
from histowidgets.prediction.pixel_models._registry import restored_model
from histowidgets.prediction.pixel_models._temperature import softened, stored_temperature
from histowidgets.prediction.tiling import Tile

#: Maximum number of models in an ensemble.
MOST_MEMBERS = 8

#: Largest extra downsample of a member, since downsamples range from 1 to 8.
MOST_FACTOR = 8

_Ask = Callable[[np.ndarray], np.ndarray]


class Member(NamedTuple):
    """A model of an ensemble.

    Attributes
    ----------
    model : PixelModel
    factor : int
        The factor by which it downsamples the input of the ensemble (1: not at all).
    weight : float
        Its weight in the mean, above 0, relative to the other members.
    """

    model: PixelModel
    factor: int
    weight: float = 1.0


class MeanModel:
    """An ensemble: the weighted mean of several models' probabilities, at the finest of their resolutions.

    Models of different kinds make errors in different places, so that their mean makes fewer than each of them
    (Hansen and Salamon 1990, "Neural network ensembles").

    Parameters
    ----------
    members : sequence of Member
        Two or more, with the same classes and channels; none may be an ensemble.

    Raises
    ------
    ClassifierError
        If the members do not fit together.
    """

    kind = "mean"

    def __init__(self, members: Sequence[Member], temperature: float = 1.0) -> None:
        self.members = tuple(members)
        self.temperature = temperature
        models = [member.model for member in members]
        if not 2 <= len(models) <= MOST_MEMBERS:
            raise ClassifierError(f"An ensemble has 2 to {MOST_MEMBERS} models, not {len(models)}.")
        if any(model.kind == self.kind for model in models):
            raise ClassifierError("An ensemble cannot contain an ensemble: give its parts instead.")
        for what, numbers in (
            ("classes", {model.n_classes for model in models}),
            ("channels", {model.n_channels for model in models}),
        ):
            if len(numbers) > 1:
                raise ClassifierError(f"The models have different numbers of {what}: {sorted(numbers)}.")
        if not all(0 < member.weight < math.inf for member in members):
            raise ClassifierError(f"A weight must be above 0; the weights are {[member.weight for member in members]}.")
        total = sum(member.weight for member in members)
        self.weights = tuple(member.weight / total for member in members)
        self.n_classes, self.n_channels = models[0].n_classes, models[0].n_channels
        self.multiple = math.lcm(*(model.multiple * factor for model, factor, _ in members))
        self.output_stride = math.gcd(*(model.output_stride * factor for model, factor, _ in members))
        self.context = max(model.context * factor for model, factor, _ in members)
        largest = min(model.largest_tile * factor for model, factor, _ in members)
        self.largest_tile = largest // self.multiple * self.multiple
        self.batch_size = max(model.batch_size for model in models)

    def with_temperature(self, temperature: float) -> "MeanModel":
        """Return the model with softer probabilities; see `PixelModel`."""
        return MeanModel(self.members, self.temperature * temperature)

    def probabilities(self, batch: np.ndarray) -> np.ndarray:
        """Compute probabilities; see `PixelModel`."""
        answers = [model.probabilities(_smaller(batch, factor)) for model, factor, _ in self.members]
        return self._mean(answers, batch.shape[-2:])

    def tile_probabilities(self, tile: Tile) -> np.ndarray:
        """Compute the probabilities of a tile, using the caches of the members; see `RemembersTiles`."""
        pixels = tile.read()[None]
        answers = []
        for model, factor, _ in self.members:
            if factor == 1 and isinstance(model, RemembersTiles):
                answers.append(model.tile_probabilities(tile)[None])
            else:
                answers.append(model.probabilities(_smaller(pixels, factor)))
        answer: np.ndarray = self._mean(answers, pixels.shape[-2:])[0]
        return answer

    def fastest(self, side: int, tiles: int) -> Callable[[np.ndarray, bool], np.ndarray]:
        """Return the fastest way to predict tiles, chosen for each member; see `AnswersFast`."""
        ways = [(_fastest(model, side // factor, tiles), factor) for model, factor, _ in self.members]

        def compute(batch: np.ndarray, labels: bool) -> np.ndarray:
            mean = self._mean([way(_smaller(batch, factor)) for way, factor in ways], batch.shape[-2:])
            return mean.argmax(1).astype(np.uint8) if labels else mean

        return compute

    def _mean(self, answers: Sequence[np.ndarray], size: Sequence[int]) -> np.ndarray:
        rows, cols = (side // self.output_stride for side in size)
        total = torch.zeros(())
        with torch.inference_mode():
            for answer, weight in zip(answers, self.weights, strict=True):
                one = torch.from_numpy(answer).float()
                if one.shape[-2:] != (rows, cols):
                    one = functional.interpolate(one, size=(rows, cols), mode="bilinear", align_corners=False)
                total = total + weight * one
            mean: np.ndarray = softened(total, self.temperature).numpy()
        return mean

    def spec(self) -> dict[str, Any]:
        """Return the specs of the members, for JSON."""
        members = [
            {"kind": model.kind, "factor": factor, "weight": weight, "model": model.spec()}
            for model, factor, weight in self.members
        ]
        return {"members": members} | ({"temperature": self.temperature} if self.temperature != 1 else {})

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the weights of all members, with names that begin with the member's number."""
        parts = [(i, member.model.tensors()) for i, member in enumerate(self.members)]
        return {f"{i}.{name}": value for i, tensors in parts for name, value in tensors.items()}

    @classmethod
    def restore(cls, spec: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> "MeanModel":
        """Build the model from `spec` and `tensors`.

        Raises
        ------
        ClassifierError
            If `spec` and `tensors` do not fit together.
        """
        described = spec["members"]
        if not isinstance(described, list) or not 2 <= len(described) <= MOST_MEMBERS:
            raise ClassifierError(f"An ensemble has 2 to {MOST_MEMBERS} models.")
        members = []
        for i, one in enumerate(described):
            kind, factor, weight = str(one["kind"]), one["factor"], one.get("weight", 1.0)
            if kind == cls.kind:  # before building it, since a file could nest ensembles endlessly
                raise ClassifierError("An ensemble cannot contain an ensemble.")
            if type(factor) is not int or not 1 <= factor <= MOST_FACTOR:
                raise ClassifierError(f"A member has the downsample factor {factor!r}; expected 1 to {MOST_FACTOR}.")
            if type(weight) not in (int, float):
                raise ClassifierError(f"A member has the weight {weight!r}; expected a number above 0.")
            own = {n.removeprefix(f"{i}."): t for n, t in tensors.items() if n.startswith(f"{i}.")}
            members.append(Member(restored_model(kind, one["model"], own), factor, float(weight)))
        return cls(members, stored_temperature(spec))


def _smaller(batch: np.ndarray, factor: int) -> np.ndarray:
    """Downsample (N, C, H, W) as images are read, by averaging squares."""
    if factor == 1:
        return batch
    with torch.inference_mode():
        small: np.ndarray = functional.avg_pool2d(torch.from_numpy(batch), factor).numpy()
    return small


def _fastest(model: PixelModel, side: int, tiles: int) -> _Ask:
    if not isinstance(model, AnswersFast):
        return model.probabilities
    way = model.fastest(side, tiles)
    return lambda batch: way(batch, False)
