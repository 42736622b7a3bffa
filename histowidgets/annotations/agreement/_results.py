"""What a comparison of two annotators found: numbers with intervals, and the places where they differ."""

import html
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from histowidgets.images import Region

#: What an annotator is called who gave no name.
NAMELESS = "someone without a name"


@dataclass(frozen=True)
class AgreementEstimate:
    """A measure of agreement with its 95 % interval.

    Attributes
    ----------
    value, low, high : float
        1 is perfect agreement. Kappa is 0 for agreement by chance, and can be negative.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


@dataclass(frozen=True)
class Disagreement:
    """A patch of pixels that two annotators labelled differently.

    Attributes
    ----------
    image_name : str
    region : Region
        Its bounds in full-size pixels.
    pixels : int
    first, second : str
        The class that each gave; of several pairs, the most frequent.
    """

    image_name: str
    region: Region
    pixels: int
    first: str
    second: str


@dataclass(frozen=True)
class Agreement:
    """How well two annotators agree on the pixels that both have labelled.

    Attributes
    ----------
    annotators : tuple of str
        The two names; "" for annotations that were drawn without one.
    classes : tuple of str
    confusion : ndarray of (classes, classes), int64
        Pixels by the first annotator's class (row) and the second's (column).
    places : int
        Number of separate areas that both have labelled.
    agreement : AgreementEstimate
        Share of the pixels with the same class.
    kappa : AgreementEstimate or None
        Cohen's kappa: the share beyond what chance gives, as a part of what it could be. None if both used only one
        and the same class, so that nothing is left beyond chance.
    by_class : mapping of str to AgreementEstimate or None
        Specific agreement: of the pixels to which either gave the class, counted for each annotator, the share to
        which the other gave it too (the Dice coefficient). None for a class that neither gave.
    disagreements : tuple of Disagreement
        The largest first.
    """

    annotators: tuple[str, str]
    classes: tuple[str, ...]
    confusion: np.ndarray
    places: int
    agreement: AgreementEstimate
    kappa: AgreementEstimate | None
    by_class: Mapping[str, AgreementEstimate | None]
    disagreements: tuple[Disagreement, ...]

    @property
    def pixels(self) -> int:
        """Number of pixels that both have labelled."""
        return int(self.confusion.sum())

    def __str__(self) -> str:
        first, second = (name or NAMELESS for name in self.annotators)
        first = first if self.annotators[0] else first.capitalize()
        areas = f"{self.places} place{'' if self.places == 1 else 's'}"
        value, low, high = (100 * x for x in (self.agreement.value, self.agreement.low, self.agreement.high))
        lines = [
            f"{first} and {second} agree on {value:.0f} % ({low:.0f} to {high:.0f} %) of {self.pixels:,} pixels in "
            f"{areas}.",
            f"Cohen's kappa: {self.kappa if self.kappa is not None else 'not defined, as both used one class only'}.",
        ]
        lines += [f"{name}: {found}" for name, found in self.by_class.items() if found is not None]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        first, *rest = str(self).splitlines()
        return f"<p>{html.escape(first)}</p><ul>{''.join(f'<li>{html.escape(line)}</li>' for line in rest)}</ul>"
