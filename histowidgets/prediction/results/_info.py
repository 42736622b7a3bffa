"""What a prediction is of, in memory and as it is written beside the pixels."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from histowidgets.errors import PredictionError
from histowidgets.images import Region
from histowidgets.prediction.results._colors import as_hex

FORMAT, VERSION = "histowidgets prediction", 1


class PredictionInfo(BaseModel):
    """What a prediction is of.

    Attributes
    ----------
    image_name : str
    region : Region
        Where in the image, in full-size pixels.
    pixel_size_um : float or None
        Side of a full-size pixel; None if unknown. Of pixels that are not square, that of a square of the same area.
    pixel_sides_um : (float, float) or None
        Height and width of a pixel that is not square.
    classes : list of str
        In the order of the label map's indices.
    colors : dict of str to str
        Of the classes, such as ``"#1f77b4"``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    image_name: str
    region: Region
    pixel_size_um: float | None
    classes: list[str]
    colors: dict[str, Annotated[str, AfterValidator(as_hex)]]
    pixel_sides_um: tuple[float, float] | None = None

    @property
    def pixel_size_yx_um(self) -> tuple[float, float] | None:
        """Height and width of a full-size pixel in um; None if unknown."""
        if self.pixel_sides_um is not None or self.pixel_size_um is None:
            return self.pixel_sides_um
        return self.pixel_size_um, self.pixel_size_um


class Card(PredictionInfo):
    """What a prediction on disk is, and what it was made with.

    Attributes
    ----------
    probabilities : bool
        Whether they are kept beside the labels.
    fingerprint : str
        Of classifier, image and settings.
    """

    probabilities: bool
    fingerprint: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        values = {"format": FORMAT, "version": VERSION, **self.model_dump(mode="json")}
        if self.pixel_sides_um is None:  # as earlier versions wrote it
            del values["pixel_sides_um"]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], path: Path) -> Self:
        """Make a card from the values of `to_dict`.

        Raises
        ------
        PredictionError
            If they are of something else, are damaged, or were written by a newer version.
        """
        fields = dict(values)
        if fields.pop("format", None) != FORMAT:
            raise PredictionError(f"{path} is not a prediction that histowidgets wrote (its format is another).")
        version = fields.pop("version", None)
        if isinstance(version, int) and version > VERSION:
            raise PredictionError(f"{path} was written by a newer histowidgets. Update it to open the prediction.")
        try:
            return cls(**fields)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise PredictionError(
                f"{path} is not a prediction that histowidgets wrote ({where}: {first['msg']})."
            ) from error


class StoreState(Card):
    """A card, and how far its prediction has come.

    Attributes
    ----------
    done, total : int
        Blocks that are written, and all of them; 0 before the first.
    pixels : list of int, or None
        Pixels written so far of each of the 256 indices; None where an earlier version did not count them.
    """

    done: NonNegativeInt = 0
    total: NonNegativeInt = 0
    pixels: list[NonNegativeInt] | None = Field(default=None, min_length=256, max_length=256)

    @property
    def complete(self) -> bool:
        """Whether all blocks are written."""
        return 0 < self.total == self.done

    @property
    def card(self) -> Card:
        """The card alone."""
        return Card(**{name: getattr(self, name) for name in Card.model_fields})

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        values = super().to_dict()
        if self.pixels is None:
            del values["pixels"]
        return values
