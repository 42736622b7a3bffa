"""AdaBN: recompute the batch-norm statistics of a network on other images, without training.

Source: Li et al., "Revisiting batch normalization for practical domain adaptation" (AdaBN), 2016.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from histowidgets.errors import ClassifierError, PredictionError
from histowidgets.images import Image, Region, ResampledImage
from histowidgets.prediction._spec import ClassifierSpec
from histowidgets.prediction.inference._channels import match_channels
from histowidgets.prediction.inference._job import checked_region, seen_image
from histowidgets.prediction.pixel_models import MeanModel, NetworkModel, PixelModel
from histowidgets.prediction.tiling import Tile

#: Number of tiles on which the statistics are measured, and the batch size (small batches make them noisy).
ADAPT_TILES, ADAPT_BATCH = 64, 8


def adapted(
    spec: ClassifierSpec, images: Sequence[Image], region: Sequence[int] | None, seed: int, share: float
) -> ClassifierSpec:
    """Return a classifier with batch-norm statistics measured on images; see `Classifier.adapted_to`."""
    places = [_place(spec, image, None if region is None else checked_region(image, region)) for image in images]
    names = [image.name for image in images]
    return replace(
        spec,
        model=_adapted_model(spec, places, seed, share),
        scores={"adapted_to": names, "before_adaptation": spec.scores},
        trained_on={**spec.trained_on, "norm_statistics_of": names},
        name=f"{spec.name} (adapted to {', '.join(names)})".strip(),
    )


_Place = tuple[Image, Region]
"""An image at the classifier's pixel size, and the region to measure."""


def _place(spec: ClassifierSpec, image: Image, region: Region | None) -> _Place:
    seen = seen_image(spec, image)
    if region is None:
        return seen, seen.region
    return seen, (seen.inside(region) or seen.around(region)) if isinstance(seen, ResampledImage) else region


def _adapted_model(spec: ClassifierSpec, places: Sequence[_Place], seed: int, share: float) -> PixelModel:
    """Recompute the batch-norm statistics of a network, or of the networks in an ensemble."""
    model, parts = spec.model, spec.parts
    if isinstance(model, MeanModel) and any(part.kind == "network" for part in parts):
        return MeanModel(
            [
                member._replace(model=_adapted_model(part, places, seed, share)) if part.kind == "network" else member
                for part, member in zip(parts, model.members, strict=True)
            ]
        )
    if not isinstance(model, NetworkModel):
        raise ClassifierError(f"A classifier of kind {spec.kind!r} has no batch norm. Train a network first.")
    if not places:
        raise PredictionError("No image was given; batch-norm statistics need at least one.")
    network = model.network().eval().requires_grad_(False)
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm) and m.track_running_stats]
    if not norms:
        raise ClassifierError("This network has no batch norm, so it cannot be adapted. Use it without adapting.")
    if not 0 < share <= 1:
        raise PredictionError(f"share is {share:g}; expected a number above 0 and up to 1.")
    momenta = [norm.momentum for norm in norms]
    before = [[statistic.clone() for statistic in _statistics(norm)] for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # average equally over all batches
        norm.train()
    tiles = _tiles(spec, places, np.random.default_rng(seed))
    device = network.input_mean.device
    with torch.inference_mode():
        for first in range(0, len(tiles), ADAPT_BATCH):
            batch = np.stack([_read(spec, *tile) for tile in tiles[first : first + ADAPT_BATCH]])
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
    spec: ClassifierSpec, places: Sequence[_Place], rng: np.random.Generator
) -> list[tuple[Image, Region, Region]]:
    """Choose tiles spread over each image; return the image, the tile, and the region that contains it."""
    side = spec.tile_size * spec.downsample
    share = max(1, ADAPT_TILES // len(places))
    found = []
    for image, within in places:
        n = max(1, min(share, -(-4 * within.area // side**2)))
        for i in range(n):
            # One tile from each vertical strip, so that no part of the image is left out.
            x = within.x + int((i + rng.random()) / n * max(within.width - side, 0))
            y = within.y + int(rng.random() * max(within.height - side, 0))
            found.append((image, Region(x, y, side, side), within))
    rng.shuffle(found)
    return found


def _read(spec: ClassifierSpec, image: Image, tile: Region, within: Region) -> np.ndarray:
    channels = match_channels(spec.channel_names, image.channel_names, image.name)
    return Tile(image, tile, spec.normalization, spec.downsample, channels, within).read()
