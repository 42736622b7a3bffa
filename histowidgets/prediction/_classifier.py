"""The public class `Classifier`: predict, save, load, export."""

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
from histowidgets.prediction.bioimage import PackageDescription, is_package, read_package, write_package
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
    """A pixel classifier, made by training and saved in a folder.

    Parameters
    ----------
    spec : ClassifierSpec
        The model with all that is needed to use it. It is immutable; to change the name, for example, use
        ``Classifier(dataclasses.replace(classifier.spec, name="x"))``.

    Raises
    ------
    ClassifierError
        If `spec` is not a ClassifierSpec.

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
        """The model and everything that describes it."""
        return self._spec

    @property
    def kind(self) -> str:
        """The kind of the model: "network", "quick", "onnx", or "mean" of several."""
        return self.spec.kind

    @property
    def model(self) -> PixelModel:
        """The model, which computes probabilities from pixels."""
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
        """Channels of the training images; at prediction, channels are matched by name."""
        return self.spec.channel_names

    @property
    def normalization(self) -> Normalization:
        """How pixels are scaled for the model, with the statistics of the training images."""
        return self.spec.normalization

    @property
    def pixel_size_um(self) -> float | None:
        """Pixel size at which it was trained, and to which images are resampled; None if unknown."""
        return self.spec.pixel_size_um

    @property
    def downsample(self) -> int:
        """Full-size pixels along each side of a pixel that the model sees."""
        return self.spec.downsample

    @property
    def tile_size(self) -> int:
        """Side of a training tile, in pixels at `downsample`."""
        return self.spec.tile_size

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that it was trained with."""
        return self.spec.settings

    @property
    def scores(self) -> dict[str, Any]:
        """Its scores on the held-out labels."""
        return self.spec.scores

    @property
    def history(self) -> Sequence[Mapping[str, Any]]:
        """The history of its training: one record for each epoch."""
        return self.spec.history

    @property
    def trained_on(self) -> dict[str, Any]:
        """The run, images and annotations that it was trained on."""
        return self.spec.trained_on

    @property
    def name(self) -> str:
        """The name of the classifier."""
        return self.spec.name

    @property
    def parts(self) -> tuple["Classifier", ...]:
        """The classifiers of an ensemble, each usable on its own; empty for other kinds."""
        return tuple(Classifier(part) for part in self.spec.parts)

    @property
    def network(self) -> "Classifier | None":
        """The classifier that is a network: itself, or the part of an ensemble; None if there is none."""
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
            Must have the channels that the classifier was trained on.
        region : (x, y, width, height), optional
            In full-size pixels; by default the whole image, with an `OutsideTrainingWarning` if it is unlike the
            training images. The surroundings of the region are read as context.
        overlap, blend, tta
            See `PredictOptions`.
        progress : callable, optional
            ``progress(done, total, seconds_left)`` is called after each tile, or each batch of tiles.
        should_stop : callable, optional
            Called before each batch; if it returns True, the prediction is cancelled.
        within : Region, optional
            The only pixels that may be read, also as context; by default the whole image. Validation uses this to read
            only what was held out.
        probabilities : bool, default True
            With False, only the labels are computed, which takes less time and much less memory.
        **options
            ``grids``, ``blur_px``, ``blur_um``, ``skip_blank``, ``precision``, ``downsample``,
            ``ignore_pixel_size``: see `PredictOptions`.

        Returns
        -------
        Prediction
            At full size, in the image's own pixels, whatever the classifier's downsample. If the image was resampled to
            the classifier's pixel size, ``prediction.resampling`` says so. A pixel gets the same result whichever
            region is predicted (in fp32, and without `skip_blank`).

        Raises
        ------
        PredictionError
            If the image's channels do not fit, its pixel size differs from the classifier's by more than a factor of
            16, an option is unknown, or an argument is out of range.
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
        """Predict directly into a file, with memory use that does not grow with the image.

        An interrupted prediction is resumed by the same call. If the classifier, the image or a setting has changed, it
        starts again, with a `PredictionReplacedWarning`.

        Parameters
        ----------
        image : Image, array or path
        out : path
            ``….zarr`` for an OME-Zarr, or ``….ome.tif`` for a tiled pyramidal OME-TIFF; until the OME-TIFF is complete,
            its parts are kept in a hidden folder beside it.
        region : (x, y, width, height), optional
            In full-size pixels; by default the whole image.
            probabilities : bool, default False
                Whether to store the probabilities too, as uint8 (255 for 1) at full size.
        progress, should_stop
            See `predict`.
        announce : bool, default True
            Whether to warn if an earlier prediction is replaced.
        overwrite : bool, default False
            Whether to replace the prediction of another image at `out`; otherwise this is an error.
        **options
            See `PredictOptions`. The image is predicted in blocks of about 2112 pixels or more, with the same result as
            `predict`.

        Returns
        -------
        StoredPrediction
            The prediction, as opened by `open_prediction`.

        Raises
        ------
        PredictionError
            If the image's channels do not fit, pixel sizes are too far apart, an option is unknown, an argument is out
            of range, `out` is an address, or `out` exists and is not a prediction.
        RegionError
            If the region is not inside the image.
        PredictionCancelled
            If `should_stop` returned True; what is done is kept.
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
        """Check whether an image is like those that the classifier was trained on.

        Returns
        -------
        list of RangeWarning
            Empty if it is; otherwise what differs, with the numbers, and what to do.

        Raises
        ------
        PredictionError
            If the image's channels do not fit.
        """
        return check_image(self.spec, open_image(image))

    def _warn(self, image: Image, options: PredictOptions) -> None:
        """Warn, two frames up the stack, if the image is unlike the training images."""
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
        """Recompute the network's batch-norm statistics on new images (AdaBN), without training.

        This helps if the stain or the scanner differs from training. Check the result: the statistics of an image with
        little tissue, or without one of the classes, can make it worse.

        Source: Li et al., "Revisiting batch normalization for practical domain adaptation", 2016.

        Parameters
        ----------
        images : Image, array or path, or a list of them
        region : (x, y, width, height), optional
            The only pixels of each image to measure.
        seed : int, default 0
            Seed for the choice of the places to measure.
        share : float, default 1
            Weight of the new statistics, above 0; the statistics from training have the rest. Less than 1 is safer if
            the proportions of the classes differ in the new images.

        Returns
        -------
        Classifier
            A new classifier; this one is not changed. Its ``scores`` say that it was adapted, and hold the earlier
            scores separately, since the new classifier has not been scored.

        Raises
        ------
        ClassifierError
            If the classifier is not a network, or has no batch norm.
        PredictionError, RegionError
            If channels do not fit, or the region is not inside an image.
        """
        return Classifier(inference.adapted(self.spec, open_images(images), region, seed, share))

    def save(self, folder: str | PathLike[str]) -> None:
        """Write the classifier into a folder: ``classifier.json`` and ``model.safetensors``.

        The folder is written under a temporary name and then renamed, so that it is never incomplete. An earlier
        classifier is replaced.

        Raises
        ------
        ClassifierError
            If the folder cannot be written, or contains other files.
        """
        write_folder(self.spec, folder)

    @staticmethod
    def load(folder: str | PathLike[str]) -> "Classifier":
        """Load a classifier that `save` or `export_bioimage` wrote, without unpickling.

        Parameters
        ----------
        folder : path
            The folder of a classifier, or a BioImage.IO package (zip file or folder) of ours, which needs the extra
            ``onnx``.

        Raises
        ------
        ClassifierError
            If the folder or a file is missing, damaged, or of a newer version; the message names it.
        """
        path = as_path(folder, ClassifierError)
        return Classifier(read_package(path) if is_package(path) else read_folder(path))

    def export_onnx(
        self,
        path: str | PathLike[str],
        *,
        progress: ExportProgress | None = None,
        should_stop: ShouldStop | None = None,
        max_seconds: float = MAX_SECONDS,
    ) -> None:
        """Export the network as ONNX, from "pixels" (N, C, H, W), normalized, to "probabilities" (N, K, H, W).

        Classes, channels, normalization, pixel size, downsample and tile size are written into the file, for
        `from_onnx`. Of an ensemble only the network is written, with a `HistowidgetsWarning`.

        The export runs in a separate process, so that it does not disturb a running training; if no process can be
        started, it waits until no training is running. The file is checked against the network before it replaces an
        older one.

        Parameters
        ----------
        path : path
        progress : callable, optional
            ``progress(done, total, step)`` is called as each step begins, and at the end; `step` is text.
        should_stop : callable, optional
            Called several times a second; if it returns True, the export is cancelled.
        max_seconds : float, default 900
            The export fails after this time.

        Raises
        ------
        ClassifierError
            If the classifier has no network, packages are missing, the file cannot be written, or the export failed or
            took too long.
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
        """Export a folder for the QuPath extension "DL pixel classifier": model.onnx and metadata.json.

        The ONNX model maps "input" (N, C, H, W), normalized, to "output", logits (N, K, H, W). The metadata contain
        classes with their colours, channels, pixel size, downsample, and the normalization with its statistics. The
        extension cannot match stains; if this classifier does, there is a `HistowidgetsWarning`.

        Parameters
        ----------
        folder : path
        progress, should_stop, max_seconds
            See `export_onnx`.

        Raises
        ------
        ClassifierError
            If the classifier has no network, packages are missing, the folder cannot be written, or the export failed
            or took too long.
        ExportCancelled
            When `should_stop` says so.
        """
        write_qupath_folder(self.spec, as_path(folder, ClassifierError), progress, should_stop, max_seconds)

    def export_bioimage(
        self,
        path: str | PathLike[str],
        *,
        image: Image | np.ndarray | str | PathLike[str] | None = None,
        name: str = "",
        description: str = "",
        authors: Sequence[str] = (),
        license: str | None = None,
        cite: Sequence[tuple[str, str]] = (),
        progress: ExportProgress | None = None,
        should_stop: ShouldStop | None = None,
        max_seconds: float = MAX_SECONDS,
    ) -> None:
        """Export a BioImage.IO model package, for ilastik, deepImageJ and other programs; needs the extra ``bioimage``.

        The zip file has the network as ONNX, its description (``rdf.yaml``, format 0.5) with the normalization, the
        pixel size and the halo, an input with its expected output, a README and a cover. BioImage.IO's own test is run
        on it before it replaces an older file. `load` reads it back. Other programs cannot match stains; if this
        classifier does, there is a `HistowidgetsWarning`. Of an ensemble only the network is written, with a warning.

        Parameters
        ----------
        path : path
            The file to write, ``.zip``.
        image : Image, array or path, optional
            Its middle becomes the test input and the cover; by default seeded noise in the range of the training
            images. Choose one that may be published.
        name, description : str
            By default from the classes.
        authors : sequence of str
        license : str, optional
            SPDX identifier of the licence under which you publish the weights, such as "CC-BY-4.0".
        cite : sequence of (str, str)
            Text and DOI or address of works to cite besides histowidgets.
        progress, should_stop, max_seconds
            See `export_onnx`.

        Raises
        ------
        ClassifierError
            If the classifier has no network, packages are missing, the file cannot be written, the description is not
            valid, or the export or the test failed.
        ExportCancelled
            When `should_stop` says so.
        """
        about = PackageDescription(name, description, tuple(authors), license, tuple(cite))
        opened = None if image is None else open_image(image)
        write_package(self.spec, path, opened, about, progress, should_stop, max_seconds)

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
        """Make a classifier from any ONNX model that maps (N, C, H, W) in [0, 1] to (N, K, H, W).

        Files from `export_onnx` and `export_qupath` describe how to use them; the arguments override this description.
        If it is damaged, it is ignored, with a `HistowidgetsWarning`.

        Parameters
        ----------
        path : path
        classes : sequence of str, optional
            In the order of the model's output; by default those of the file.
        normalization : Normalization, optional
            Fitted, or "fixed_range"; by default that of the file.
        colors : mapping or sequence, optional
            By default those of the file, or colour-blind safe ones.
        channel_names : sequence of str, optional
            In the order of the model's input. By default those of the file, or, by their number, Gray; Red, Green,
            Blue; or Channel 1, Channel 2, ….
        pixel_size_um, downsample
            As for `ClassifierSpec`; by default those of the file.
        tile_size : int, optional
            As for `ClassifierSpec`; by default that of the file, or 256 if the model accepts any.

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
