"""The quick learner: a classifier from a few strokes in about a second."""

import threading
import time
import warnings
import weakref
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import torch
from scipy import ndimage

from histowidgets.annotations import UNLABELLED, Project, ProjectSnapshot, Split, snapshot_of
from histowidgets.errors import HistowidgetsWarning, ImageNameError, TrainingDataError
from histowidgets.images import Image, Normalization, Region, at_pixel_size, select_channels, without_data
from histowidgets.models import DEFAULT_BACKBONE, WeightsUnavailableError
from histowidgets.prediction import (
    FEATURE_FOLDER,
    Classifier,
    ClassifierSpec,
    DeepStages,
    FeatureStore,
    QuickEncoder,
    QuickModel,
    Tile,
    color_width,
    deep_stages,
    frozen_encoder,
    match_channels,
    quick_tiles,
    tile_features,
)
from histowidgets.training.data import at_common_pixel_size, places_of, with_channels
from histowidgets.training.loop import Confusion
from histowidgets.training.quick._color_share import color_share
from histowidgets.training.quick._fit import fit_heads

# Our own choices, not from a publication.
#: Maximum number of labelled pixels of a class to learn from; above that they are drawn at random.
PIXELS_A_CLASS = 20_000
#: The second fit also learns from pixels of which the first is certain: the minimum probability, and the maximum
#: numbers of pixels in a tile and of tiles.
SURE, SURE_PIXELS, SURE_TILES = 0.6, 3000, 8
#: There is no second fit if the share of colour is above this, since smoothing then says little about certainty.
MOST_COLOR_SHARE = 0.5
#: Downsample at which labels are read, which is that of the finest features.
LABEL_DOWNSAMPLE = 2


_Stages: TypeAlias = DeepStages | QuickEncoder


@dataclass(frozen=True)
class _Sample:
    """Labelled pixels of one tile: x and y as fractions of the tile, class indices, and stroke numbers."""

    tile: Tile
    points: np.ndarray
    labels: np.ndarray
    strokes: np.ndarray


@dataclass(frozen=True)
class _Gathered:
    """Labelled pixels of all tiles: features [textures (N, values), encoder (N, values)], classes, strokes (N,)."""

    inputs: list[torch.Tensor]
    labels: torch.Tensor
    strokes: np.ndarray


def quick_classifier(
    project: Project | ProjectSnapshot,
    seed: int = 0,
    *,
    split: Split | None = None,
    normalization: Normalization | None = None,
    score: bool = True,
    channels: Sequence[str] | None = None,
    pixel_size_um: float | None = None,
    announce: bool = True,
    backbone: str = DEFAULT_BACKBONE,
) -> Classifier:
    """Fit the quick learner to the annotations of a project.

    Two small networks, one on hand-made textures and one on features of a frozen encoder, learn from the labelled
    pixels, with equal weights for all classes. The prediction is their mean, smoothed along the edges of the image.
    They then also learn from nearby unlabelled pixels where the prediction is certain and not changed by smoothing
    (self-training: Lee 2013, "Pseudo-Label"). A third network sees only the colour. Its share is determined on held-out
    strokes; the larger it is, the weaker the smoothing. Features are cached between calls, so that a further stroke
    takes a fraction of a second.

    Parameters
    ----------
    project : Project or ProjectSnapshot
        Images with the role "validation" are not used.
    seed : int, default 0
        The same seed and annotations give the same classifier.
    split : Split, optional
        Learn only from its training side, and score the result on the held-out side: ``classifier.scores`` then holds
        ``val_miou``, ``val_iou`` (maps class names to a number, or None if nothing was held out) and ``val_accuracy``.
        Neither side reads a pixel of the other.
    normalization : Normalization, optional
        By default "percentile_99". If it has no statistics, they are measured on the annotated images.
    score : bool, default True
        Whether to score the result if there is a split.
    channels : sequence of str, optional
        Channels to use, in this order; by default those of the first annotated image, which are matched in the others
        by name, or else by position. Like ``TrainingSettings.channels``.
    pixel_size_um : float, optional
        Pixel size to which images that differ by more than 10 % are resampled; by default the median of the images
        used. Like ``TrainingSettings.pixel_size_um``.
    announce : bool, default True
        Whether to warn (`HistowidgetsWarning`) if the pixel size is unknown for some of the images but not for all.
    backbone : str, default "efficientnet-lite0"
        The frozen encoder: a name from `hw.backbones(foundation=True)`, or any encoder of timm or
        segmentation-models-pytorch. It computes on the GPU if there is one. Where it has many values, the first 64
        principal components are used, fitted to the project's pixels. With a project in a folder, features are kept in
        ``features/``, up to 4 GiB. To choose one, compare `quick_score` of each.

    Returns
    -------
    Classifier
        A classifier of kind "quick". ``settings["backbone"]`` names its encoder. If the weights of `backbone` cannot be
        loaded, this is the default one, with a `HistowidgetsWarning`.

    Raises
    ------
    BackboneError
        If `backbone` is unknown, or cannot compute features of tiles of any size.
    TrainingDataError
        If fewer than two classes are annotated on images without the role "validation", the channels differ, or pixel
        sizes differ by more than a factor of 16.
    SettingsError
        If an annotated image lacks one of the `channels`.
    """
    snapshot = snapshot_of(project)
    if channels:
        with_channels(snapshot, channels)  # raises with the name of an image that lacks one
    if announce:
        said = at_common_pixel_size(snapshot, pixel_size_um, _learned(snapshot)).warning()
        if said:
            warnings.warn(said, HistowidgetsWarning, stacklevel=2)
    _require_two_classes(snapshot, _learned(snapshot))  # before weights are fetched
    try:
        encoder = _encoder(snapshot, backbone)
    except WeightsUnavailableError as error:
        warnings.warn(
            f"The weights of {backbone} could not be loaded ({error}). The bundled {DEFAULT_BACKBONE} is used instead.",
            HistowidgetsWarning,
            stacklevel=2,
        )
        encoder = None
    return fit_quick(snapshot, channels, seed, split, normalization, score, pixel_size_um, encoder)


def _encoder(snapshot: ProjectSnapshot, backbone: str) -> QuickEncoder | None:
    """Return the encoder of a name, with its features on disk beside the project; None for the default one."""
    if backbone == DEFAULT_BACKBONE:
        return None
    store = None if snapshot.folder is None else FeatureStore(snapshot.folder / FEATURE_FOLDER)
    return QuickEncoder(frozen_encoder(backbone), store=store)


def _learned(snapshot: ProjectSnapshot) -> list[str]:
    """Return the names of the images to learn from."""
    return [name for name in snapshot.annotated_names() if snapshot.roles.get(name) != "validation"]


def fit_quick(
    snapshot: ProjectSnapshot,
    channels: Sequence[str] | None,
    seed: int,
    split: Split | None,
    normalization: Normalization | None,
    score: bool,
    pixel_size_um: float | None = None,
    encoder: QuickEncoder | None = None,
) -> Classifier:
    """Fit the quick learner like `quick_classifier`, with `channels` matched as in prediction."""
    started = time.perf_counter()
    names = _learned(snapshot)
    _require_two_classes(snapshot, names)
    given, held_out = snapshot, split
    working = at_common_pixel_size(snapshot, pixel_size_um, names)
    snapshot, split = working.snapshot, None if split is None else working.training_split(split)
    images = [snapshot.images[name] for name in names]
    seen = tuple(channels or images[0].channel_names)
    fitted = _fitted(normalization or Normalization(), images, seen)
    samples = [s for name in names for s in _samples(snapshot, name, seen, fitted, split)]
    labels = np.concatenate([s.labels for s in samples]) if samples else np.zeros(0, np.uint8)
    present = np.unique(labels)
    if len(present) < 2:
        where = "in the annotated pixels" if split is None else "outside the held-out regions"
        raise TrainingDataError(
            f"{_listed(snapshot, present)} {where}, but at least two classes are needed. "
            "Paint a few strokes of another class."
        )
    stages = deep_stages() if encoder is None else encoder.fitted([sample.tile for sample in samples], seed)
    gathered = _gathered(samples, labels, len(snapshot.classes), seed, stages)
    model = _fit(samples, gathered, len(snapshot.classes), len(seen), seed, stages)
    spec = _spec(model, snapshot, names, seen, fitted, labels, seed)
    trained_on = {**spec.trained_on, "seconds": round(time.perf_counter() - started, 3)}
    spec = replace(spec, pixel_size_um=working.pixel_size_um, trained_on=trained_on)
    if held_out is not None and score:
        spec = replace(spec, scores=scores_on(Classifier(spec), given, held_out))
    return Classifier(spec)


def _fit(
    samples: Sequence[_Sample], gathered: _Gathered, n_classes: int, n_channels: int, seed: int, stages: _Stages
) -> QuickModel:
    """Fit the small networks to the labels, then again with the pixels of which they are certain."""
    colors = gathered.inputs[0][:, : color_width(n_channels)]
    kinds = [*gathered.inputs, colors.contiguous()]
    share = color_share(kinds, gathered.labels, gathered.strokes, n_classes, n_channels, seed)
    if share == 0:
        (first,) = fit_heads(gathered.inputs, gathered.labels, n_classes, seed)
        model = QuickModel(first[0], first[1], n_channels, stages)
    else:
        (first,) = fit_heads(kinds, gathered.labels, n_classes, seed)
        model = QuickModel(first[0], first[1], n_channels, stages, color=first[2], color_share=share)
    if share > MOST_COLOR_SHARE:
        return model
    rng = np.random.default_rng([seed, 1])
    which = rng.permutation(len(samples))[:SURE_TILES]
    learned, labels = [gathered.inputs], [gathered.labels]
    for sample in (samples[i] for i in which):
        features = tile_features(sample.tile, stages)
        points, found = model.sure_places(features, SURE)
        chosen = rng.permutation(np.flatnonzero(~_painted(points, sample)))[:SURE_PIXELS]
        if len(chosen):
            learned.append(list(features.at(torch.from_numpy(points[chosen]))))
            labels.append(torch.from_numpy(found[chosen].astype(np.int64)))
    inputs = [torch.cat([some[i] for some in learned]) for i in (0, 1)]
    ((pyramid, deep),) = fit_heads(inputs, torch.cat(labels), n_classes, seed, start=first[:2])
    return model.with_heads(pyramid, deep)


def _painted(points: np.ndarray, sample: _Sample) -> np.ndarray:
    """Return a mask of the points of a tile whose pixels are labelled, since labels must not be contradicted."""
    size = np.array([sample.tile.region.width, sample.tile.region.height]) // LABEL_DOWNSAMPLE
    (asked, known) = ((some * size).astype(np.int64) @ [1, size[0]] for some in (points, sample.points))
    return np.isin(asked, known)


def _spec(
    model: QuickModel,
    snapshot: ProjectSnapshot,
    names: list[str],
    channels: tuple[str, ...],
    normalization: Normalization,
    labels: np.ndarray,
    seed: int,
) -> ClassifierSpec:
    """Make the spec of a classifier from a fitted model."""
    first = snapshot.images[names[0]]
    counts = np.bincount(labels, minlength=len(snapshot.classes)) * LABEL_DOWNSAMPLE**2
    return ClassifierSpec(
        model,
        classes=list(snapshot.classes),
        colors=dict(snapshot.colors),
        channel_names=channels,
        normalization=normalization,
        pixel_size_um=first.pixel_size_um,
        settings={"learner": "quick", "seed": seed, "backbone": model.backbone},
        trained_on={
            "images": names,
            "annotations": sum(len(snapshot.annotations[name]) for name in names),
            "labelled_pixels": dict(zip(snapshot.classes, counts.tolist(), strict=True)),
        },
        name="quick learner",
    )


def warm_quick(
    project: Project | ProjectSnapshot,
    image_name: str,
    channels: Sequence[str] | None = None,
    pixel_size_um: float | None = None,
    backbone: str = DEFAULT_BACKBONE,
) -> None:
    """Load the libraries and compute the features of an image in advance, so that the first prediction is fast.

    Parameters
    ----------
    project : Project or ProjectSnapshot
    image_name : str
        The image that will be annotated and predicted.
    channels : sequence of str, optional
    pixel_size_um : float, optional
    backbone : str
        As for `quick_classifier`.

    Raises
    ------
    ImageNameError
        If there is no image with that name.
    BackboneError
        If the encoder cannot be loaded.
    TrainingDataError
        If this image, or an annotated one, lacks the channels.
    """
    snapshot = snapshot_of(project)
    if image_name not in snapshot.images:
        raise ImageNameError(f"There is no image named {image_name!r}; the images are {', '.join(snapshot.images)}.")
    names = _learned(snapshot)
    working = at_common_pixel_size(snapshot, pixel_size_um, names)
    images = [working.snapshot.images[name] for name in names] or [snapshot.images[image_name]]
    image = at_pixel_size(snapshot.images[image_name], working.pixel_size_um)
    seen = tuple(channels or images[0].channel_names)
    fitted = _fitted(Normalization(), images, seen)
    # For a large image, use one block in the middle to load the libraries, since the needed blocks are not yet known.
    middle = Region(image.width // 2, image.height // 2, 1, 1)
    encoder = _encoder(snapshot, backbone)
    for tile, _ in quick_tiles(image, fitted, [middle], channels=places_of(image, seen)):
        if encoder is None:
            tile_features(tile)
        else:
            encoder.raw(tile, torch.from_numpy(tile.read())[None])


# --- pixels ----------------------------------------------------------------------------------------------------------


def _require_two_classes(snapshot: ProjectSnapshot, names: Sequence[str]) -> None:
    found = {a.class_name for name in names for a in snapshot.annotations[name] if a.class_name is not None}
    if len(found) < 2:
        what = f"Only {found.pop()!r} is annotated" if found else "Nothing is annotated yet"
        raise TrainingDataError(
            f"{what}, but at least two classes are needed. Paint a few strokes of two or more classes."
        )


def _listed(snapshot: ProjectSnapshot, present: np.ndarray) -> str:
    if len(present) == 0:
        return "No labelled pixel was found"
    return f"Only {snapshot.classes[int(present[0])]!r} was found"


def _samples(
    snapshot: ProjectSnapshot, name: str, seen: Sequence[str], normalization: Normalization, split: Split | None
) -> list[_Sample]:
    """Find the labelled pixels of an image, tile by tile."""
    image = snapshot.images[name]
    # The original image with channel indices, as in prediction, so that both use the same cached features.
    channels = places_of(image, seen)
    drawn = [a.shape.region() for a in snapshot.annotations[name] if a.class_name is not None]
    parts: list[Region | None] = [None]
    if split is not None and split.held_out.get(name):
        parts = [*sorted(split.training_regions(name, image), key=lambda r: -r.area)]
    samples = []
    for number, within in enumerate(parts):
        for tile, core in quick_tiles(image, normalization, drawn, within, channels):
            labels = snapshot.labels(name, core, LABEL_DOWNSAMPLE)
            if image.dtype.kind == "f" and (missing := without_data(image.read(*core, LABEL_DOWNSAMPLE))) is not None:
                labels[missing] = UNLABELLED
            rows, cols = np.nonzero(labels != UNLABELLED)
            x = core.x + (cols + 0.5) * LABEL_DOWNSAMPLE
            y = core.y + (rows + 0.5) * LABEL_DOWNSAMPLE
            # The parts of the training side overlap: a pixel belongs to the first part that contains it.
            new = np.ones(len(x), bool)
            for part in parts[:number]:
                new &= ~_inside(x, y, part)
            if new.any():
                points = np.stack(
                    [(x[new] - tile.region.x) / tile.region.width, (y[new] - tile.region.y) / tile.region.height], 1
                )
                rows, cols = rows[new], cols[new]
                samples.append(_Sample(tile, points, labels[rows, cols], _stroke_numbers(labels)[rows, cols]))
    return samples


def _stroke_numbers(labels: np.ndarray) -> np.ndarray:
    """Assign a number to each stroke of a label map; touching strokes count as one, to keep neighbours together."""
    numbers, known = np.zeros(labels.shape, np.int64), 0
    for k in np.unique(labels[labels != UNLABELLED]):
        found, count = ndimage.label(labels == k, np.ones((3, 3), bool))
        numbers[found > 0] = found[found > 0] + known
        known += count
    return numbers


def _inside(x: np.ndarray, y: np.ndarray, part: Region | None) -> np.ndarray:
    if part is None:
        return np.ones(len(x), bool)
    inside: np.ndarray = (x >= part.x) & (x < part.right) & (y >= part.y) & (y < part.bottom)
    return inside


def _gathered(samples: Sequence[_Sample], labels: np.ndarray, n_classes: int, seed: int, stages: _Stages) -> _Gathered:
    """Sample the features at the labelled pixels."""
    rng = np.random.default_rng(seed)
    keep = np.zeros(len(labels), bool)
    for k in range(n_classes):
        places = np.flatnonzero(labels == k)
        keep[places if len(places) <= PIXELS_A_CLASS else rng.choice(places, PIXELS_A_CLASS, replace=False)] = True
    parts: list[tuple[torch.Tensor, torch.Tensor]] = []
    strokes: list[np.ndarray] = []
    begin = known = 0
    with torch.inference_mode(False), torch.no_grad():
        for sample in samples:
            chosen = keep[begin : begin + len(sample.labels)]
            begin += len(sample.labels)
            if chosen.any():
                points = torch.from_numpy(sample.points[chosen]).float()
                parts.append(tile_features(sample.tile, stages).at(points))
                strokes.append(sample.strokes[chosen] + known)
            known += int(sample.strokes.max()) + 1
        inputs = [torch.cat([p[i] for p in parts]) for i in (0, 1)]
    return _Gathered(inputs, torch.from_numpy(labels[keep].astype(np.int64)), np.concatenate(strokes))


# --- normalization ---------------------------------------------------------------------------------------------------


_Asked = tuple[Normalization, tuple[str, ...]]


class _KnownStatistics:
    """A cache of the last few statistics, since measuring takes a tenth of the time of a prediction."""

    def __init__(self) -> None:
        self._known: deque[tuple[_Asked, list[weakref.ref[Image]], Normalization]] = deque(maxlen=8)
        self._lock = threading.Lock()

    def get(self, normalization: Normalization, images: Sequence[Image], channels: tuple[str, ...]) -> Normalization:
        asked = (normalization, channels)
        with self._lock:
            for known, references, fitted in self._known:
                if known == asked and [r() for r in references] == list(images):
                    return fitted
        chosen = [image if places_of(image, channels) is None else select_channels(image, channels) for image in images]
        fitted = normalization.fitted(chosen)
        with self._lock:
            self._known.append((asked, [weakref.ref(image) for image in images], fitted))
        return fitted


_statistics = _KnownStatistics()


def _fitted(normalization: Normalization, images: Sequence[Image], channels: tuple[str, ...]) -> Normalization:
    if normalization.strategy == "fixed_range" or normalization.statistics is not None:
        return normalization
    return _statistics.get(normalization, images, channels)


# --- score -----------------------------------------------------------------------------------------------------------


def held_out_pairs(
    classifier: Classifier, snapshot: ProjectSnapshot, split: Split
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the prediction of a classifier in the held-out regions, and the labels there; nothing else is read.

    Yields
    ------
    found, truth : ndarray of (rows, columns), uint8
        Class indices; 255 in `truth` where there is no label.
    """
    for name, regions in split.held_out.items():
        if name not in snapshot.images or not regions:
            continue  # an image without labels may have other channels
        image = snapshot.images[name]
        channels = match_channels(classifier.channel_names, image.channel_names, image.name)
        drawn = [a.shape.region() for a in snapshot.annotations[name] if a.class_name is not None]
        for region in regions:
            for _, core in quick_tiles(image, classifier.normalization, drawn, region, channels):
                yield classifier.predict(image, core, within=region).labels.copy(), snapshot.labels(name, core)


def scores_on(classifier: Classifier, snapshot: ProjectSnapshot, split: Split) -> dict[str, Any]:
    """Score a classifier on the held-out labels; the keys are those of an epoch's record."""
    confusion = Confusion(len(snapshot.classes))
    for found, truth in held_out_pairs(classifier, snapshot, split):
        confusion.add(torch.from_numpy(found), torch.from_numpy(truth))
    iou = dict(zip(snapshot.classes, confusion.iou(), strict=True))
    return {"val_miou": confusion.mean_iou(), "val_iou": iou, "val_accuracy": confusion.accuracy()}
