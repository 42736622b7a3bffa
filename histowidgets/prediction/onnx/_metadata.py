"""The card in our ONNX files: how a network is to be used, so that the caller need not say it."""

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

#: Length of a card in characters up to which it is read, and largest tile or downsample that is believed.
CARD_CHARACTERS, MOST_CARD_NUMBER = 1_000_000, 4096

_Whole = Annotated[int, Field(ge=1, le=MOST_CARD_NUMBER)]


class OnnxCard(Description):
    """How a network in an ONNX file is to be used.

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
    """Write the card of a classifier, as JSON."""
    return json.dumps({"version": VERSION, **spec.described(), "largest_tile": int(spec.model.largest_tile)})


def read_card(content: bytes) -> OnnxCard | None:
    """Read the card of an ONNX file; None where there is none, as in files of other programs.

    Raises
    ------
    ClassifierError
        If it is damaged, or of a newer version; or if this is not ONNX.
    """
    text = metadata_of_onnx(content, KEY)
    if text is None:
        return None
    if len(text) > CARD_CHARACTERS:
        raise _unusable(f"it has {len(text):,} characters, at most {CARD_CHARACTERS:,} are read")
    try:
        values: Any = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise _unusable(f"it is not JSON: {error}") from error
    version = values.get("version") if isinstance(values, dict) else None
    if version != VERSION:
        raise _unusable(f"its version is {version!r:.50}, and {VERSION} is known here")
    try:
        return OnnxCard.model_validate(values)
    except ValidationError as error:
        raise _unusable(first_problem(error)[:300]) from error


def _refused(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")


def _unusable(why: str) -> ClassifierError:
    return ClassifierError(f"What the ONNX file says of how to use it cannot be read: {why}.")
