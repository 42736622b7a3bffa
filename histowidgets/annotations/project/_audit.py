"""The record of an audit: places drawn at random, and what a person saw at each."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from histowidgets.annotations.shapes import FARTHEST
from histowidgets.errors import AuditError, ClassNameError

#: Fewest points that are drawn for an audit, how many by default, and most.
FEWEST_POINTS, USUAL_POINTS, MOST_POINTS = 10, 100, 2_000


@dataclass(frozen=True)
class AuditPoint:
    """A pixel whose class a person judges.

    Attributes
    ----------
    index : int
        Its place in the order in which the points are shown, from 0.
    image_name : str
    x, y : int
        The pixel, in full-size pixels.
    predicted : str
        The predicted class; left out when the point is printed, since it should not be known before the judgement.
    """

    index: int
    image_name: str
    x: int
    y: int
    predicted: str = field(repr=False)


@dataclass(frozen=True)
class Judgement:
    """What a person saw at a point.

    Attributes
    ----------
    point : int
        Index of the point.
    class_name : str or None
        The class; None if the person could not tell.
    time : float
        When, in seconds since 1970.
    annotator : str
        Who; may be empty.
    """

    point: int
    class_name: str | None
    time: float
    annotator: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {"class": self.class_name, "time": self.time, "annotator": self.annotator}

    @classmethod
    def from_dict(cls, point: int, values: Mapping[str, Any]) -> "Judgement":
        """Make a judgement from the values of `to_dict`; KeyError, TypeError or ValueError if one is missing."""
        name, when = values["class"], float(values["time"])
        if not math.isfinite(when):
            raise ValueError(f"the time is {when}")
        return cls(point, None if name is None else str(name), when, str(values.get("annotator", "")))


@dataclass(frozen=True)
class AuditRecord:
    """An audit as a project keeps it: how its points were drawn, and what was seen there so far.

    It keeps the classes that there were when it was drawn; only a class that is renamed later is renamed in it.

    Attributes
    ----------
    id : str
        Unique in the project.
    time : float
        When it was drawn, in seconds since 1970.
    seed : int
        Of the draw.
    classes : tuple of str
        The classes that a point can have: those of the project.
    pixels : mapping of image name to tuple of int
        Number of pixels that were predicted as each of the classes.
    points : tuple of AuditPoint
        In the order in which they are shown.
    classifier, fingerprint : str
        Name of the classifier, and a hash of it and its options; each may be empty.
    left_out : mapping of image name to str
        Images without points, and why.
    judgements : tuple of Judgement
        At most one for each point; the latest last.
    annotated : bool
        Whether the judgements were made annotations, which classifiers may be trained on.
    """

    id: str
    time: float
    seed: int
    classes: tuple[str, ...]
    pixels: Mapping[str, tuple[int, ...]]
    points: tuple[AuditPoint, ...]
    classifier: str = ""
    fingerprint: str = ""
    left_out: Mapping[str, str] = field(default_factory=dict)
    judgements: tuple[Judgement, ...] = ()
    annotated: bool = False

    def check(self) -> None:
        """Raise AuditError if the points do not fit the classes and the images, or there are none."""
        if not 1 <= len(self.points) <= MOST_POINTS:
            raise AuditError(f"An audit has 1 to {MOST_POINTS:,} points; these are {len(self.points):,}.")
        if len(set(self.classes)) != len(self.classes):
            raise AuditError("The classes of an audit must differ from each other.")
        for name, counts in self.pixels.items():
            if len(counts) != len(self.classes) or min(counts, default=0) < 0:
                raise AuditError(f"An audit needs a number of pixels for each class of image {name!r}.")
        for index, point in enumerate(self.points):
            known = point.image_name in self.pixels and point.predicted in self.classes
            if point.index != index or not known or not (0 <= point.x <= FARTHEST and 0 <= point.y <= FARTHEST):
                raise AuditError(f"Point {index} of the audit fits neither its images nor its classes.")

    @cached_property
    def by_point(self) -> dict[int, Judgement]:
        """The judgement of each judged point, by its index."""
        return {one.point: one for one in self.judgements}

    def point(self, index: object) -> AuditPoint:
        """Return a point by its index (AuditError if there is none)."""
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(self.points):
            raise AuditError(f"The point is {index!r}; the points of this audit are 0 to {len(self.points) - 1}.")
        return self.points[index]

    def known_class(self, name: object) -> str | None:
        """Return a class of the audit, or None for "cannot tell" (ClassNameError if it is neither)."""
        if name is None or (isinstance(name, str) and name in self.classes):
            return name
        raise ClassNameError(
            f"There is no class {name!r} in this audit; its classes are {', '.join(self.classes)}. Give one of them, "
            "or None where you cannot tell."
        )

    def with_class_renamed(self, old: str, new: str) -> "AuditRecord":
        """Return the audit with another name for one of its classes."""
        return replace(
            self,
            classes=tuple(new if name == old else name for name in self.classes),
            points=tuple(replace(one, predicted=new) if one.predicted == old else one for one in self.points),
            judgements=tuple(replace(one, class_name=new) if one.class_name == old else one for one in self.judgements),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return how the points were drawn, without judgements, as plain values for JSON."""
        images, classes = list(self.pixels), list(self.classes)
        return {
            "id": self.id,
            "time": self.time,
            "seed": self.seed,
            "classes": classes,
            "pixels": {name: list(counts) for name, counts in self.pixels.items()},
            "points": [[images.index(p.image_name), p.x, p.y, classes.index(p.predicted)] for p in self.points],
            "classifier": self.classifier,
            "fingerprint": self.fingerprint,
            "left_out": dict(self.left_out),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "AuditRecord":
        """Make a record from the result of `to_dict`; `check` is not called.

        Raises
        ------
        KeyError, IndexError, TypeError, ValueError
            If a field is missing or of the wrong type.
        """
        classes = tuple(str(name) for name in values["classes"])
        pixels = {str(name): tuple(int(n) for n in counts) for name, counts in values["pixels"].items()}
        when = float(values["time"])
        if not math.isfinite(when):
            raise ValueError(f"the time is {when}")
        return cls(
            id=str(values["id"]),
            time=when,
            seed=int(values["seed"]),
            classes=classes,
            pixels=pixels,
            points=_points(values["points"], list(pixels), classes),
            classifier=str(values.get("classifier", "")),
            fingerprint=str(values.get("fingerprint", "")),
            left_out={str(name): str(why) for name, why in values.get("left_out", {}).items()},
        )


def _points(rows: Sequence[Sequence[int]], images: list[str], classes: tuple[str, ...]) -> tuple[AuditPoint, ...]:
    """Read the points from rows of image, x, y and class, none of them negative."""
    if min((number for row in rows for number in row), default=0) < 0:
        raise ValueError("a point has a negative number")
    return tuple(
        AuditPoint(index, images[image], int(x), int(y), classes[predicted])
        for index, (image, x, y, predicted) in enumerate(rows)
    )
