"""What counts as an object: the options of `PredictionResults.objects`, with their checks."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypedDict

from histowidgets._checks import is_within
from histowidgets.errors import PredictionError

#: Smallest object that is kept by default, in um2 (px2 for an image without a pixel size).
MIN_AREA_UM2 = 10.0

#: Depth at which touching objects are split by default, in um (px for an image without a pixel size).
SPLIT_DEPTH_UM = 0.75

#: Largest depth, in um or px: no nucleus or cell is that deep.
MOST_DEPTH_UM = 100.0

#: How touching objects can be split.
SPLITS = ("distance", "probability")


class ObjectKeywords(TypedDict, total=False):
    """The options of `PredictionResults.objects` that are taken by name only."""

    fill_holes_um2: float
    simplify_um: float
    split: str | None
    split_depth_um: float
    split_classes: Sequence[str] | None


@dataclass(frozen=True)
class ObjectOptions:
    """What counts as an object; see `PredictionResults.objects`.

    Raises
    ------
    PredictionError
        If a value is not accepted.
    """

    min_area_um2: float = MIN_AREA_UM2
    fill_holes_um2: float = 0.0
    simplify_um: float = 0.0
    split: str | None = None
    split_depth_um: float = SPLIT_DEPTH_UM
    split_classes: Sequence[str] | None = None

    def __post_init__(self) -> None:
        for name in ("min_area_um2", "fill_holes_um2", "simplify_um"):
            value = getattr(self, name)
            if not is_within(value, 0):
                raise PredictionError(f"{name} is {value!r}; expected a number of at least 0.")
        if self.split is not None and self.split not in SPLITS:
            raise PredictionError(
                f"split is {self.split!r}; use {' or '.join(map(repr, SPLITS))}, or None to not split."
            )
        if not (is_within(self.split_depth_um, 0, MOST_DEPTH_UM) and self.split_depth_um > 0):
            raise PredictionError(
                f"split_depth_um is {self.split_depth_um!r}; expected a number above 0, and at most {MOST_DEPTH_UM:g}. "
                "Larger values split less."
            )
        if self.split is not None and not math.isfinite(self.min_area_um2):
            raise PredictionError(f"min_area_um2 is {self.min_area_um2!r}; objects that large cannot be split.")
        if isinstance(self.split_classes, str):
            raise PredictionError(f"split_classes is {self.split_classes!r}; pass a list of classes.")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "ObjectOptions":
        """Make options from the user's values.

        Raises
        ------
        PredictionError
            If a name is unknown, or a value is not accepted.
        """
        known = [one.name for one in fields(cls)]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise PredictionError(f"objects has no option {unknown[0]!r}; use {', '.join(known)}.")
        return cls(**values)

    def splits(self, classes: Sequence[str], has_probabilities: bool) -> list[bool]:
        """Return for each class whether its objects are split.

        Raises
        ------
        PredictionError
            If a class is unknown, or probabilities are needed but there are none.
        """
        if self.split is None:
            return [False] * len(classes)
        chosen = classes if self.split_classes is None else self.split_classes
        unknown = [name for name in chosen if name not in classes]
        if unknown:
            raise PredictionError(f"There is no class {unknown[0]!r} to split; the classes are {', '.join(classes)}.")
        if self.split == "probability" and not has_probabilities:
            raise PredictionError(
                "This prediction has labels only, so its objects cannot be split by probability. Predict with "
                'probabilities, or use split="distance".'
            )
        return [name in chosen for name in classes]
