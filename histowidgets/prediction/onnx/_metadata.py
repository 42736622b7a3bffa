"""The card in our ONNX files: how to use the network, so that the caller need not specify it."""

import json
from typing import Annotated, Any, NoReturn

from pydantic import Field, ValidationError, field_validator, model_validator

from histowidgets._checks import first_problem
from histowidgets.errors import ClassifierError
from histowidgets.prediction._spec import ClassifierSpec, Description, Text
from histowidgets.prediction.onnx._files import metadata_of_onnx
from histowidgets.prediction.pixel_models import NETWORK_TILE
from histowidgets.prediction.results import checked_classes

#: Name of the card in ``metadata_props``; its value is JSON.
KEY = "histowidgets"

VERSION = 1

#: Maximum length of a card, in characters, and largest accepted tile size or downsample.
CARD_CHARACTERS, MOST_CARD_NUMBER = 1_000_000, 4096

_Whole = Annotated[int, Field(ge=1, le=MOST_CARD_NUMBER)]


class OnnxCard(Description):
    """How to use a network in an ONNX file.

    Attributes
    ----------
    name, classes, colors, channel_names, normalization, pixel_size_um, downsample, tile_size
        Those of `ClassifierSpec`.
    largest_tile : int
        That of `PixelModel`.
    """

    channel_names: list[Text] = Field(min_length=1)
    pixel_size_um: float | None = Field(gt=0, allow_inf_nan=False)
    downsample: _Whole
    tile_size: _Whole
    largest_tile: _Whole

    @field_validator("largest_tile")
    @classmethod
    def _as_today(cls, value: int) -> int:
        return min(value, NETWORK_TILE)

    @model_validator(mode="after")
    def _classes_and_colors_fit(self) -> "OnnxCard":
        checked_classes(self.classes, self.colors, len(self.classes))
        return self

    def color_list(self) -> list[str]:
        """Return the colours in the order of the classes."""
        return list(checked_classes(self.classes, self.colors, len(self.classes))[1].values())


def card_text(spec: ClassifierSpec) -> str:
    """Return the card of a classifier, as JSON."""
    return json.dumps({"version": VERSION, **spec.described(), "largest_tile": int(spec.model.largest_tile)})


def read_card(content: bytes) -> OnnxCard | None:
    """Read the card of an ONNX file; None if there is none, as in files of other programs.

    Raises
    ------
    ClassifierError
        If the card is damaged or of a newer version, or if this is not ONNX.
    """
    text = metadata_of_onnx(content, KEY)
    if text is None:
        return None
    if len(text) > CARD_CHARACTERS:
        raise _unusable(f"it has {len(text):,} characters, more than the maximum of {CARD_CHARACTERS:,}")
    try:
        values: Any = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise _unusable(f"it is not JSON: {error}") from error
    version = values.get("version") if isinstance(values, dict) else None
    if version != VERSION:
        raise _unusable(f"its version is {version!r:.50}, but only {VERSION} is supported")
    try:
        return OnnxCard.model_validate(values)
    except ValidationError as error:
        raise _unusable(first_problem(error)[:300]) from error


def _refused(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")


def _unusable(why: str) -> ClassifierError:
    return ClassifierError(f"The description in the ONNX file of how to use it cannot be read: {why}.")
