"""Annotations from a prediction: the areas that a person accepts as labels."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from histowidgets._checks import is_within
from histowidgets.annotations import UNLABELLED, Annotation, Polygon, rasterize
from histowidgets.errors import PredictionError
from histowidgets.images import Region
from histowidgets.prediction.results._block import Block, ReadBlock
from histowidgets.prediction.results._objects import PredictedObject


@dataclass(frozen=True)
class Accepted:
    """Which pixels of a prediction become labels; see `PredictionResults.annotations`.

    Attributes
    ----------
    classes : sequence of str
        All classes, in the order of the label map's indices.
    chosen : sequence of str or None
        The classes that are accepted; None for all.
    min_probability : float
        0 to 1.
    inside : sequence of Annotation
        Only pixels inside these; everywhere if there are none.
    existing : sequence of Annotation
        Pixels that these label are left out.

    Raises
    ------
    PredictionError
        If a class is unknown, or the probability is not between 0 and 1.
    """

    classes: Sequence[str]
    chosen: Sequence[str] | None
    min_probability: float
    inside: Sequence[Annotation]
    existing: Sequence[Annotation]

    def __post_init__(self) -> None:
        if not is_within(self.min_probability, 0, 1):
            raise PredictionError(f"min_probability is {self.min_probability!r}; expected a number from 0 to 1.")
        if isinstance(self.chosen, str):
            raise PredictionError(f"classes is {self.chosen!r}; pass a list of classes.")
        unknown = [name for name in self.chosen or () if name not in self.classes]
        if unknown:
            raise PredictionError(f"There is no class {unknown[0]!r}; the classes are {', '.join(self.classes)}.")
        if not all(isinstance(one, Annotation) for one in self.existing):
            raise PredictionError("existing must be annotations, such as project.annotations(name).")

    def reading(self, read: ReadBlock) -> ReadBlock:
        """Return a function that reads the same blocks with only the accepted pixels labelled."""
        left_out = [k for k, name in enumerate(self.classes) if self.chosen is not None and name not in self.chosen]
        # Probabilities are in steps of 1/255, as on disk.
        least = np.ceil(self.min_probability * 255 - 1e-6)

        def accepted(region: Region) -> Block:
            block = read(region)
            unwanted = np.isin(block.labels, left_out)
            if block.confidence is not None and least > 0:
                unwanted |= block.confidence < least
            if self.inside:
                unwanted |= _drawn(self.inside, region) == UNLABELLED
            if self.existing:
                unwanted |= _drawn(self.existing, region) != UNLABELLED
            labels = np.where(unwanted, np.uint8(UNLABELLED), block.labels)
            return Block(region, labels, block.confidence)

        return accepted


def _drawn(annotations: Sequence[Annotation], region: Region) -> np.ndarray:
    """Return 0 where annotations label a pixel of a region, and 255 elsewhere."""
    return rasterize(annotations, dict.fromkeys((one.class_name or "" for one in annotations), 0), region)


def annotations_of(found: Sequence[PredictedObject]) -> list[Annotation]:
    """Return an annotation for the area of each object, without the name of an annotator."""
    now = time.time()
    return [Annotation(uuid.uuid4().hex, Polygon.of(one.polygon), one.class_name, now, "") for one in found]
