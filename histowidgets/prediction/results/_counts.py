"""Numbers of objects by class, their density, and the share of positive ones."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from histowidgets._wilson import wilson
from histowidgets.annotations import is_ignored_class
from histowidgets.errors import PredictionError
from histowidgets.prediction.results._objects import PredictedObject

#: Words in the names of classes that say how strongly objects are stained; 0 is negative.
_INTENSITIES = {
    **dict.fromkeys(("negative", "neg", "-"), 0),
    **dict.fromkeys(("1+", "weak", "weakly"), 1),
    **dict.fromkeys(("2+", "moderate", "moderately"), 2),
    **dict.fromkeys(("3+", "strong", "strongly"), 3),
}
_POSITIVE = ("positive", "pos", "+")
#: Minus and plus as typographers write them, as those of the keyboard.
_PLAIN_SIGNS = str.maketrans(
    {**dict.fromkeys("\u2212\u2013\u2014\u2010\u2011\ufe63\uff0d", "-"), **dict.fromkeys("\uff0b\ufe62", "+")}
)
_UM2_PER_MM2 = 1e6


@dataclass(frozen=True)
class ClassCount:
    """The objects of one class.

    Attributes
    ----------
    class_name : str
    count : int
    per_mm2 : float or None
        Number per mm2 of the measured area; None for an image without a pixel size, or an empty area.
    """

    class_name: str
    count: int
    per_mm2: float | None


@dataclass(frozen=True)
class Positivity:
    """The share of positive objects, with its interval, and the H-score.

    Attributes
    ----------
    positive, negative : tuple of str
        The classes that were counted as such.
    n_positive, n : int
        Numbers of positive and of all counted objects.
    share : float
        0 to 1.
    low, high : float
        Wilson's 95 % interval of the share (Wilson 1927). It covers chance in which objects were counted, not errors of
        the classifier.
    h_score : float or None
        1 x the percentage of weak + 2 x moderate + 3 x strong objects, 0 to 300; None unless three classes have these
        names, or "1+", "2+" and "3+".
    """

    positive: tuple[str, ...]
    negative: tuple[str, ...]
    n_positive: int
    n: int
    share: float
    low: float
    high: float
    h_score: float | None = None

    def __str__(self) -> str:
        interval = f"{100 * self.low:.1f} to {100 * self.high:.1f} %"
        score = "" if self.h_score is None else f", H-score {self.h_score:.0f}"
        return f"{100 * self.share:.1f} % positive (95 % interval {interval}; {self.n_positive:,} of {self.n:,}){score}"


@dataclass(frozen=True)
class ObjectCounts(Mapping[str, int]):
    """The number of objects of each class in an area: a mapping of class to number.

    Attributes
    ----------
    classes : tuple of ClassCount
        Without ignored classes, whose names end in "*".
    area_um2 : float or None
        Measured area, without ignored and background classes; None for an image without a pixel size.
    """

    classes: tuple[ClassCount, ...]
    area_um2: float | None

    def __getitem__(self, name: str) -> int:
        for one in self.classes:
            if one.class_name == name:
                return one.count
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter([one.class_name for one in self.classes])

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def per_mm2(self) -> dict[str, float | None]:
        """Number per mm2 by class; None for an image without a pixel size, or an empty area."""
        return {one.class_name: one.per_mm2 for one in self.classes}

    @property
    def note(self) -> str:
        """Why there are no densities, and what to do; "" if there are."""
        if self.area_um2 is not None:
            return "" if self.area_um2 > 0 else "The measured area is empty, so there are no densities."
        return "Densities need the pixel size, which is unknown. Give it: open_image(…, pixel_size_um=0.5)."

    def positivity(
        self, positive: str | Sequence[str] | None = None, negative: str | Sequence[str] | None = None
    ) -> Positivity:
        """Return the share of positive objects; see `positivity`."""
        return positivity(self, positive, negative)

    def row(self) -> dict[str, float]:
        """Return the counts as a row of a table, with units in the names; positivity where class names tell it."""
        values: dict[str, float] = {}
        for one in self.classes:
            values[f"{one.class_name} count"] = one.count
            if self.area_um2 is not None:
                values[f"{one.class_name} (1/mm2)"] = float("nan") if one.per_mm2 is None else one.per_mm2
        pair = intensity_classes(list(self))
        if pair is None:
            return values
        known = None if sum(self[name] for names in pair for name in names) == 0 else self.positivity()
        shares = (float("nan"),) * 3 if known is None else (known.share, known.low, known.high)
        names = ("Positivity (%)", "Positivity 95 % from (%)", "Positivity 95 % to (%)")
        values |= {name: 100 * share for name, share in zip(names, shares, strict=True)}
        if _graded(pair[0]) is not None:
            score = None if known is None else known.h_score
            values["H-score"] = float("nan") if score is None else score
        return values


def numbers_of(found: Iterable[PredictedObject]) -> dict[str, int]:
    """Count objects by class."""
    return dict(Counter(one.class_name for one in found))


def counts_of(
    classes: Sequence[str],
    numbers: Mapping[str, int],
    pixels: Mapping[str, int],
    pixel_size_um: float | None,
    background: Sequence[str] = (),
) -> ObjectCounts:
    """Relate numbers of objects to the area that they were counted in.

    Parameters
    ----------
    classes : sequence of str
    numbers, pixels : mapping of class to int
        Objects and pixels of each class; missing classes have none.
    pixel_size_um : float or None
    background : sequence of str
        Classes that are not part of the area.
    """
    kept = [name for name in classes if not is_ignored_class(name)]
    area = None
    if pixel_size_um is not None:
        area = sum(pixels.get(name, 0) for name in kept if name not in background) * pixel_size_um**2
    per = _UM2_PER_MM2 / area if area else None
    counts = {name: numbers.get(name, 0) for name in kept}
    return ObjectCounts(
        tuple(ClassCount(name, n, None if per is None else n * per) for name, n in counts.items()), area
    )


def positivity(
    counts: Mapping[str, int] | Sequence[PredictedObject],
    positive: str | Sequence[str] | None = None,
    negative: str | Sequence[str] | None = None,
) -> Positivity:
    """Return the share of positive objects, such as Ki-67 positive nuclei, with Wilson's 95 % interval.

    Parameters
    ----------
    counts : mapping of class to number, or sequence of PredictedObject
        Such as ``prediction.counts()``, or the sum of those of several images.
    positive, negative : str or sequence of str, optional
        The classes to compare. By default they are recognized by their names: "Positive" and "Negative", "Ki67+" and
        "Ki67-", "Tumour: positive" and "Tumour: negative", and "1+", "2+" and "3+" or "weak", "moderate" and "strong"
        for the intensities of positive objects (also "weak positive"), with "0" for negative ones.

    Returns
    -------
    Positivity

    Raises
    ------
    PredictionError
        If the classes are not recognized, are unknown or overlap, or if there is no such object.
    """
    numbers = counts if isinstance(counts, Mapping) else numbers_of(counts)
    if (positive is None) != (negative is None):
        raise PredictionError("Only one of positive and negative was given; give both, or neither.")
    if positive is None or negative is None:
        pair = intensity_classes(list(numbers))
        if pair is None:
            raise PredictionError(
                f"The names of the classes ({', '.join(numbers)}) do not say which are positive and negative. State "
                'them, such as positive="Tumour cell", negative="Other cell".'
            )
    else:
        pair = _names(positive), _names(negative)
    chosen = [*pair[0], *pair[1]]
    unknown = [name for name in chosen if name not in numbers]
    if unknown:
        raise PredictionError(f"There is no class {unknown[0]!r}; the classes are {', '.join(numbers)}.")
    if len(set(chosen)) < len(chosen):
        raise PredictionError("A class is both positive and negative, or given twice. Give each class once.")
    wrong = next((name for name in chosen if not numbers[name] >= 0), None)
    if wrong is not None:
        raise PredictionError(f"The number of objects of the class {wrong!r} is {numbers[wrong]}; expected 0 or more.")
    n_positive, total = sum(numbers[name] for name in pair[0]), sum(numbers[name] for name in chosen)
    if total == 0:
        raise PredictionError(f"There is no object of the classes {', '.join(chosen)}, so there is no share.")
    low, high = wilson(n_positive / total, total)
    grades = _graded(pair[0])
    score = None if grades is None else 100 * sum(numbers[name] * g for name, g in grades.items()) / total
    return Positivity(*pair, n_positive, total, n_positive / total, float(low), float(high), score)


def intensity_classes(classes: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return the positive and the negative classes by their names; None if there is not exactly one pair."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    for name in classes:
        stem, grade = _parsed(name)
        if grade is not None:
            found.setdefault(stem, ([], []))[0 if grade else 1].append(name)
    pairs = [(tuple(plus), tuple(minus)) for plus, minus in found.values() if plus and minus]
    return pairs[0] if len(pairs) == 1 else None


def _parsed(name: str) -> tuple[str, int | None]:
    """Return a name without the word for an intensity, and the intensity: 0 negative, 1 to 3, or 4 positive."""
    plain = name.casefold().translate(_PLAIN_SIGNS)
    words = [word for word in re.split(r"[\s:_,;/()]+|(?<=[a-z0-9])-(?=[a-z])", plain) if word]
    words = [part for word in words for part in ([word] if word in _INTENSITIES else _without_sign(word))]
    if "non" in words or "not" in words:
        return " ".join(words), None
    grades = [4 if word in _POSITIVE else _INTENSITIES.get(word) for word in words]
    known = [grade for grade in grades if grade is not None]
    if known:  # of "weak positive", the intensity
        stem = [word for word, grade in zip(words, grades, strict=True) if grade is None]
        exact = sorted({grade for grade in known if grade != 4})
        if len(exact) > 1 or (exact == [0] and 4 in known):  # such as "strong to weak", which says nothing
            return " ".join(words), None
        return " ".join(stem), exact[0] if exact else 4
    if words and words[-1] == "0":  # of 0, 1+, 2+ and 3+
        return " ".join(words[:-1]), 0
    return " ".join(words), None


def _without_sign(word: str) -> list[str]:
    """Split the sign from a word such as "ki67+"."""
    return [word[:-1], word[-1]] if len(word) > 1 and word[-1] in "+-" else [word]


def _graded(positive: Sequence[str]) -> dict[str, int] | None:
    """Return the intensity of each of three positive classes; None unless there is one of each."""
    grades = {name: _parsed(name)[1] or 0 for name in positive}
    return grades if sorted(grades.values()) == [1, 2, 3] else None


def _names(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)
