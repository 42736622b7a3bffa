"""What our ONNX files say of themselves, so that they can be used again without being told how."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from histowidgets._checks import is_within
from histowidgets.errors import ClassifierError
from histowidgets.images import Normalization
from histowidgets.prediction._classifier_files import described
from histowidgets.prediction._limits import CARD_CHARACTERS, MOST_CARD_NUMBER
from histowidgets.prediction.onnx._files import metadata_of_onnx
from histowidgets.prediction.pixel_models import NETWORK_TILE
from histowidgets.prediction.results import checked_classes

if TYPE_CHECKING:
    from histowidgets.prediction._classifier import Classifier

KEY = "histowidgets"
"""Of the entry in ``metadata_props``; its value is JSON."""

VERSION = 1


@dataclass(frozen=True)
class OnnxCard:
    """How a network in an ONNX file is to be used.

    Attributes
    ----------
    name : str
    classes : list of str
    colors : dict of str to str
    channel_names : tuple of str
    normalization : Normalization
    pixel_size_um : float or None
    downsample, tile_size : int
        As of `Classifier`.
    largest_tile : int
        As of `PixelModel`.
    """

    name: str
    classes: list[str]
    colors: dict[str, str]
    channel_names: tuple[str, ...]
    normalization: Normalization
    pixel_size_um: float | None
    downsample: int
    tile_size: int
    largest_tile: int


def card_text(classifier: "Classifier") -> str:
    """Write the card of a classifier, as JSON."""
    largest_tile = int(classifier.model.largest_tile)
    return json.dumps({"version": VERSION, **described(classifier), "largest_tile": largest_tile})


def read_card(content: bytes) -> OnnxCard | None:
    """Read the card of an ONNX file; None where there is none, as in files of other programs.

    Raises
    ------
    ClassifierError
        If it is damaged, or of a newer version; or if this is no ONNX.
    """
    text = metadata_of_onnx(content, KEY)
    if text is None:
        return None
    if len(text) > CARD_CHARACTERS:
        raise _unusable(f"it has {len(text):,} characters, at most {CARD_CHARACTERS:,} are read")
    try:
        values = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise _unusable(f"it is no JSON: {error}") from error
    if not isinstance(values, Mapping) or values.get("version") != VERSION:
        version = values.get("version") if isinstance(values, Mapping) else None
        raise _unusable(f"its version is {version!r:.50}, and {VERSION} is known here")
    try:
        return _card(values)
    except KeyError as error:
        raise _unusable(f"{error} is missing") from error
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise _unusable(f"{error}"[:300]) from error


def _card(values: Mapping[str, Any]) -> OnnxCard:
    classes, colors = checked_classes(values["classes"], values["colors"], len(values["classes"]))
    size = values["pixel_size_um"]
    if size is not None and not (is_within(size, 0) and 0 < size < math.inf):
        raise ValueError(f"pixel_size_um is {size!r}")
    names = values["channel_names"]
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise ValueError("channel_names is no list of names")
    return OnnxCard(
        name=str(values["name"]),
        classes=classes,
        colors=colors,
        channel_names=tuple(names),
        normalization=Normalization.from_dict(values["normalization"]),
        pixel_size_um=size,
        downsample=_whole(values, "downsample"),
        tile_size=_whole(values, "tile_size"),
        largest_tile=min(_whole(values, "largest_tile"), NETWORK_TILE),
    )


def _whole(values: Mapping[str, Any], name: str) -> int:
    value = values[name]
    if not (isinstance(value, int) and is_within(value, 1, MOST_CARD_NUMBER)):
        raise ValueError(f"{name} is {value!r}, and no whole number from 1 to {MOST_CARD_NUMBER}")
    return value


def _refused(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def _unusable(why: str) -> ClassifierError:
    return ClassifierError(f"What the ONNX file says of how to use it cannot be read: {why}.")
