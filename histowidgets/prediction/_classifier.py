"""The classifier: a model with all that is needed to use it."""

import copy
import operator
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from histowidgets.errors import ClassifierError, PredictionError, RegionError
from histowidgets.images import Image, Normalization, Region, open_image
from histowidgets.prediction._blend import BLENDS
from histowidgets.prediction._channels import match_channels
from histowidgets.prediction._model import PixelModel, Progress, ShouldStop
from histowidgets.prediction._predict import TileNeeds, plan_tiles, predict_map
from histowidgets.prediction._prediction import Prediction, checked_classes
from histowidgets.prediction._probability_map import ProbabilityMap

MOST_OVERLAP = 0.5


class Classifier:
    """Tells the class of each pixel; made by training, kept in a folder.

    Parameters
    ----------
    model : PixelModel
        `NetworkModel` or `QuickModel`.
    classes : sequence of str
    colors : mapping of class name to colour, or sequence of colours
        Like ``"#1f77b4"``.
    channel_names : sequence of str
        Of the training images; matched by name at prediction (row N8).
    normalization : Normalization
        With the statistics of the training images (row R50).
    pixel_size_um : float, optional
        Side of a full-size pixel of the training images.
    downsample : int, default 1
        Resolution at which the model sees images (row R60).
    tile_size : int, default 256
        Side of a training tile, at that downsample.
    settings, scores, trained_on : mapping
        How it was trained, how good it is, and on what; plain values for JSON.
    history : sequence of mapping
        A record an epoch.
    name : str

    Raises
    ------
    ClassifierError
        If the parts do not fit each other.

    Examples
    --------
    >>> import histowidgets as hw
    >>> project = hw.Project(classes=["Stroma", "Gland"])
    >>> name = project.add_image(hw.samples.colon_ihc())
    >>> _ = project.annotate(name, hw.Stroke([(330, 180), (350, 200)]), "Stroma")
    >>> _ = project.annotate(name, hw.Stroke([(60, 60), (80, 90)]), "Gland")
    >>> prediction = hw.quick_classifier(project).predict(hw.samples.colon_ihc())
    >>> prediction.labels.shape
    (512, 512)
    """

    def __init__(
        self,
        model: PixelModel,
        *,
        classes: Sequence[str],
        colors: Mapping[str, str] | Sequence[str],
        channel_names: Sequence[str],
        normalization: Normalization,
        pixel_size_um: float | None = None,
        downsample: int = 1,
        tile_size: int = 256,
        settings: Mapping[str, Any] | None = None,
        scores: Mapping[str, Any] | None = None,
        history: Sequence[Mapping[str, Any]] = (),
        trained_on: Mapping[str, Any] | None = None,
        name: str = "",
    ) -> None:
        try:
            self.classes, self.colors = checked_classes(classes, colors, model.n_classes)
        except PredictionError as error:
            raise ClassifierError(str(error)) from error
        self.model = model
        self.channel_names = tuple(str(c) for c in channel_names)
        self.normalization = normalization
        self.pixel_size_um = pixel_size_um
        self.downsample, self.tile_size = downsample, tile_size
        self.settings = copy.deepcopy(dict(settings or {}))
        self.scores = copy.deepcopy(dict(scores or {}))
        self.history = [dict(record) for record in history]
        self.trained_on = copy.deepcopy(dict(trained_on or {}))
        self.name = name
        self._check()

    def _check(self) -> None:
        if len(self.channel_names) != self.model.n_channels:
            raise ClassifierError(
                f"The model takes {self.model.n_channels} channel(s), but {len(self.channel_names)} name(s) were given."
            )
        if self.normalization.strategy != "fixed_range":
            statistics = self.normalization.statistics
            if statistics is None:
                raise ClassifierError(
                    f"The {self.normalization.strategy} normalization has no statistics. Fit it to the training "
                    "images first: normalization.fitted(images)."
                )
            if len(statistics.channels) != len(self.channel_names):
                raise ClassifierError(
                    f"The normalization is of {len(statistics.channels)} channel(s), the classifier of "
                    f"{len(self.channel_names)}."
                )
        for what, value in (("downsample", self.downsample), ("tile_size", self.tile_size)):
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                raise ClassifierError(f"{what} is {value!r}; a whole number of at least 1 is wanted.")

    @property
    def kind(self) -> str:
        """Which sort of model is inside: "network", "quick" or "onnx"."""
        return self.model.kind

    def __repr__(self) -> str:
        name = f" {self.name!r}" if self.name else ""
        return f"<Classifier{name}: {self.kind}, {len(self.classes)} classes: {', '.join(self.classes)}>"

    def predict(
        self,
        image: Image | np.ndarray | str | PathLike[str],
        region: Region | tuple[int, int, int, int] | None = None,
        overlap: float = 0.125,
        blend: str = "centre-crop",
        tta: bool = False,
        progress: Progress | None = None,
        should_stop: ShouldStop | None = None,
        *,
        within: Region | None = None,
    ) -> Prediction:
        """Predict an image of any size, or a region of it.

        Parameters
        ----------
        image : Image, array or path
            With the channels that the classifier was trained on.
        region : (x, y, width, height), optional
            In full-size pixels; the whole image if not given. The surroundings are read as context.
        overlap : float, default 0.125
            Share of `tile_size` that neighbouring tiles have in common, 0 to 0.5; at least the model's context.
        blend : {"centre-crop", "gaussian", "linear"}
            How tiles are put together.
        tta : bool, default False
            Average over the eight symmetries of the square (row N5), which takes eight times as long.
        progress : callable, optional
            ``progress(done, total)`` after each tile.
        should_stop : callable, optional
            Asked before each tile; True stops.
        within : Region, optional
            The only pixels that are read, also as context; the whole image if not given. Validation reads
            nothing but what was held out.

        Returns
        -------
        Prediction
            At full size, whatever the classifier's downsample (row R60).

        Raises
        ------
        PredictionError
            If the image's channels do not fit, or an argument is out of range.
        RegionError
            If the region is not inside the image.
        PredictionCancelled
            When `should_stop` says so.
        """
        if blend not in BLENDS:
            raise PredictionError(f"blend is {blend!r}; use {', '.join(BLENDS)}.")
        if not 0 <= overlap <= MOST_OVERLAP:
            raise PredictionError(f"overlap is {overlap!r}; a share from 0 to {MOST_OVERLAP} is wanted.")
        opened = open_image(image)
        wanted = opened.region if region is None else _checked_region(opened, region)
        readable = opened.region if within is None else _checked_region(opened, within)
        if not readable.contains(wanted):
            raise PredictionError(f"{wanted} is not inside {readable}, the only pixels that may be read.")
        found = predict_map(
            self.model,
            opened,
            plan_tiles(TileNeeds.of(self.model), wanted, readable, self.downsample, self.tile_size, overlap),
            self.normalization,
            match_channels(self.channel_names, opened.channel_names, opened.name),
            within=None if readable == opened.region else readable,
            blend=blend,
            tta=tta,
            progress=progress,
            should_stop=should_stop,
        )
        return self._prediction(found, opened, wanted)

    def _prediction(self, found: ProbabilityMap, image: Image, region: Region) -> Prediction:
        prediction = Prediction(
            found,
            classes=self.classes,
            colors=self.colors,
            region=region,
            pixel_size_um=image.pixel_size_um,
            image_name=image.name,
        )
        _ = prediction.labels  # here, where somebody waits for it, and not when it is drawn
        return prediction

    def save(self, folder: str | PathLike[str]) -> None:
        """Write the classifier into a folder: ``classifier.json`` and ``model.safetensors``.

        It is written whole beside the folder and then takes its place, so that an earlier classifier there is
        replaced, and never half.

        Raises
        ------
        ClassifierError
            If the folder cannot be written, or holds something else.
        """
        from histowidgets.prediction._folder import save_classifier

        save_classifier(self, folder)

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> "Classifier":
        """Load a classifier that `save` wrote. Nothing is unpickled.

        Raises
        ------
        ClassifierError
            If the folder or a file is missing, damaged, or written by a newer version; the message names it.
        """
        from histowidgets.prediction._folder import load_classifier

        return load_classifier(folder)

    def export_onnx(self, path: str | PathLike[str]) -> None:
        """Write the network as ONNX: "pixels" (N, C, H, W), normalized, to "probabilities" (N, K, H, W).

        Raises
        ------
        ClassifierError
            If this is no network, the packages for it are missing, or the file cannot be written.
        """
        from histowidgets.prediction._network_model import NetworkModel
        from histowidgets.prediction._onnx import export_network

        if not isinstance(self.model, NetworkModel):
            raise ClassifierError(
                f"A classifier of kind {self.kind!r} has no network to export. Train a network first."
            )
        export_network(self.model.network().eval(), path)

    @classmethod
    def from_onnx(
        cls,
        path: str | PathLike[str],
        classes: Sequence[str],
        normalization: Normalization,
        *,
        colors: Mapping[str, str] | Sequence[str] | None = None,
        channel_names: Sequence[str] = ("Red", "Green", "Blue"),
        pixel_size_um: float | None = None,
        downsample: int = 1,
        tile_size: int = 256,
    ) -> "Classifier":
        """Make a classifier of any ONNX model of (N, C, H, W) in [0, 1] to (N, K, H, W) (row R62).

        Parameters
        ----------
        path : path
        classes : sequence of str
            In the order of its output.
        normalization : Normalization
            Fitted, or "fixed_range".
        colors : mapping or sequence, optional
            Colour-blind safe ones by default.
        channel_names : sequence of str
            In the order of its input.
        pixel_size_um, downsample, tile_size
            As for `Classifier`.

        Raises
        ------
        ClassifierError
            If onnxruntime is missing, the file is no ONNX, or channels or classes are others than named.
        """
        from histowidgets.annotations import PALETTE
        from histowidgets.prediction._onnx import read_onnx

        if colors is None:
            colors = [PALETTE[i % len(PALETTE)] for i in range(len(classes))]
        return cls(
            read_onnx(path, len(channel_names), len(classes)),
            classes=classes,
            colors=colors,
            channel_names=channel_names,
            normalization=normalization,
            pixel_size_um=pixel_size_um,
            downsample=downsample,
            tile_size=tile_size,
            name=Path(path).stem,
        )


def _checked_region(image: Image, region: Sequence[int]) -> Region:
    """Return a region of an image, of Python's own integers.

    Raises
    ------
    RegionError
        If it is not four whole numbers, has no area, or sticks out of the image.
    """
    try:
        found = Region(*(operator.index(value) for value in region))
    except TypeError:
        raise RegionError(f"The region {region!r} must be four whole numbers: x, y, width, height.") from None
    if found.width < 1 or found.height < 1 or not image.region.contains(found):
        raise RegionError(
            f"{found} is not inside image {image.name!r} of {image.width} x {image.height} pixels. "
            "Ask for at least one pixel, inside the image."
        )
    return found
