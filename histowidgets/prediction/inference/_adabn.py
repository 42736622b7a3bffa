"""Batch norm that is measured again on another image (row N11).

Source: Li et al., "Revisiting batch normalization for practical domain adaptation" (AdaBN), 2016.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from histowidgets.errors import ClassifierError, PredictionError
from histowidgets.images import Image, Region
from histowidgets.prediction._limits import ADAPT_BATCH, ADAPT_TILES
from histowidgets.prediction.inference._channels import match_channels
from histowidgets.prediction.pixel_models import MeanModel, NetworkModel, PixelModel
from histowidgets.prediction.tiling import Tile

if TYPE_CHECKING:
    from histowidgets.prediction._classifier import Classifier


def adapted(
    classifier: "Classifier", images: Sequence[Image], region: Region | None, seed: int, share: float
) -> PixelModel:
    """Return the model with its norm statistics measured on images, of a mean the network's part; see `adapted_to`."""
    model = classifier.model
    if isinstance(model, MeanModel) and any(part.kind == "network" for part in classifier.parts):
        members = [
            member._replace(model=adapted(part, images, region, seed, share)) if part.kind == "network" else member
            for part, member in zip(classifier.parts, model.members, strict=True)
        ]
        return MeanModel(members)
    if not isinstance(model, NetworkModel):
        raise ClassifierError(f"A classifier of kind {classifier.kind!r} has no batch norm. Train a network first.")
    if not images:
        raise PredictionError("Norm statistics need at least one image; none was given.")
    network = model.network().eval().requires_grad_(False)
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm) and m.track_running_stats]
    if not norms:
        raise ClassifierError("This network has no batch norm that could be measured again. Predict with it as it is.")
    if not 0 < share <= 1:
        raise PredictionError(f"share is {share:g}; more than 0, and 1 at most, is wanted.")
    momenta = [norm.momentum for norm in norms]
    before = [[statistic.clone() for statistic in _statistics(norm)] for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over all batches
        norm.train()
    tiles = _tiles(classifier, images, region, np.random.default_rng(seed))
    device = network.input_mean.device
    with torch.inference_mode():
        for first in range(0, len(tiles), ADAPT_BATCH):
            batch = np.stack([_read(classifier, *tile) for tile in tiles[first : first + ADAPT_BATCH]])
            network(torch.from_numpy(batch).to(device))
    for norm, momentum, old in zip(norms, momenta, before, strict=True):
        norm.momentum = momentum
        for measured, earlier in zip(_statistics(norm), old, strict=True):
            measured.copy_(torch.lerp(earlier, measured, share))
    return NetworkModel(network, owned=True)


def _statistics(norm: nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
    mean, variance = norm.running_mean, norm.running_var
    if not isinstance(mean, torch.Tensor) or not isinstance(variance, torch.Tensor):
        raise ClassifierError("A norm layer has no statistics.")
    return mean, variance


def _tiles(
    classifier: "Classifier", images: Sequence[Image], region: Region | None, rng: np.random.Generator
) -> list[tuple[Image, Region, Region]]:
    """Choose places, spread over each image: what is read, and what it has to lie in."""
    side = classifier.tile_size * classifier.downsample
    share = max(1, ADAPT_TILES // len(images))
    found = []
    for image in images:
        within = image.region if region is None else region
        n = max(1, min(share, -(-4 * within.area // side**2)))
        for i in range(n):
            # Strata along the image's longer way, so that no part of it is left out.
            x = within.x + int((i + rng.random()) / n * max(within.width - side, 0))
            y = within.y + int(rng.random() * max(within.height - side, 0))
            found.append((image, Region(x, y, side, side), within))
    rng.shuffle(found)
    return found


def _read(classifier: "Classifier", image: Image, tile: Region, within: Region) -> np.ndarray:
    channels = match_channels(classifier.channel_names, image.channel_names, image.name)
    return Tile(image, tile, classifier.normalization, classifier.downsample, channels, within).read()
