"""Classifiers put together, and taken apart again."""

from collections.abc import Sequence

from histowidgets.errors import ClassifierError
from histowidgets.prediction._classifier import Classifier
from histowidgets.prediction.pixel_models import MeanModel, Member, PixelModel

_ALIKE = ("classes", "channel_names", "normalization")


def mean_of(classifiers: Sequence[Classifier]) -> Classifier:
    """Return a classifier whose probabilities are the mean of those of others.

    Parameters
    ----------
    classifiers : sequence of Classifier
        Two or more of the same classes, channels and normalization. The smallest downsample divides the others. The
        first one gives settings, history, colours, and the place that a tile covers.

    Returns
    -------
    Classifier
        Of kind "mean"; without scores, as nobody has measured it yet.

    Raises
    ------
    ClassifierError
        If they do not fit each other.
    """
    if not classifiers:
        raise ClassifierError("A mean needs at least two classifiers; none was given.")
    first, finest = classifiers[0], min(one.downsample for one in classifiers)
    for other in classifiers:
        who = other.name or f"The {other.kind} classifier"
        for what in _ALIKE:
            if getattr(other, what) != getattr(first, what):
                raise ClassifierError(
                    f"{who} has another {what.replace('_', ' ')} than {first.name or 'the first'}. Fit both to "
                    "the same classes and channels, with the same normalization."
                )
        if other.downsample % finest:
            raise ClassifierError(f"{who} has the downsample {other.downsample}; a multiple of {finest} is wanted.")
    model = MeanModel([Member(one.model, one.downsample // finest) for one in classifiers])
    tile_size = first.tile_size * (first.downsample // finest)
    return _with_model(first, model, finest, tile_size, " + ".join(one.name or one.kind for one in classifiers))


def parts_of(classifier: Classifier) -> tuple[Classifier, ...]:
    """Return the classifiers that a mean is of, each to be used alone; none for any other."""
    if not isinstance(classifier.model, MeanModel):
        return ()
    return tuple(
        _with_model(classifier, model, classifier.downsample * factor, classifier.tile_size // factor, model.kind)
        for model, factor in classifier.model.members
    )


def _with_model(classifier: Classifier, model: PixelModel, downsample: int, tile_size: int, name: str) -> Classifier:
    return Classifier(
        model,
        classes=classifier.classes,
        colors=classifier.colors,
        channel_names=classifier.channel_names,
        normalization=classifier.normalization,
        pixel_size_um=classifier.pixel_size_um,
        downsample=downsample,
        tile_size=tile_size,
        settings=classifier.settings,
        history=classifier.history,
        trained_on=classifier.trained_on,
        name=name,
    )
