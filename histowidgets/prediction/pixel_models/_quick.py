"""The quick learner as the model of a classifier: the mean of two small networks on cached features."""

from collections.abc import Mapping, Sequence
from copy import copy
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from histowidgets.errors import ClassifierError
from histowidgets.images import Image, Normalization, Region
from histowidgets.models import DEFAULT_BACKBONE, NetworkSpec, build_network
from histowidgets.prediction.pixel_models._feature_cache import FeatureCache
from histowidgets.prediction.pixel_models._guided_filter import follow_edges
from histowidgets.prediction.pixel_models._protocol import KEPT_PIXELS
from histowidgets.prediction.pixel_models._quick_encoder import QuickEncoder, forget_raw_features
from histowidgets.prediction.pixel_models._quick_features import (
    DeepStages,
    QuickFeatures,
    as_three_channels,
    color_width,
    deep_stages,
    quick_features,
)
from histowidgets.prediction.pixel_models._temperature import softened, stored_temperature
from histowidgets.prediction.tiling import Tile, TileNeeds, plan_tiles

#: Largest side of a tile, and its context, in pixels; the widest filter reaches about 48 pixels.
QUICK_TILE, QUICK_CONTEXT = 800, 64

#: Side of the blocks, in pixels, into which an image larger than one tile is cut around the strokes.
QUICK_BLOCK = 256

#: Standard deviation of the smoothing, in full-size pixels, and the variance of the pixels (0 to 1) below which they
#: contain no edge.
QUICK_SMOOTHING, QUICK_EVEN = 8.0, 1e-4

#: Size of the cache of features, in bytes.
FEATURE_BYTES = 192 << 20

#: Weights (out, in) and biases (out,) of a small network, including the standardization of its inputs.
Layers = Sequence[tuple[torch.Tensor, torch.Tensor]]

_HEADS = ("pyramid", "deep", "color")
_STAGES = "stages."
_NEEDS = TileNeeds(multiple=16, output_stride=2, context=QUICK_CONTEXT, largest_tile=QUICK_TILE)
_cache: FeatureCache[QuickFeatures] = FeatureCache(FEATURE_BYTES)


class QuickModel:
    """Small multilayer perceptrons on textures, on features of a frozen encoder, and on colours, smoothed along edges.

    The first two have equal weights. The third has its own share; the larger it is, the weaker the smoothing.

    Parameters
    ----------
    pyramid, deep : sequence of (weight, bias)
        The layers of the first two, fitted by `histowidgets.training.quick_classifier`, with ReLU between them.
    n_channels : int
    stages : DeepStages or QuickEncoder, optional
        The frozen encoder; by default the shared one with the bundled weights.
    color : sequence of (weight, bias), optional
        The layers of the network on colours, which are the first `color_width` values of the textures.
    color_share : float, default 0
        Weight of its probabilities, 0 to 1.
    """

    kind = "quick"
    multiple, output_stride, context, largest_tile = _NEEDS
    batch_size = 1

    def __init__(
        self,
        pyramid: Layers,
        deep: Layers,
        n_channels: int,
        stages: DeepStages | QuickEncoder | None = None,
        *,
        color: Layers = (),
        color_share: float = 0.0,
        temperature: float = 1.0,
    ) -> None:
        self._heads = {"pyramid": list(pyramid), "deep": list(deep), "color": list(color)}
        self._stages = deep_stages() if stages is None else stages
        self.n_channels = n_channels
        self.n_classes = len(self._heads["deep"][-1][1])
        self.color_share = color_share if color else 0.0
        self.temperature = temperature

    def with_temperature(self, temperature: float) -> "QuickModel":
        """Return the model with softer probabilities; see `PixelModel`."""
        changed = copy(self)
        changed.temperature = self.temperature * temperature
        return changed

    def with_heads(self, pyramid: Layers, deep: Layers) -> "QuickModel":
        """Return the model with new networks on textures and on the encoder's features."""
        color = self._heads["color"]
        return QuickModel(pyramid, deep, self.n_channels, self._stages, color=color, color_share=self.color_share)

    def probabilities(self, batch: np.ndarray) -> np.ndarray:
        """Compute probabilities; see `PixelModel`."""
        return np.concatenate([self._answer(quick_features(_tensor(one), self._stages)) for one in batch])

    def tile_probabilities(self, tile: Tile) -> np.ndarray:
        """Compute the probabilities of a tile, from its cached features if available; see `RemembersTiles`."""
        answer: np.ndarray = self._answer(tile_features(tile, self._stages))[0]
        return answer

    @property
    def backbone(self) -> str:
        """The name of the frozen encoder."""
        return self._stages.encoder.card.name if isinstance(self._stages, QuickEncoder) else DEFAULT_BACKBONE

    def _answer(self, features: QuickFeatures) -> np.ndarray:
        with torch.inference_mode():
            smoothed = self._smoothed(features, self._found(features), self.output_stride)
            answer: np.ndarray = softened(smoothed, self.temperature).numpy()
        return answer

    def sure_places(self, features: QuickFeatures, least: float) -> tuple[np.ndarray, np.ndarray]:
        """Find the pixels of a tile of which the model is certain: smoothing does not change their class.

        Only one pixel in each 4 x 4 block is computed, which takes a quarter of the time.

        Parameters
        ----------
        features : QuickFeatures
            Features of the tile.
        least : float
            Least probability after smoothing, 0 to 1.

        Returns
        -------
        points : ndarray of float64, (N, 2)
            x and y as fractions of the tile's width and height.
        labels : ndarray of uint8, (N,)
            Class indices.
        """
        features = features.coarse()
        with torch.inference_mode():
            found = self._found(features)
            sure, smoothed = self._smoothed(features, found, 2 * self.output_stride)[0].max(0)
            same = (found[0].argmax(0) == smoothed) & (sure > least)
            rows, cols = torch.nonzero(same, as_tuple=True)
            # The first of each 2 x 2 values of the finest textures is kept.
            points = torch.stack([(cols + 0.25) / same.shape[1], (rows + 0.25) / same.shape[0]], 1)
            labels = smoothed[rows, cols].to(torch.uint8)
        return points.double().numpy(), labels.numpy()

    def _found(self, features: QuickFeatures) -> torch.Tensor:
        """Compute the weighted mean of the networks for each pixel."""
        textures, deep = features.full()
        first = _apply(self._heads["pyramid"], textures)
        second = _apply(self._heads["deep"], deep)
        second = functional.interpolate(second, size=first.shape[-2:], mode="bilinear", align_corners=False)
        found = (first + second) / 2
        if self.color_share:
            third = _apply(self._heads["color"], textures[:, : color_width(self.n_channels)])
            found = torch.lerp(found, third, self.color_share)
        return found

    def _smoothed(self, features: QuickFeatures, found: torch.Tensor, stride: int) -> torch.Tensor:
        """Smooth probabilities along the edges of the image, whose pixels are the first of the features."""
        guide = as_three_channels(features.pyramid[0][:, : self.n_channels].float())
        smoothed = follow_edges(found, guide, QUICK_SMOOTHING / stride, QUICK_EVEN)
        return torch.lerp(smoothed, found, self.color_share) if self.color_share else smoothed

    def spec(self) -> dict[str, Any]:
        """Return everything but the tensors, for JSON."""
        # Of a restored one, what its version wrote, so that its predictions are recognized.
        return (
            {"n_channels": self.n_channels}
            | ({"color_share": self.color_share} if self.color_share else {})
            | ({"centred": True} if self._stages.centred else {})
            | ({"temperature": self.temperature} if self.temperature != 1 else {})
            | ({"encoder": self._stages.spec()} if isinstance(self._stages, QuickEncoder) else {})
        )

    def tensors(self) -> dict[str, np.ndarray]:
        """Return all weights by name, including the frozen stages, so that the folder is self-contained.

        Of an encoder that is large, or whose licence does not let it be passed on, only the projection is included.
        """
        stages = self._stages
        own = stages.tensors() if isinstance(stages, QuickEncoder) else _arrays(stages)
        found = {f"{_STAGES}{name}": value for name, value in own.items()}
        for head, layers in self._heads.items():
            for i, (weight, bias) in enumerate(layers):
                found[f"{head}.{i}.weight"], found[f"{head}.{i}.bias"] = weight.numpy(), bias.numpy()
        return found

    @classmethod
    def restore(cls, spec: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> "QuickModel":
        """Build the model from `spec` and `tensors`.

        Raises
        ------
        ClassifierError
            If `spec` and `tensors` do not fit together.
        """
        loaded = {name: torch.from_numpy(np.array(value)) for name, value in tensors.items()}
        try:
            stages = _restored_stages(
                spec, {n.removeprefix(_STAGES): t for n, t in loaded.items() if n.startswith(_STAGES)}
            )
            heads = {
                head: [
                    (loaded[f"{head}.{i}.weight"], loaded[f"{head}.{i}.bias"])
                    for i in range(sum(n.startswith(f"{head}.") for n in loaded) // 2)
                ]
                for head in _HEADS
            }
            share = float(spec.get("color_share", 0.0))
            if not 0 <= share <= 1 or (share > 0 and not heads["color"]):
                raise ValueError(f"the share of colours is {share:g}, with {len(heads['color'])} layers")
            return cls(
                heads["pyramid"],
                heads["deep"],
                int(spec["n_channels"]),
                stages,
                color=heads["color"],
                color_share=share,
                temperature=stored_temperature(spec),
            )
        except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
            raise ClassifierError(f"The weights do not fit the quick learner: {error}") from error


def _restored_stages(spec: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> DeepStages | QuickEncoder:
    if "encoder" in spec:
        return QuickEncoder.restore(spec["encoder"], tensors)
    # Folders of version 0.1 have neither centred features nor a colour network.
    stages = DeepStages(build_network(NetworkSpec(), pretrained=False), centred=bool(spec.get("centred", False)))
    stages.load_state_dict(dict(tensors))
    return stages


def _arrays(stages: DeepStages) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in stages.state_dict().items()}


def tile_features(tile: Tile, stages: DeepStages | QuickEncoder | None = None) -> QuickFeatures:
    """Return the features of a tile, from the cache or computed."""
    used = deep_stages() if stages is None else stages
    deep = partial(used.of_tile, tile) if isinstance(used, QuickEncoder) else used
    if not tile.keep:
        return quick_features(_tensor(tile.read()), deep)
    return _cache.get(tile.image, (used.token, tile.key), lambda: quick_features(_tensor(tile.read()), deep))


def forget_features() -> None:
    """Drop all features that are cached in memory."""
    _cache.clear()
    forget_raw_features()


def quick_tiles(
    image: Image,
    normalization: Normalization,
    wanted: Sequence[Region],
    within: Region | None = None,
    channels: tuple[int, ...] | None = None,
) -> list[tuple[Tile, Region]]:
    """Cut an image, or a part of it, into the tiles whose features the quick learner uses.

    A small image is cut as for prediction, so that both use the same features. For a large one, only blocks that touch
    a region in `wanted` are returned.

    Parameters
    ----------
    image : Image
    normalization : Normalization
    wanted : sequence of Region
        Where features are needed.
    within : Region, optional
        The only pixels that may be read; by default the whole image.
    channels : tuple of int, optional
        The channels to use, in order; by default all.

    Returns
    -------
    list of (Tile, Region)
        Each tile with the full-size region for which it is used; these regions do not overlap.
    """
    whole = image.region if within is None else within
    if whole.area <= KEPT_PIXELS:
        parts = [whole]
    else:
        numbers = {
            (i, j)
            for region in (w.intersect(whole) for w in wanted)
            if region is not None
            for i in range((region.y - whole.y) // QUICK_BLOCK, (region.bottom - 1 - whole.y) // QUICK_BLOCK + 1)
            for j in range((region.x - whole.x) // QUICK_BLOCK, (region.right - 1 - whole.x) // QUICK_BLOCK + 1)
        }
        blocks = [
            Region(whole.x + j * QUICK_BLOCK, whole.y + i * QUICK_BLOCK, QUICK_BLOCK, QUICK_BLOCK)
            for i, j in sorted(numbers)
        ]
        parts = [found for found in (block.intersect(whole) for block in blocks) if found is not None]
    tiles = []
    for part in parts:
        plan = plan_tiles(_NEEDS, part, whole, 1, QUICK_BLOCK, 0.0)
        for i in range(len(plan.rows.starts)):
            for j in range(len(plan.cols.starts)):
                core = Region.from_edges(
                    part.x + plan.cols.cuts[j],
                    part.y + plan.rows.cuts[i],
                    part.x + plan.cols.cuts[j + 1],
                    part.y + plan.rows.cuts[i + 1],
                )
                if any(core.intersect(w) for w in wanted):
                    tile = Tile(image, plan.tile_region(i, j), normalization, 1, channels, within, keep=True)
                    tiles.append((tile, core))
    return tiles


def _tensor(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels)[None]


def _apply(layers: Layers, x: torch.Tensor) -> torch.Tensor:
    """Apply a small network to each pixel of (1, V, H, W); return probabilities (1, K, H, W)."""
    for i, (weight, bias) in enumerate(layers):
        if i:
            x = functional.relu(x)
        x = functional.conv2d(x, weight[:, :, None, None], bias)
    return x.softmax(1)
