"""An annotation: a shape with a class, an annotator and a time."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from histowidgets.annotations.shapes._shapes import Shape, shape_from_dict
from histowidgets.errors import ShapeError


@dataclass(frozen=True)
class Annotation:
    """A shape with a class.

    Attributes
    ----------
    id : str
        Unique in the project.
    shape : Shape
    class_name : str or None
        The class; None for an eraser, which removes what was drawn under it before.
    time : float
        Time of drawing, in seconds since 1970.
    annotator : str
        Name of the annotator; may be empty.
    """

    id: str
    shape: Shape
    class_name: str | None
    time: float
    annotator: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {
            "id": self.id,
            "class": self.class_name,
            "time": self.time,
            "annotator": self.annotator,
            "shape": self.shape.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Annotation":
        """Make an annotation from the result of `to_dict`.

        Raises
        ------
        ShapeError
            If a field is missing or invalid.
        """
        try:
            name = values["class"]
            drawn_at = float(values["time"])
            if not math.isfinite(drawn_at):
                raise ShapeError(f"The time of an annotation is {drawn_at}; it must be in seconds since 1970.")
            return cls(
                str(values["id"]),
                shape_from_dict(values["shape"]),
                None if name is None else str(name),
                drawn_at,
                str(values["annotator"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            if isinstance(error, ShapeError):
                raise
            raise ShapeError(f"An annotation has a missing or invalid field: {error!r}.") from error


def drawn_by(annotations: Iterable[Annotation], annotator: str) -> list[Annotation]:
    """Return the annotations of one person, in drawing order, with everyone's erasers.

    What anyone has erased is no longer a label of anyone.
    """
    return [one for one in annotations if one.class_name is None or one.annotator == annotator]
