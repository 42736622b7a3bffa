"""The classifier as people use it: predict, save, load, export."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, Unpack

import numpy as np

from histowidgets._io import as_path
from histowidgets.errors import ClassifierError, OutsideTrainingWarning, PredictionError
from histowidgets.images import Image, Normalization, Region, open_image, open_images
from histowidgets.prediction import inference  # its names load torch when they are first used
from histowidgets.prediction._spec import ClassifierSpec
from histowidgets.prediction.inference import (
    AnyOptions,
    Job,
    KeywordOptions,
    PredictOptions,
    Progress,
    RangeWarning,
    ShouldStop,
    check_image,
    predict_region,
)
from histowidgets.prediction.onnx import MAX_SECONDS, ExportProgress, spec_from_onnx, write_onnx, write_qupath_folder
from histowidgets.prediction.pixel_models import PixelModel
from histowidgets.prediction.results import Prediction, StoredPrediction
from histowidgets.prediction.storage import read_folder, write_folder


class Classifier:
    """Tells the class of each pixel; made by training, kept in a folder.

    Parameters
    ----------
    spec : ClassifierSpec
        The model with all that is needed to use it. It never changes; for a classifier of another name, say, use
        ``Classifier(dataclasses.replace(classifier.spec, name="x"))``.

    Raises
    ------
    ClassifierError
        If it is not a ClassifierSpec.

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

    def __init__(self, spec: ClassifierSpec) -> None:
        if not isinstance(spec, ClassifierSpec):
            raise ClassifierError(
                f"A classifier is made of a ClassifierSpec, not of {spec!r:.80}. Train one, load one with "
                "Classifier.load(folder), or describe your model: Classifier(ClassifierSpec(model, classes=[…], …))."
            )
        self._spec = spec

    @property
    def spec(self) -> ClassifierSpec:
        """What it consists of."""
        return self._spec

    @property
    def kind(self) -> str:
        """Which kind of model is inside: "network", "quick", "onnx", or "mean" of several."""
        return self.spec.kind

    @property
    def model(self) -> PixelModel:
        """What turns pixels into probabilities."""
        return self.spec.model

    @property
    def classes(self) -> list[str]:
        """Class names, in the order of the model's output."""
        return self.spec.classes

    @property
    def colors(self) -> dict[str, str]:
        """Colour of each class, like ``"#1f77b4"``."""
        return self.spec.colors

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Channels of the training images; matched by name at prediction."""
        return self.spec.channel_names

    @property
    def normalization(self) -> Normalization:
        """How pixels become the model's input, with the statistics of the training images."""
        return self.spec.normalization

    @property
    def pixel_size_um(self) -> float | None:
        """Pixel size at which it was trained, and to which images are resampled; None if it is unknown."""
        return self.spec.pixel_size_um

    @property
    def downsample(self) -> int:
        """Resolution at which the model sees images."""
        return self.spec.downsample

    @property
    def tile_size(self) -> int:
        """Side of a training tile in pixels, at `downsample`."""
        return self.spec.tile_size

    @property
    def settings(self) -> dict[str, Any]:
        """How it was trained."""
        return self.spec.settings

    @property
    def scores(self) -> dict[str, Any]:
        """How good it is on what was held out."""
        return self.spec.scores

    @property
    def history(self) -> Sequence[Mapping[str, Any]]:
        """One record per epoch of its training."""
        return self.spec.history

    @property
    def trained_on(self) -> dict[str, Any]:
        """Run, images and annotations of its training."""
        return self.spec.trained_on

    @property
    def name(self) -> str:
        """Its name."""
        return self.spec.name

    @property
    def parts(self) -> tuple["Classifier", ...]:
        """The classifiers that this one is the mean of, to be used alone; none for other kinds."""
        return tuple(Classifier(part) for part in self.spec.parts)

    @property
    def network(self) -> "Classifier | None":
        """The network in it: itself, or the one that a mean is of; None where there is none."""
        network = self.spec.network
        return self if network is self.spec else None if network is None else Classifier(network)

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
        **options: Unpack[KeywordOptions],
    ) -> Prediction:
        """Predict an image of any size, or a region of it.

        Parameters
        ----------
        image : Image, array or path
            With the channels that the classifier was trained on.
        region : (x, y, width, height), optional
            In full-size pixels; the whole image if not given, with an `OutsideTrainingWarning` where it is unlike
            those of training. The surroundings are read as context.
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
            False computes only the labels, which takes less time and a fraction of the memory.
        **options
            ``grids``, ``blur_px``, ``blur_um``, ``skip_blank``, ``precision``, ``downsample``,
            ``ignore_pixel_size``: see `PredictOptions`.

        Returns
        -------
        Prediction
            At full size, whatever the classifier's downsample, in the image's own pixels. Where the image was resampled
            to the classifier's pixel size, ``prediction.resampling`` says so. The same pixel gets the same answer
            whichever region is asked for (in fp32, and without `skip_blank`).

        Raises
        ------
        PredictionError
            If the image's channels do not fit, its pixel size is more than 16 times that of the classifier or less than
            a 16th of it, an option is unknown, or an argument is out of range.
        RegionError
            If the region is not inside the image.
        PredictionCancelled
            When `should_stop` says so.
        """
        chosen = PredictOptions.of({"overlap": overlap, "blend": blend, "tta": tta, **options})
        job = Job.of(self.spec, open_image(image), region, chosen, within)
        if region is None:
            self._warn(job.image, chosen)
        return predict_region(job, probabilities, progress, should_stop)

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
        overwrite: bool = False,
        **options: Unpack[AnyOptions],
    ) -> StoredPrediction:
        """Predict into a file as it goes along, in memory that does not grow with the image.

        An interrupted prediction resumes where it was when this is called again in the same way. If the classifier,
        the image or a setting has changed, it starts again, with a `PredictionReplacedWarning`.

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
            Whether to warn where an earlier prediction is replaced.
        overwrite : bool, default False
            Whether the prediction of another image at `out` is replaced; if not, that is an error.
        **options
            See `PredictOptions`. The image is predicted in blocks of about 2112 pixels or more; the result is that of
            `predict`.

        Returns
        -------
        StoredPrediction
            As `open_prediction` opens it.

        Raises
        ------
        PredictionError
            If the image's channels do not fit, pixel sizes are too far apart, an option is unknown, an argument is out
            of range, `out` is an address, or something else is there.
        RegionError
            If the region is not inside the image.
        PredictionCancelled
            When `should_stop` says so; what was made is kept.
        """
        chosen = PredictOptions.of(options)
        path, opened = as_path(out, PredictionError), open_image(image)
        if region is None:
            self._warn(opened, chosen)
        return inference.predict_to_disk(
            self.spec,
            opened,
            path,
            region,
            probabilities,
            chosen,
            progress,
            should_stop,
            announce=announce,
            overwrite=overwrite,
        )

    def check(self, image: Image | np.ndarray | str | PathLike[str]) -> list[RangeWarning]:
        """Say whether an image is like those that the classifier was trained on.

        Returns
        -------
        list of RangeWarning
            Empty where it is; else what is unlike, with its numbers, and what to do.

        Raises
        ------
        PredictionError
            If the image's channels do not fit.
        """
        return check_image(self.spec, open_image(image))

    def _warn(self, image: Image, options: PredictOptions) -> None:
        """Warn the caller of the caller of this where the image is unlike those of training."""
        for found in check_image(self.spec, image, options.ignore_pixel_size):
            warning = OutsideTrainingWarning(f"{found.title}. {found.detail}", found.evidence)
            warnings.warn(warning, stacklevel=3)

    def adapted_to(
        self,
        images: Image | np.ndarray | str | PathLike[str] | Iterable[Image | np.ndarray | str | PathLike[str]],
        region: Region | tuple[int, int, int, int] | None = None,
        seed: int = 0,
        share: float = 1.0,
    ) -> "Classifier":
        """Measure the network's batch-norm statistics again on new images (AdaBN); nothing is trained.

        Helps where stain or scanner differ from those of training. Look at the result: statistics of an image of
        little tissue, or without one of the classes, can make it worse.

        Source: Li et al., "Revisiting batch normalization for practical domain adaptation", 2016.

        Parameters
        ----------
        images : Image, array or path, or a list of them
        region : (x, y, width, height), optional
            The only pixels that are measured, of each image.
        seed : int, default 0
            For the places that are measured.
        share : float, default 1
            Weight of what is measured, above 0; the rest are the statistics from training. Less than 1 is safer where
            the new images hold the classes in other proportions.

        Returns
        -------
        Classifier
            A new one; this one stays as it was. Its ``scores`` say that it was adapted and hold the earlier ones
            separately, since it has not been scored itself.

        Raises
        ------
        ClassifierError
            If this is not a network, or one without batch norm.
        PredictionError, RegionError
            If channels do not fit, or the region is not inside an image.
        """
        return Classifier(inference.adapted(self.spec, open_images(images), region, seed, share))

    def save(self, folder: str | PathLike[str]) -> None:
        """Write the classifier into a folder: ``classifier.json`` and ``model.safetensors``.

        The folder is written whole beside its place and then moved there: an earlier classifier is replaced, and the
        folder is never half written.

        Raises
        ------
        ClassifierError
            If the folder cannot be written, or holds something else.
        """
        write_folder(self.spec, folder)

    @staticmethod
    def load(folder: str | PathLike[str]) -> "Classifier":
        """Load a classifier that `save` wrote. Nothing is unpickled.

        Raises
        ------
        ClassifierError
            If the folder or a file is missing, damaged, or written by a newer version; the message names it.
        """
        return Classifier(read_folder(folder))

    def export_onnx(
        self,
        path: str | PathLike[str],
        *,
        progress: ExportProgress | None = None,
        should_stop: ShouldStop | None = None,
        max_seconds: float = MAX_SECONDS,
    ) -> None:
        """Write the network as ONNX: "pixels" (N, C, H, W), normalized, to "probabilities" (N, K, H, W).

        Classes, channels, normalization, pixel size, downsample and tile size are written into the file, for
        `from_onnx`. Of a mean only its network is written; a `HistowidgetsWarning` says so.

        It is done in a process of its own, so that it does not disturb a training; where no process can be started, it
        waits until nothing is being trained. The file is compared with the network before it replaces an older one.

        Parameters
        ----------
        path : path
        progress : callable, optional
            ``progress(done, total, step)`` as each step begins, and at the end; `step` is text.
        should_stop : callable, optional
            Asked several times a second; True cancels the export.
        max_seconds : float, default 900
            It is given up after this time.

        Raises
        ------
        ClassifierError
            If this is not a network, the packages for it are missing, the file cannot be written, or the export failed
            or took too long.
        ExportCancelled
            When `should_stop` says so.
        """
        write_onnx(self.spec, path, progress, should_stop, max_seconds)

    def export_qupath(
        self,
        folder: str | PathLike[str],
        *,
        progress: ExportProgress | None = None,
        should_stop: ShouldStop | None = None,
        max_seconds: float = MAX_SECONDS,
    ) -> None:
        """Write the folder that the QuPath extension "DL pixel classifier" loads: model.onnx and metadata.json.

        The ONNX goes from "input" (N, C, H, W), normalized, to "output", logits (N, K, H, W). The metadata hold
        classes with their colours, channels, pixel size, downsample, and the normalization with the numbers that
        are used here. The extension cannot match stains: a `HistowidgetsWarning` says so where this classifier does.

        Parameters
        ----------
        folder : path
        progress, should_stop, max_seconds
            See `export_onnx`.

        Raises
        ------
        ClassifierError
            If this is not a network, the packages for it are missing, the folder cannot be written, or the export
            failed or took too long.
        ExportCancelled
            When `should_stop` says so.
        """
        write_qupath_folder(self.spec, as_path(folder, ClassifierError), progress, should_stop, max_seconds)

    @staticmethod
    def from_onnx(
        path: str | PathLike[str],
        classes: Sequence[str] | None = None,
        normalization: Normalization | None = None,
        *,
        colors: Mapping[str, str] | Sequence[str] | None = None,
        channel_names: Sequence[str] | None = None,
        pixel_size_um: float | None = None,
        downsample: int | None = None,
        tile_size: int | None = None,
    ) -> "Classifier":
        """Make a classifier of any ONNX model of (N, C, H, W) in [0, 1] to (N, K, H, W).

        Files of `export_onnx` and `export_qupath` say how they are to be used; what is given here overrides that.
        Where it is damaged a `HistowidgetsWarning` says so, and it is not used.

        Parameters
        ----------
        path : path
        classes : sequence of str, optional
            In the order of its output; those of the file if it names them.
        normalization : Normalization, optional
            Fitted, or "fixed_range"; that of the file if it has one.
        colors : mapping or sequence, optional
            Those of the file, or colour-blind safe ones.
        channel_names : sequence of str, optional
            In the order of its input. By default those of the file, or Gray; Red, Green, Blue; Channel 1, Channel 2, …
            for its number of channels.
        pixel_size_um, downsample
            As for `ClassifierSpec`; by default those of the file.
        tile_size : int, optional
            As for `ClassifierSpec`; by default that of the file, or 256 where it takes any.

        Raises
        ------
        ClassifierError
            If onnxruntime is missing, the file is not ONNX, its channels, classes, tile size or opset do not fit, or
            neither the file nor the caller names classes and normalization.
        """
        return Classifier(
            spec_from_onnx(
                path,
                classes=classes,
                normalization=normalization,
                colors=colors,
                channel_names=channel_names,
                pixel_size_um=pixel_size_um,
                downsample=downsample,
                tile_size=tile_size,
            )
        )
