"""The classifier: a model with all that is needed to use it."""

import copy
import warnings
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from histowidgets._io import as_path
from histowidgets.errors import ClassifierError, OutsideTrainingWarning, PredictionError
from histowidgets.images import Image, Normalization, Region, open_image, open_images
from histowidgets.prediction._classifier_files import ClassifierFiles
from histowidgets.prediction.inference import (
    Job,
    MoreOptions,
    PredictOptions,
    Progress,
    RangeWarning,
    ShouldStop,
    check_range,
    checked_region,
    match_channels,
    predict_labels,
    predict_map,
)
from histowidgets.prediction.pixel_models import PixelModel
from histowidgets.prediction.results import Prediction, checked_classes, listed_names

if TYPE_CHECKING:
    from histowidgets.prediction.results import StoredPrediction


class Classifier(ClassifierFiles):
    """Tells the class of each pixel; made by training, kept in a folder.

    Parameters
    ----------
    model : PixelModel
        `NetworkModel`, `QuickModel`, …
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
        self.channel_names = tuple(listed_names(channel_names, "channel_names", ClassifierError))
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
        if not isinstance(self.normalization, Normalization):
            raise ClassifierError(
                f"The normalization is {self.normalization!r:.80}; a Normalization is wanted, such as "
                'Normalization("min_max").fitted([image]) with a training image.'
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
    def parts(self) -> tuple["Classifier", ...]:
        """The classifiers that this one is the mean of, to be used alone; none for other kinds."""
        from histowidgets.prediction.inference import parts_of

        return parts_of(self)

    @property
    def network(self) -> "Classifier | None":
        """The network in it: itself, or the one that a mean is of; None where there is none."""
        return next((one for one in (self, *self.parts) if one.kind == "network"), None)

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
        probabilities: bool = True,
        **options: Unpack[MoreOptions],
    ) -> Prediction:
        """Predict an image of any size, or a region of it.

        Parameters
        ----------
        image : Image, array or path
            With the channels that the classifier was trained on.
        region : (x, y, width, height), optional
            In full-size pixels; the whole image if not given, with an `OutsideTrainingWarning` where it is unlike
            those of training (row N9). The surroundings are read as context.
        overlap, blend, tta
            See `PredictOptions`.
        progress : callable, optional
            ``progress(done, total, seconds_left)`` after each tile, or each batch of them.
        should_stop : callable, optional
            Asked before each batch; True stops.
        within : Region, optional
            The only pixels that are read, also as context; the whole image if not given. Validation reads
            nothing but what was held out.
        probabilities : bool, default True
            False computes the labels alone, which takes less time and a fraction of the memory.
        **options
            ``grids``, ``smooth_px``, ``smooth_um``, ``skip_blank``, ``precision``, ``downsample``: see
            `PredictOptions`.

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
        chosen = PredictOptions.of({"overlap": overlap, "blend": blend, "tta": tta, **options})
        job = self.job(open_image(image), region, chosen, within)
        if region is None:
            self._warn(job.image)
        found = predict_map(job, progress, should_stop) if probabilities else None
        labels = None if probabilities else predict_labels(job, progress, should_stop)
        prediction = Prediction(
            found,
            labels=labels,
            classes=self.classes,
            colors=self.colors,
            region=job.region,
            pixel_size_um=job.image.pixel_size_um,
            image_name=job.image.name,
        )
        _ = prediction.labels  # here, where somebody waits for it, and not when it is drawn
        return prediction

    def predict_to(
        self,
        image: Image | np.ndarray | str | PathLike[str],
        out: str | PathLike[str],
        region: Region | tuple[int, int, int, int] | None = None,
        *,
        probabilities: bool = False,
        progress: Progress | None = None,
        should_stop: ShouldStop | None = None,
        announce: bool = True,
        **options: Any,
    ) -> "StoredPrediction":
        """Predict into a file as it goes along, in memory that does not grow with the image.

        An interrupted prediction goes on where it was when this is called again in the same way. If the classifier,
        the image or a setting is another one, it starts anew, with a `StartedAnewWarning`.

        Parameters
        ----------
        image : Image, array or path
        out : path
            ``….zarr`` for an OME-Zarr, or ``….ome.tif`` for a tiled pyramidal OME-TIFF; until that is complete its
            parts are kept in a hidden folder beside it.
        region : (x, y, width, height), optional
            In full-size pixels; the whole image if not given.
        probabilities : bool, default False
            Keep them too, as uint8 (255 for 1) at full size.
        progress, should_stop
            See `predict`.
        announce : bool, default True
            Whether to warn where an earlier prediction of something else is replaced.
        **options
            See `PredictOptions`. The image is predicted in blocks of 2176 pixels or more, each with its real
            surroundings; a Gaussian or linear `blend` mixes tiles inside a block, not over its border.

        Returns
        -------
        StoredPrediction
            As `open_prediction` opens it.

        Raises
        ------
        PredictionError
            If the image's channels do not fit, an argument is out of range, or something else is at `out`.
        PredictionCancelled
            When `should_stop` says so; what was made is kept.
        """
        from histowidgets.prediction.inference import predict_to_disk

        chosen = PredictOptions.of(options)
        wanted = None if region is None else Region(*region)
        place, opened = as_path(out, PredictionError), open_image(image)
        if region is None:
            self._warn(opened)
        return predict_to_disk(
            self, opened, place, wanted, probabilities, chosen, progress, should_stop, announce=announce
        )

    def check(self, image: Image | np.ndarray | str | PathLike[str]) -> list[RangeWarning]:
        """Say whether an image is like those that the classifier was trained on (rows N9 and R56).

        Returns
        -------
        list of RangeWarning
            Empty where it is; else what is unlike, with its numbers, and what to do.

        Raises
        ------
        PredictionError
            If the image's channels do not fit.
        """
        opened = open_image(image)
        channels = match_channels(self.channel_names, opened.channel_names, opened.name)
        return check_range(opened, self.normalization, channels)

    def _warn(self, image: Image) -> None:
        """Warn whoever called the caller of this, where the image is unlike those of training."""
        for found in self.check(image):
            told = OutsideTrainingWarning(f"{found.title}. {found.detail}", found.evidence)
            warnings.warn(told, stacklevel=3)

    def adapted_to(
        self,
        images: Image | np.ndarray | str | PathLike[str] | Iterable[Image | np.ndarray | str | PathLike[str]],
        region: Region | tuple[int, int, int, int] | None = None,
        seed: int = 0,
        share: float = 1.0,
    ) -> "Classifier":
        """Measure the network's batch-norm statistics again on new images (AdaBN, row N11); nothing is trained.

        Helps where stain or scanner differ from those of training. Look at the result: statistics of an image of
        little tissue, or without one of the classes, can make it worse.

        Parameters
        ----------
        images : Image, array or path, or a list of them
        region : (x, y, width, height), optional
            The only pixels that are measured, of each image.
        seed : int, default 0
            Of the places.
        share : float, default 1
            Weight of what is measured, above 0; the rest are the statistics from training. Less than 1 is safer where
            the new images hold the classes in other proportions.

        Returns
        -------
        Classifier
            A new one; this one stays as it was. Its ``scores`` say that it was adapted and hold the earlier ones
            apart, as they are not its own.

        Raises
        ------
        ClassifierError
            If this is no network, or one without batch norm.
        PredictionError, RegionError
            If channels do not fit, or the region is not inside an image.
        """
        from histowidgets.prediction.inference import adapted

        opened = open_images(images)
        for image in opened if region is not None else ():
            checked_region(image, region or ())
        wanted = None if region is None else Region(*region)
        names = [image.name for image in opened]
        return Classifier(
            adapted(self, opened, wanted, seed, share),
            classes=self.classes,
            colors=self.colors,
            channel_names=self.channel_names,
            normalization=self.normalization,
            pixel_size_um=self.pixel_size_um,
            downsample=self.downsample,
            tile_size=self.tile_size,
            settings=self.settings,
            scores={"adapted_to": names, "before_adaptation": self.scores},
            history=self.history,
            trained_on={**self.trained_on, "norm_statistics_of": names},
            name=f"{self.name} (adapted to {', '.join(names)})".strip(),
        )

    def job(
        self,
        image: Image,
        region: Sequence[int] | None = None,
        options: PredictOptions | None = None,
        within: Region | None = None,
    ) -> Job:
        """Check what `predict` is given, and describe the work.

        Raises
        ------
        PredictionError
            If the image's channels do not fit, or the region may not be read.
        RegionError
            If the region is not inside the image.
        """
        wanted = image.region if region is None else checked_region(image, region)
        readable = image.region if within is None else checked_region(image, within)
        if not readable.contains(wanted):
            raise PredictionError(f"{wanted} is not inside {readable}, the only pixels that may be read.")
        chosen = options or PredictOptions()
        chosen.sigma_px(image.pixel_size_um)  # refuses um where the image has no pixel size
        return Job(
            self.model,
            image,
            self.normalization,
            match_channels(self.channel_names, image.channel_names, image.name),
            wanted,
            None if readable == image.region else readable,
            chosen.downsample or self.downsample,
            self.tile_size,
            chosen,
        )
