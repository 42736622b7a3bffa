"""The encoder of a quick learner that is not the bundled one, with its projection to fewer values."""

import hashlib
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from histowidgets.errors import BackboneError, ClassifierError
from histowidgets.images import Image
from histowidgets.models import encoder_without_weights, find_backbone
from histowidgets.prediction.pixel_models._feature_cache import FeatureCache
from histowidgets.prediction.pixel_models._feature_store import FeatureStore, feature_key
from histowidgets.prediction.pixel_models._frozen_encoder import (
    FrozenEncoder,
    described,
    features_of,
    frozen_encoder,
)
from histowidgets.prediction.pixel_models._quick_features import sampled
from histowidgets.prediction.tiling import Tile

# Our own choices, not from a publication.
#: Encoders with more values than this for each pixel are projected to the first `PROJECTED` principal components.
WIDE, PROJECTED = 256, 64
#: Number of pixels that the components are fitted to.
PCA_PIXELS = 4096
#: More components than are kept, and power iterations: of the randomized decomposition (Halko et al. 2011).
_OVERSAMPLING, _ITERATIONS = 16, 4
#: An encoder of up to this size whose licence allows it is saved with the classifier, so that the folder is complete.
SAVED_BYTES = 128 << 20
#: Size of the cache of unprojected features, in bytes: one fit needs them twice.
RAW_BYTES = 256 << 20
#: Size of the cache of projections, in bytes; one takes less than a megabyte.
PROJECTION_BYTES = 16 << 20

_PREFIX = "weights."
_raw_cache: "FeatureCache[_Maps]" = FeatureCache(RAW_BYTES)


@dataclass(frozen=True)
class _Maps:
    maps: tuple[torch.Tensor, ...]

    @property
    def nbytes(self) -> int:
        return sum(one.numel() * one.element_size() for one in self.maps)


@dataclass(frozen=True, eq=False)
class Projection:
    """A projection to principal components.

    Attributes
    ----------
    weight : Tensor of float32, (components, values)
    bias : Tensor of float32, (components,)
    """

    weight: torch.Tensor
    bias: torch.Tensor

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the projection, so that features are kept if it is fitted again to the same pixels."""
        return hashlib.sha256(self.weight.numpy().tobytes() + self.bias.numpy().tobytes()).hexdigest()

    def apply(self, maps: Sequence[torch.Tensor]) -> torch.Tensor:
        """Project maps of different strides to one, (1, components, rows, cols), at the stride of the first.

        Enlarging is linear, so each map is projected first, which takes a fraction of the time.
        """
        parts = self.weight.split([one.shape[1] for one in maps], 1)
        size = maps[0].shape[-2:]
        total: torch.Tensor | None = None
        for part, one in zip(parts, maps, strict=True):
            found = torch.nn.functional.conv2d(one.float(), part[:, :, None, None])
            if found.shape[-2:] != size:
                found = torch.nn.functional.interpolate(found, size=size, mode="bilinear", align_corners=False)
            total = found if total is None else total + found
        assert total is not None
        return total + self.bias[:, None, None]


@dataclass(frozen=True, eq=False)
class _Fitted:
    """A projection, and the images that it was fitted to."""

    projection: Projection
    images: list["weakref.ref[Image]"]

    @property
    def nbytes(self) -> int:
        return self.projection.weight.numel() * self.projection.weight.element_size()


_projections: FeatureCache[_Fitted] = FeatureCache(PROJECTION_BYTES)


class QuickEncoder:
    """A frozen encoder as the source of the deep features of a quick learner.

    Parameters
    ----------
    encoder : FrozenEncoder
    projection : Projection, optional
    store : FeatureStore, optional
        Where to keep features between sessions.
    """

    centred = True

    def __init__(
        self, encoder: FrozenEncoder, projection: Projection | None = None, store: FeatureStore | None = None
    ) -> None:
        self.encoder, self.projection, self.store = encoder, projection, store

    @property
    def token(self) -> object:
        """Key that distinguishes its features from those of others."""
        return (self.encoder.digest, self.encoder.early, None if self.projection is None else self.projection.digest)

    def __call__(self, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Compute the feature maps of (1, C, H, W) in [0, 1]; H and W are multiples of 16."""
        return self._projected(self._kept(pixels))

    def of_tile(self, tile: Tile, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Compute the feature maps of a tile with these pixels, from its cached ones if available."""
        return self._projected(self.raw(tile, pixels))

    def raw(self, tile: Tile, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the maps of a tile before the projection."""
        if not tile.keep:
            return self._kept(pixels)
        key = (self.encoder.digest, self.encoder.early, tile.key)
        return _raw_cache.get(tile.image, key, lambda: _Maps(self._kept(pixels))).maps

    def _projected(self, maps: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return maps if self.projection is None else (self.projection.apply(maps),)

    def _kept(self, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the maps from disk, or compute and keep them."""
        if self.store is None:
            return features_of(self.encoder, pixels)
        key = feature_key(pixels, f"{self.encoder.digest} {self.encoder.early}")
        maps = self.store.get(key)
        if maps is None:
            maps = features_of(self.encoder, pixels)
            self.store.put(key, maps)
        return maps

    def fitted(self, tiles: Sequence[Tile], seed: int) -> "QuickEncoder":
        """Return the encoder with a projection fitted to tiles, if it has many values; else itself.

        The pixels are drawn from the tiles whatever is painted there, so that a stroke more changes nothing.
        """
        if self.encoder.width <= WIDE or not tiles:
            return self
        first, images = tiles[0].image, [tile.image for tile in tiles]
        key = (self.encoder.digest, self.encoder.early, seed, tuple(tile.key for tile in tiles))
        known = _projections.find(first, key)
        if known is None or [reference() for reference in known.images] != images:
            projection = self._projection_of(tiles, seed)
            known = _Fitted(projection, [weakref.ref(image) for image in images])
            _projections.put(first, key, known)
        return QuickEncoder(self.encoder, known.projection, self.store)

    def _projection_of(self, tiles: Sequence[Tile], seed: int) -> Projection:
        each = max(1, PCA_PIXELS // len(tiles))
        samples = []
        for number, tile in enumerate(tiles):
            points = np.random.default_rng([seed, 4, number]).random((each, 2))
            maps = self.raw(tile, torch.from_numpy(tile.read())[None])
            samples.append(sampled(maps, torch.from_numpy(points).float()))
        return principal_components(torch.cat(samples), PROJECTED, seed)

    def spec(self) -> dict[str, Any]:
        """Return what is needed, besides the tensors, to restore it, for JSON."""
        return {**described(self.encoder), "saved": self._is_saved}

    @property
    def _is_saved(self) -> bool:
        card = self.encoder.card
        return bool(card.commercial_use) and not card.gated and self.encoder.nbytes <= SAVED_BYTES

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the projection, and the weights if they may be given away and are small, by name."""
        found = {}
        if self._is_saved:
            state = self.encoder.encoder.state_dict()
            found = {f"{_PREFIX}{name}": value.cpu().numpy() for name, value in state.items()}
        if self.projection is not None:
            found["projection.weight"] = self.projection.weight.numpy()
            found["projection.bias"] = self.projection.bias.numpy()
        return found

    @classmethod
    def restore(cls, spec: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> "QuickEncoder":
        """Build the encoder from `spec` and `tensors`; weights that are not among them are those of the hub.

        Raises
        ------
        ClassifierError
            The weights are not available, are not those that the classifier was fitted with, or do not fit.
        """
        name = str(spec["backbone"])
        try:
            if spec.get("saved"):
                card = find_backbone(name)
                module = encoder_without_weights(card)
                own = {n.removeprefix(_PREFIX): t for n, t in tensors.items() if n.startswith(_PREFIX)}
                module.load_state_dict(own)
                encoder = FrozenEncoder(card, module, str(spec.get("weights", "restored")), bool(spec["early"]))
            else:
                encoder = frozen_encoder(name)
        except BackboneError as error:
            raise ClassifierError(
                f"This quick learner uses the encoder {name}, whose weights its folder does not hold, and they could "
                f"not be loaded ({error}). Fetch them with: histowidgets weights fetch {name}"
            ) from error
        if encoder.digest != spec.get("sha256"):
            raise ClassifierError(
                f"This quick learner was fitted with other weights of {name} than those that were loaded "
                f"({spec.get('weights')}). Fit it again, or load the classifier on a computer that has them."
            )
        projection = None
        if "projection.weight" in tensors:
            projection = Projection(tensors["projection.weight"], tensors["projection.bias"])
        return cls(encoder, projection)


def principal_components(values: torch.Tensor, number: int, seed: int) -> Projection:
    """Fit a projection to the first principal components of standardized values.

    Source: Halko, Martinsson & Tropp 2011, "Finding structure with randomness", algorithm 4.4. It takes a fraction of
    the time of a full decomposition, and with its own random numbers leaves torch's generator alone.

    Parameters
    ----------
    values : Tensor of float32, (N, values)
    number : int
        Most components to keep.
    seed : int
    """
    mean, std = values.mean(0), values.std(0, unbiased=False) + 1e-4
    x = (values - mean) / std
    kept = min(number, len(x) - 1, x.shape[1])
    generator = torch.Generator().manual_seed(seed)
    q = torch.randn(x.shape[1], min(kept + _OVERSAMPLING, *x.shape), generator=generator)
    for _ in range(_ITERATIONS):
        q = torch.linalg.qr(x.T @ torch.linalg.qr(x @ q)[0])[0]
    _, _, vectors = torch.linalg.svd(x @ q, full_matrices=False)
    weight = (q @ vectors.T[:, :kept]).T / std
    return Projection(weight.contiguous(), -(weight @ mean))


def forget_raw_features() -> None:
    """Drop the features and projections that are cached in memory."""
    _raw_cache.clear()
    _projections.clear()
