"""Prediction of what is in view; its cells are kept, so that a pan computes only what is new."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from histowidgets.errors import PredictionError, RegionError
from histowidgets.images import Image, Region
from histowidgets.prediction._spec import ClassifierSpec
from histowidgets.prediction.inference._job import Job
from histowidgets.prediction.inference._options import PredictOptions, ShouldStop
from histowidgets.prediction.inference._tiled import as_prediction, predict_map
from histowidgets.prediction.pixel_models import FeatureCache
from histowidgets.prediction.results import Prediction
from histowidgets.prediction.tiling import ProbabilityMap

#: Side of the cells, at the classifier's downsample, in which predictions of what is in view are kept, and the largest
#: downsample for which they grow.
VIEW_CELL, MOST_CELL_SCALE = 128, 8

#: Bytes of probabilities that are kept.
VIEW_BYTES = 64 << 20

#: Pixels, at the classifier's downsample, above which a view takes too long to predict while the user waits.
VIEW_PIXELS = 4_200_000

_Cell = tuple[int, int]
"""Row and column of a cell; cells are counted from the image's corner."""


class ViewPredictor:
    """Predicts what is in view with one classifier, and keeps the cells it is made of as far as memory allows.

    Safe to use from several threads.

    Parameters
    ----------
    spec : ClassifierSpec
        That of a classifier: ``classifier.spec``.
    max_bytes : int, default 64 MiB
        Of probabilities that are kept; the least recently used are dropped first.

    Attributes
    ----------
    spec : ClassifierSpec
    computed : int
        Number of cells that were computed so far.

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
        self._cells: FeatureCache[_Values] = FeatureCache(max_bytes)

    @property
    def nbytes(self) -> int:
        """Memory that the kept cells take, in bytes."""
        return self._cells.nbytes

    def missing(self, image: Image, region: Region) -> int:
        """Return how many pixels of the image have to be computed to show a region; 0 if all are kept."""
        job = self._job(image, region)
        return sum(self._cell_region(job, cell).area for cell in self._absent(job))

    def predict(self, image: Image, region: Region, should_stop: ShouldStop | None = None) -> Prediction:
        """Predict a region.

        Parameters
        ----------
        image : Image
            The same object each time: cells are kept for it as long as it lives.
        region : Region
            In full-size pixels; what sticks out of the image is left out.
        should_stop : callable, optional
            Asked before each tile; True stops. What was computed until then is kept.

        Returns
        -------
        Prediction
            Its region may reach out by less than a value of the probability map, to whole values of it.

        Raises
        ------
        RegionError
            If the region shares no pixel with the image.
        PredictionError
            If it is too large to be predicted at once, or the channels do not fit.
        PredictionCancelled
            When `should_stop` says so.
        """
        job = self._job(image, region)
        for part in _rectangles(self._absent(job)):
            self._compute(job, part, should_stop)
        return self._prediction(job, should_stop)

    def _job(self, image: Image, region: Region) -> Job:
        inside = Region(*region).intersect(image.region)
        if inside is None:
            raise RegionError(f"{region} shares no pixel with image {image.name!r}. Show a part of the image.")
        if inside.area > VIEW_PIXELS * self.spec.downsample**2:
            raise PredictionError(
                f"{inside} has {inside.area / 1e6:.0f} million pixels, too many to predict at once. Zoom "
                "in, or predict it with classifier.predict_to."
            )
        job = Job.of(self.spec, image, inside, PredictOptions(precision="fp32"))
        d = job.scale
        left, top = inside.x // d * d, inside.y // d * d
        right, bottom = min(-(-inside.right // d) * d, image.width), min(-(-inside.bottom // d) * d, image.height)
        return replace(job, region=Region.from_edges(left, top, right, bottom))

    def _absent(self, job: Job) -> list[_Cell]:
        return [cell for cell in _cells_of(job) if not self._cells.has(job.image, cell)]

    def _cell_region(self, job: Job, cell: _Cell) -> Region:
        side = _side(job)
        whole = Region(cell[1] * side, cell[0] * side, side, side)
        return whole.intersect(job.image.region) or whole

    def _compute(self, job: Job, cells: list[_Cell], should_stop: ShouldStop | None) -> None:
        """Predict a rectangle of cells at once, and keep each."""
        wanted = self._cell_region(job, cells[0]).union(self._cell_region(job, cells[-1]))
        values = predict_map(replace(job, region=wanted), None, should_stop).values
        for cell in cells:
            own = self._cell_region(job, cell)
            y, x = (own.y - wanted.y) // job.scale, (own.x - wanted.x) // job.scale
            rows, cols = -(-own.height // job.scale), -(-own.width // job.scale)
            part = _Values(values[:, y : y + rows, x : x + cols].astype(np.float16))
            self._cells.get(job.image, cell, lambda part=part: part)  # type: ignore[misc]
            self.computed += 1

    def _prediction(self, job: Job, should_stop: ShouldStop | None) -> Prediction:
        """Put cells together; one that has been dropped to save memory is computed again."""
        out = np.empty(job.shape, np.float16)
        for cell in _cells_of(job):
            own = self._cell_region(job, cell)
            kept = self._cells.get(job.image, cell, lambda own=own: self._again(job, own, should_stop)).values  # type: ignore[misc]
            inside = own.intersect(job.region)
            if inside is None:
                continue
            s = job.scale
            y, x = (inside.y - own.y) // s, (inside.x - own.x) // s
            top, left = (inside.y - job.region.y) // s, (inside.x - job.region.x) // s
            rows, cols = -(-inside.height // s), -(-inside.width // s)
            out[:, top : top + rows, left : left + cols] = kept[:, y : y + rows, x : x + cols]
        found = ProbabilityMap(out, job.region.width, job.region.height, job.scale)
        return as_prediction(job, found)

    def _again(self, job: Job, region: Region, should_stop: ShouldStop | None) -> "_Values":
        self.computed += 1
        return _Values(predict_map(replace(job, region=region), None, should_stop).values.astype(np.float16))


@dataclass(frozen=True)
class _Values:
    """Probabilities of a cell, float16 (K, rows, cols): twice as many are kept as of float32."""

    values: np.ndarray

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""
        return int(self.values.nbytes)


def _side(job: Job) -> int:
    """Side of a cell in full-size pixels: whole values of the map."""
    return VIEW_CELL * min(job.downsample, MOST_CELL_SCALE) // job.scale * job.scale or job.scale


def _cells_of(job: Job) -> list[_Cell]:
    side, region = _side(job), job.region
    rows = range(region.y // side, -(-region.bottom // side))
    cols = range(region.x // side, -(-region.right // side))
    return [(i, j) for i in rows for j in cols]


def _rectangles(cells: list[_Cell]) -> Iterator[list[_Cell]]:
    """Group cells into rectangles, row by row: after a pan there are one or two."""
    left = set(cells)
    while left:
        i, j = min(left)
        width = 1
        while (i, j + width) in left:
            width += 1
        height = 1
        while all((i + height, j + k) in left for k in range(width)):
            height += 1
        found = [(i + r, j + k) for r in range(height) for k in range(width)]
        left -= set(found)
        yield found
