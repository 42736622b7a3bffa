"""Make a classifier from an ONNX file: the caller's values take precedence over those of the file."""

import warnings
from collections.abc import Mapping, Sequence
from os import PathLike

from histowidgets._io import as_path
from histowidgets.annotations import PALETTE
from histowidgets.errors import ClassifierError, HistowidgetsWarning
from histowidgets.images import Normalization, default_channel_names
from histowidgets.prediction._spec import ClassifierSpec
from histowidgets.prediction.onnx._files import channels_of_onnx
from histowidgets.prediction.onnx._metadata import OnnxCard, read_card
from histowidgets.prediction.onnx._model import OnnxModel, read_onnx
from histowidgets.prediction.results import listed_names

#: Side of a tile if neither the file nor the caller gives it, in pixels.
_USUAL_TILE = 256


def spec_from_onnx(
    path: str | PathLike[str],
    *,
    classes: Sequence[str] | None,
    normalization: Normalization | None,
    colors: Mapping[str, str] | Sequence[str] | None,
    channel_names: Sequence[str] | None,
    pixel_size_um: float | None,
    downsample: int | None,
    tile_size: int | None,
) -> ClassifierSpec:
    """Make a classifier from an ONNX file; see `Classifier.from_onnx`."""
    source = as_path(path, ClassifierError)
    content = read_onnx(source)
    card = _card_or_warning(content)
    names = _class_names(classes, card)
    if normalization is None:
        normalization = None if card is None else card.normalization
    if normalization is None:
        raise ClassifierError(
            "The file does not say how to normalize its input. Give normalization=, such as "
            'Normalization("fixed_range", low=0, high=255), or one that was fitted to the training images.'
        )
    channels = _channel_names(channel_names, card, content, normalization)
    model = OnnxModel(content, len(channels), len(names))
    if colors is None and card is not None and len(card.classes) == len(names):
        colors = card.color_list()
    if colors is None:
        colors = [PALETTE[i % len(PALETTE)] for i in range(len(names))]
    return ClassifierSpec(
        model,
        classes=names,
        colors=colors,  # type: ignore[arg-type] # a sequence is converted to a dict
        channel_names=channels,
        normalization=normalization,
        pixel_size_um=card.pixel_size_um if pixel_size_um is None and card is not None else pixel_size_um,
        downsample=(1 if card is None else card.downsample) if downsample is None else downsample,
        tile_size=_tile_size(tile_size, card, model),
        name=source.stem if card is None or not card.name else card.name,
    )


def _card_or_warning(content: bytes) -> OnnxCard | None:
    try:
        return read_card(content)
    except ClassifierError as error:
        message = f"{error} Give classes=, normalization=, channel_names= and downsample= as in training."
        warnings.warn(HistowidgetsWarning(message), stacklevel=4)
        return None


def _class_names(given: Sequence[str] | None, card: OnnxCard | None) -> list[str]:
    if given is not None:
        return listed_names(given, "classes", ClassifierError)
    if card is None:
        raise ClassifierError("The file does not name its classes. Give classes=[…], in the order of its output.")
    return list(card.classes)


def _channel_names(
    given: Sequence[str] | None, card: OnnxCard | None, content: bytes, normalization: Normalization
) -> tuple[str, ...]:
    """Return the given names, or those of the card, or default names for the number of channels."""
    if given is not None:
        return tuple(listed_names(given, "channel_names", ClassifierError))
    if card is not None:
        return tuple(card.channel_names)
    count = channels_of_onnx(content)
    statistics = normalization.statistics if isinstance(normalization, Normalization) else None
    if count is None:
        count = 3 if statistics is None else len(statistics.channels)
    return default_channel_names(count, "uint8")


def _tile_size(given: int | None, card: OnnxCard | None, model: OnnxModel) -> int:
    if given is None:
        return model.side or (_USUAL_TILE if card is None else card.tile_size)
    if model.side is not None and given != model.side:
        raise ClassifierError(
            f"tile_size is {given!r}, but the model takes tiles of {model.side} x {model.side} only. Leave out "
            "tile_size."
        )
    return given
