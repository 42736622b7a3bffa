"""Join classifiers into an ensemble; `ClassifierSpec.parts` separates them again."""

from collections.abc import Sequence
from dataclasses import replace

from histowidgets.errors import ClassifierError
from histowidgets.prediction._spec import ClassifierSpec
from histowidgets.prediction.pixel_models import MeanModel, Member

_ALIKE = ("classes", "channel_names", "normalization", "pixel_size_um")


def mean_of(specs: Sequence[ClassifierSpec], weights: Sequence[float] | None = None) -> ClassifierSpec:
    """Return an ensemble, whose probabilities are the weighted mean of those of several classifiers.

    Parameters
    ----------
    specs : sequence of ClassifierSpec
        Two or more, with the same classes, channels, normalization and pixel size. The smallest downsample must divide
        the others. Settings, history, colours, and the area of a tile are those of the first.
    weights : sequence of float, optional
        The weight of each, above 0; by default all are equal.

    Returns
    -------
    ClassifierSpec
        Of kind "mean"; without scores, since it has not been measured yet.

    Raises
    ------
    ClassifierError
        If the classifiers do not fit together, or the weights do not fit them.
    """
    weights = [1.0] * len(specs) if weights is None else list(weights)
    if len(weights) != len(specs):
        raise ClassifierError(f"There are {len(specs)} classifiers, but {len(weights)} weights; give one for each.")
    if not specs:
        raise ClassifierError("An ensemble needs at least two classifiers; none was given.")
    first, finest = specs[0], min(one.downsample for one in specs)
    for other in specs:
        who = other.name or f"The {other.kind} classifier"
        for what in _ALIKE:
            if getattr(other, what) != getattr(first, what):
                raise ClassifierError(
                    f"{who} has another {what.replace('_um', '').replace('_', ' ')} than {first.name or 'the first'}. "
                    "Train both on the same classes and channels, with the same normalization and pixel size."
                )
        if other.downsample % finest:
            raise ClassifierError(f"{who} has the downsample {other.downsample}; expected a multiple of {finest}.")
    return replace(
        first,
        model=MeanModel(
            [Member(one.model, one.downsample // finest, weight) for one, weight in zip(specs, weights, strict=True)]
        ),
        downsample=finest,
        tile_size=first.tile_size * (first.downsample // finest),
        scores={},
        name=" + ".join(one.name or one.kind for one in specs),
    )
