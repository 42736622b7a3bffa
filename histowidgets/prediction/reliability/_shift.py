"""Measure how many pixels change their class when the image is moved a little."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any, Unpack

import numpy as np

from histowidgets._checks import is_within
from histowidgets.annotations import UNLABELLED
from histowidgets.errors import PredictionError
from histowidgets.images import Image, Region, open_image
from histowidgets.prediction._classifier import Classifier
from histowidgets.prediction.inference import AnyOptions, Job, PredictOptions, ShouldStop, predict_region

#: Number of pixels that are compared by default: images of up to this size are compared as a whole.
COMPARED_PIXELS = 1_000_000

#: Columns and rows of the moves by odd numbers of pixels, which change the phase of every stride of a network.
ODD_MOVES = ((1, 1), (7, 13))

#: Largest side of a window that is compared in a larger image, in pixels.
WINDOW = 512

#: At most this share of each side is left out at each edge.
_MOST_EDGE = 0.25


@dataclass(frozen=True)
class ShiftSensitivity:
    """The share of pixels whose class changes when the image is moved.

    Attributes
    ----------
    changed : float
        Mean over the moves, 0 to 1.
    by_move : mapping of (int, int) to float
        The share for each move (columns, rows), in pixels at the classifier's pixel size.
    pixels : int
        Number of pixels that were compared for each move.
    """

    changed: float
    by_move: Mapping[tuple[int, int], float]
    pixels: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        moves = [{"move": list(move), "changed": share} for move, share in self.by_move.items()]
        return {"changed": self.changed, "moves": moves, "pixels": self.pixels}


def shift_sensitivity(
    classifier: Classifier,
    image: Image | np.ndarray | str | PathLike[str],
    *,
    max_pixels: int = COMPARED_PIXELS,
    seed: int = 0,
    should_stop: ShouldStop | None = None,
    **options: Unpack[AnyOptions],
) -> ShiftSensitivity:
    """Measure the share of pixels whose class changes when the image is moved.

    A network with strides and tiles answers a little differently when its input moves, although the tissue is the same.
    The image is predicted as it is, moved by half a tile, and moved by odd numbers of pixels, with mirrored pixels
    where it came from; the classes of the same pixels are compared. Pixels near an edge are left out, as far as the
    classifier's context reaches, but at most a quarter of a side. A tenth of a per cent is excellent; above three per
    cent, areas depend on where the tiles happen to lie: use `tta`, more strokes, or a longer training.

    Parameters
    ----------
    classifier : Classifier
    image : Image, array or path
    max_pixels : int, default 1000000
        Number of pixels to compare, from 1. Of a larger image, windows of up to 512 x 512 pixels are drawn at random
        until they have this many pixels.
    seed : int, default 0
        Seed for the places of the windows.
    should_stop : callable, optional
        Called before each batch of tiles; if it returns True, the measurement is cancelled.
    **options
        See `PredictOptions`; the precision is fp32 unless it is given.

    Returns
    -------
    ShiftSensitivity

    Raises
    ------
    PredictionError
        If the image's channels or pixel size do not fit, an option is unknown, an argument is out of range, or the
        image has no data where it is compared.
    PredictionCancelled
        When `should_stop` says so.

    Examples
    --------
    >>> import histowidgets as hw
    >>> project = hw.Project(classes=["Stroma", "Gland"])
    >>> name = project.add_image(hw.samples.colon_ihc())
    >>> _ = project.annotate(name, hw.Stroke([(330, 180), (350, 200)]), "Stroma")
    >>> _ = project.annotate(name, hw.Stroke([(60, 60), (80, 90)]), "Gland")
    >>> classifier = hw.quick_classifier(project)
    >>> hw.shift_sensitivity(classifier, hw.samples.colon_ihc(), max_pixels=40_000).changed < 0.1
    True
    """
    if isinstance(max_pixels, bool) or not isinstance(max_pixels, int | np.integer) or max_pixels < 1:
        raise PredictionError(f"max_pixels is {max_pixels!r}; expected a whole number of at least 1.")
    if not is_within(seed, 0, 2**63):
        raise PredictionError(f"seed is {seed!r}; expected a whole number of at least 0.")
    opened = open_image(image)
    chosen = PredictOptions.of({"precision": "fp32", **options})
    whole = Job.of(classifier.spec, opened, None, chosen)
    jobs = [replace(whole, region=window, keep=False) for window in _windows(whole, int(max_pixels), int(seed))]
    half = max(max(plan.rows.size, plan.cols.size) for plan in whole.plans) * whole.downsample // 2
    moves = ((half, half), *ODD_MOVES)
    changed, compared = dict.fromkeys(moves, 0), 0
    for job in jobs:
        before = predict_region(job, False, should_stop=should_stop).labels
        valid = before != UNLABELLED
        compared += int(valid.sum())
        for move in moves:
            after = predict_region(replace(job, moved=move), False, should_stop=should_stop).labels
            changed[move] += int(((before != after) & valid).sum())
    if not compared:
        raise PredictionError(f"Image {opened.name!r} has no data where it would be compared. Choose another image.")
    shares = {move: count / compared for move, count in changed.items()}
    return ShiftSensitivity(float(np.mean(list(shares.values()))), shares, compared)


def _windows(job: Job, most: int, seed: int) -> list[Region]:
    """Choose the regions to compare, in full-size pixels: all with full context, or windows drawn at random."""
    image = job.image
    step = max(place.scale for place in job.places) / job.scale  # full-size pixels per pixel of the seen image
    edge = round(job.spec.model.context * job.downsample * step)
    x, y = (min(edge, int(side * _MOST_EDGE)) for side in (image.width, image.height))
    inner = Region(x, y, image.width - 2 * x, image.height - 2 * y)
    if inner.area <= most:
        return [inner]
    width, height = (min(side, WINDOW, max(1, int(most**0.5))) for side in (inner.width, inner.height))
    rng = np.random.default_rng(seed)
    n = max(1, most // (width * height))
    return [
        Region(
            inner.x + int(rng.integers(inner.width - width + 1)),
            inner.y + int(rng.integers(inner.height - height + 1)),
            width,
            height,
        )
        for _ in range(n)
    ]
