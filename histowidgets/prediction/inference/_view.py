"""Predict the region in view; the outputs for its tiles are cached, so that panning computes only new tiles."""

from dataclasses import dataclass

import numpy as np

from histowidgets.errors import PredictionError, RegionError
from histowidgets.images import Image, Region
from histowidgets.prediction._spec import ClassifierSpec
from histowidgets.prediction.inference._job import Job
from histowidgets.prediction.inference._known_answers import Part
from histowidgets.prediction.inference._options import PredictOptions, ShouldStop
from histowidgets.prediction.inference._tiled import TileCount, TiledPrediction, as_prediction
from histowidgets.prediction.pixel_models import FeatureCache
from histowidgets.prediction.results import Prediction

#: Size of the cache of outputs, in bytes.
VIEW_BYTES = 96 << 20

#: Number of pixels, at the classifier's downsample, above which predicting a view takes too long for a waiting user.
VIEW_PIXELS = 4_200_000


class ViewPredictor:
    """Predicts regions in view with one classifier, and caches the outputs for their tiles as far as memory allows.

    The tiles are those of the whole image, so that a view shows the same as the prediction of the image. Thread-safe.

    Parameters
    ----------
    spec : ClassifierSpec
        The spec of the classifier: ``classifier.spec``.
    max_bytes : int, default 96 MiB
        Size of the cache of probabilities; the least recently used are dropped first.

    Attributes
    ----------
    spec : ClassifierSpec
    computed : int
        Number of tiles computed so far.

    Examples
    --------
    >>> import histowidgets as hw
    >>> from histowidgets.images import Region
    >>> project = hw.Project(classes=["Stroma", "Gland"])
    >>> name = project.add_image(hw.samples.colon_ihc())
    >>> _ = project.annotate(name, hw.Stroke([(330, 180), (350, 200)]), "Stroma")
    >>> _ = project.annotate(name, hw.Stroke([(60, 60), (80, 90)]), "Gland")
    >>> view = ViewPredictor(hw.quick_classifier(project).spec)
    >>> view.predict(hw.samples.colon_ihc(), Region(0, 0, 200, 160)).labels.shape
    (160, 200)
    """

    def __init__(self, spec: ClassifierSpec, max_bytes: int = VIEW_BYTES) -> None:
        self.spec = spec
        self.computed = 0
        self._answers: FeatureCache[_Answer] = FeatureCache(max_bytes)

    @property
    def nbytes(self) -> int:
        """Memory that the cached outputs use, in bytes."""
        return self._answers.nbytes

    def missing(self, image: Image, region: Region) -> int:
        """Return the number of tiles that must be computed to show a region; 0 if all are cached."""
        job = self._job(image, region)
        return sum(self._answers.find(job.seen, tile) is None for plan in job.plans for tile in plan.tile_regions())

    def predict(self, image: Image, region: Region, should_stop: ShouldStop | None = None) -> Prediction:
        """Predict a region.

        Parameters
        ----------
        image : Image
            Must be the same object each time: outputs are cached for its lifetime.
        region : Region
            In full-size pixels; parts outside the image are left out.
        should_stop : callable, optional
            Called before each tile; if it returns True, the prediction is cancelled. What was computed is kept.

        Returns
        -------
        Prediction

        Raises
        ------
        RegionError
            If the region shares no pixel with the image.
        PredictionError
            If the region is too large to be predicted at once, or channels or pixel sizes do not fit.
        PredictionCancelled
            When `should_stop` says so.
        """
        job = self._job(image, region)
        count = TileCount(image.name, job.n_tiles, None, should_stop)
        running = TiledPrediction(job, count, known=_Kept(self, job.seen))
        return as_prediction(job, *running.map_and_labels())

    def _job(self, image: Image, region: Region) -> Job:
        inside = Region(*region).intersect(image.region)
        if inside is None:
            raise RegionError(f"{region} is outside image {image.name!r}. Move the view back to the image.")
        job = Job.of(self.spec, image, inside, PredictOptions(precision="fp32"))
        if job.n_seen_pixels > VIEW_PIXELS * self.spec.downsample**2:
            raise PredictionError(
                f"{inside} has {job.n_seen_pixels / 1e6:.0f} million pixels, too many to predict at once. Zoom "
                "in, or use classifier.predict_to."
            )
        return job

    def _get(self, image: Image, tile: Region) -> np.ndarray | None:
        found = self._answers.find(image, tile)
        return None if found is None else found.values

    def _put(self, image: Image, tile: Region, values: np.ndarray) -> None:
        self.computed += 1
        self._answers.get(image, tile, lambda: _Answer(values))


@dataclass(frozen=True)
class _Answer:
    """Probabilities of a tile, float32 (K, rows, cols)."""

    values: np.ndarray

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""
        return int(self.values.nbytes)


class _Kept:
    """The outputs that a view predictor caches for one image."""

    def __init__(self, view: ViewPredictor, image: Image) -> None:
        self._view, self._image = view, image

    def get(self, tile: Region, part: Part) -> np.ndarray | None:
        """Return the output for a tile, if it is cached."""
        return self._view._get(self._image, tile)

    def put(self, tile: Region, answer: np.ndarray) -> None:
        """Store the output for a tile."""
        self._view._put(self._image, tile, answer)
