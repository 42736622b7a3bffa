"""The description of a prediction, in memory and as stored with its pixels."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from histowidgets.errors import PredictionError
from histowidgets.images import Region
from histowidgets.prediction.results._colors import as_hex

FORMAT, VERSION = "histowidgets prediction", 1


class PredictionInfo(BaseModel):
    """The description of a prediction.

    Attributes
    ----------
    image_name : str
    region : Region
        The predicted region, in full-size pixels.
    pixel_size_um : float or None
        Side of a full-size pixel; None if unknown. If pixels are not square, the side of a square of the same area.
    pixel_sides_um : (float, float) or None
        Height and width of a pixel, if it is not square.
    classes : list of str
        In the order of the label map's indices.
    colors : dict of str to str
        Colours of the classes, such as ``"#1f77b4"``.
    predicted_at_um : float or None
        The classifier's pixel size, to which the image was resampled; None without resampling.
    bounds_offset : (int, int)
        See `Image.bounds_offset`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    image_name: str
    region: Region
    pixel_size_um: float | None
    classes: list[str]
    colors: dict[str, Annotated[str, AfterValidator(as_hex)]]
    pixel_sides_um: tuple[float, float] | None = None
    predicted_at_um: float | None = None
    bounds_offset: tuple[int, int] = (0, 0)

    @property
    def pixel_size_yx_um(self) -> tuple[float, float] | None:
        """Height and width of a full-size pixel in um; None if unknown."""
        if self.pixel_sides_um is not None or self.pixel_size_um is None:
            return self.pixel_sides_um
        return self.pixel_size_um, self.pixel_size_um

    @property
    def resampling(self) -> str:
        """Description of how the image was resampled for the classifier; "" if it was not."""
        if self.predicted_at_um is None:
            return ""
        return resampling_in_words(self.pixel_size_um, self.predicted_at_um)


class Card(PredictionInfo):
    """The description of a prediction on disk, and what it was made with.

    Attributes
    ----------
    probabilities : bool
        Whether probabilities are stored with the labels.
    fingerprint : str
        Hash of classifier, image and settings.
    source_marks : tuple of str
        Marks to recognize the image's file by; empty if there is no file.
    """

    probabilities: bool
    fingerprint: str
    source_marks: tuple[str, ...] = ()

    def is_of_another_image(self, other: "Card") -> bool:
        """Return whether this prediction is of another image than `other`, as far as is known."""
        if self.image_name != other.image_name:
            return True
        return bool(self.source_marks and other.source_marks) and set(self.source_marks).isdisjoint(other.source_marks)

    def to_dict(self) -> dict[str, Any]:
        """Return the values as plain values for JSON."""
        values = {"format": FORMAT, "version": VERSION, **self.model_dump(mode="json")}
        for name in ("predicted_at_um", "source_marks", "pixel_sides_um"):
            if not values[name]:  # as in earlier versions
                del values[name]
        if not any(values["bounds_offset"]):
            del values["bounds_offset"]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], path: Path) -> Self:
        """Make a card from the values of `to_dict`.

        Raises
        ------
        PredictionError
            If the values are not of a prediction, damaged, or of a newer version.
        """
        fields = dict(values)
        if fields.pop("format", None) != FORMAT:
            raise PredictionError(f"{path} is not a prediction by histowidgets (it has another format).")
        version = fields.pop("version", None)
        if isinstance(version, int) and version > VERSION:
            raise PredictionError(f"{path} was written by a newer version. Update histowidgets to open the prediction.")
        try:
            return cls(**fields)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise PredictionError(f"{path} is not a prediction by histowidgets ({where}: {first['msg']}).") from error


class StoreState(Card):
    """A card, and the progress of its prediction.

    Attributes
    ----------
    done, total : int
        Number of written blocks, and of all blocks; 0 before the first.
    pixels : list of int, or None
        Number of pixels written so far for each of the 256 indices; None if an earlier version did not count them.
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
        """The card without the progress."""
        return Card(**{name: getattr(self, name) for name in Card.model_fields})

    def to_dict(self) -> dict[str, Any]:
        """Return the values as plain values for JSON."""
        values = super().to_dict()
        if self.pixels is None:
            del values["pixels"]
        return values


def sides_if_not_square(yx_um: tuple[float, float] | None) -> tuple[float, float] | None:
    """Return the height and width of pixels, or None if they are square or unknown."""
    return None if yx_um is None or yx_um[0] == yx_um[1] else yx_um


def resampling_in_words(own_um: float | None, wanted_um: float) -> str:
    """Describe how an image is resampled from one pixel size to another."""
    own = "" if own_um is None else f"from {own_um:.3g} "
    return f"resampled {own}to {wanted_um:.3g} µm per pixel"
