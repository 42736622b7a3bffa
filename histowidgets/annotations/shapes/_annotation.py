"""An annotation: a shape with a class, and who drew it when."""

import math
from collections.abc import Mapping
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
        None is an eraser: it removes what was drawn before it where it lies.
    time : float
        When it was drawn, in seconds since 1970.
    annotator : str
        Who drew it; may be empty.
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
        """Make an annotation from what `to_dict` gave.

        Raises
        ------
        ShapeError
            If a field is missing or bad.
        """
        try:
            name = values["class"]
            drawn_at = float(values["time"])
            if not math.isfinite(drawn_at):
                raise ShapeError(f"The time of an annotation is {drawn_at}; seconds since 1970 are wanted.")
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
            raise ShapeError(f"An annotation lacks a field, or has a bad one: {error!r}.") from error
