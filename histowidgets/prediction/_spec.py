"""The contents of a classifier, used by prediction, storage, export and training; `Classifier` is a front end to it."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, cast

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, InstanceOf

from histowidgets._checks import is_within
from histowidgets.errors import ClassifierError, PredictionError
from histowidgets.images import Normalization
from histowidgets.prediction.pixel_models import PixelModel
from histowidgets.prediction.results import checked_classes, listed_names

if TYPE_CHECKING:
    from histowidgets.prediction.pixel_models import MeanModel


@dataclass(frozen=True, eq=False)
class ClassifierSpec:
    """A model with all that is needed to use it; `dataclasses.replace` returns a changed copy.

    Parameters
    ----------
    model : PixelModel
        `NetworkModel`, `QuickModel`, …
    classes : list of str
        In the order of the model's output.
    colors : dict of class name to colour, or sequence of colours
        Like ``"#1f77b4"``.
    channel_names : sequence of str
        Channels of the training images; at prediction, channels are matched by name.
    normalization : Normalization
        Fitted to the training images.
    pixel_size_um : float, optional
        Side of a full-size pixel of the training images. Images with another pixel size are resampled to it.
    downsample : int, default 1
        Full-size pixels along each side of a pixel that the model sees.
    tile_size : int, default 256
        Side of a training tile, at that downsample.
    settings, scores : dict
        The training settings and the scores, as plain values for JSON.
    history : sequence of dict
        One record per epoch.
    trained_on : dict
        The run, images and annotations, as plain values for JSON.
    name : str

    Raises
    ------
    ClassifierError
        If the parts do not fit together.
    """

    model: PixelModel
    _: KW_ONLY
    classes: list[str]
    colors: dict[str, str]
    channel_names: tuple[str, ...]
    normalization: Normalization
    pixel_size_um: float | None = None
    downsample: int = 1
    tile_size: int = 256
    settings: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)
    history: Sequence[Mapping[str, Any]] = ()
    trained_on: dict[str, Any] = field(default_factory=dict)
    name: str = ""

    def __post_init__(self) -> None:
        try:
            classes, colors = checked_classes(self.classes, self.colors, self.model.n_classes)
        except PredictionError as error:
            raise ClassifierError(str(error)) from error
        own = {
            "classes": classes,
            "colors": colors,
            "channel_names": tuple(listed_names(self.channel_names, "channel_names", ClassifierError)),
            "settings": copy.deepcopy(dict(self.settings)),
            "scores": copy.deepcopy(dict(self.scores)),
            "history": [dict(record) for record in self.history],
            "trained_on": copy.deepcopy(dict(self.trained_on)),
        }
        for name, value in own.items():
            object.__setattr__(self, name, value)
        self._check()

    def _check(self) -> None:
        if len(self.channel_names) != self.model.n_channels:
            raise ClassifierError(
                f"The model takes {self.model.n_channels} channel(s), but {len(self.channel_names)} name(s) were given."
            )
        if not isinstance(self.normalization, Normalization):
            raise ClassifierError(
                f"The normalization is {self.normalization!r:.80}; expected a Normalization, such as "
                'Normalization("min_max").fitted([image]) with a training image.'
            )
        if self.normalization.strategy != "fixed_range":
            statistics = self.normalization.statistics
            if statistics is None:
                raise ClassifierError(
                    f"The {self.normalization.strategy} normalization has no statistics. Fit it to the training "
                    "images first: normalization.fitted(images)."
                )
            if len(statistics.channels) != len(self.channel_names):
                raise ClassifierError(
                    f"The normalization is for {len(statistics.channels)} channel(s), the classifier has "
                    f"{len(self.channel_names)}."
                )
        size = self.pixel_size_um
        if size is not None and not is_within(size, 1e-9, 1e9):
            raise ClassifierError(f"pixel_size_um is {size!r}; expected a number of um above 0, or None.")
        for what, value in (("downsample", self.downsample), ("tile_size", self.tile_size)):
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                raise ClassifierError(f"{what} is {value!r}; expected a whole number of at least 1.")

    @property
    def kind(self) -> str:
        """The kind of the model: "network", "quick", "onnx", or "mean" of several."""
        return self.model.kind

    @property
    def parts(self) -> tuple["ClassifierSpec", ...]:
        """The classifiers of an ensemble, each usable on its own; empty for other kinds."""
        if self.kind != "mean":
            return ()
        return tuple(
            replace(
                self,
                model=model,
                downsample=self.downsample * factor,
                tile_size=self.tile_size // factor,
                scores={},
                name=model.kind,
            )
            for model, factor, _ in cast("MeanModel", self.model).members
        )

    @property
    def network(self) -> "ClassifierSpec | None":
        """The classifier that is a network: itself, or the part of an ensemble; None if there is none."""
        return next((one for one in (self, *self.parts) if one.kind == "network"), None)

    def described(self) -> dict[str, Any]:
        """Return how to use the classifier, as plain values for JSON, for each file format; see `Description`."""
        return {
            "name": self.name,
            "classes": self.classes,
            "colors": self.colors,
            "channel_names": list(self.channel_names),
            "normalization": self.normalization.to_dict(),
            "pixel_size_um": self.pixel_size_um,
            "downsample": int(self.downsample),
            "tile_size": int(self.tile_size),
        }


def _normalization(values: Any) -> Normalization:
    try:
        return Normalization.from_dict(values)
    except KeyError as error:
        raise ValueError(f"normalization lacks {error}") from error
    except (TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"normalization cannot be read: {error}") from error


Text = InstanceOf[str]
"""Any text, including unpaired surrogates, which file names may contain and pydantic's own type rejects."""


class Description(BaseModel):
    """The values of `ClassifierSpec.described`, validated when they are read from a file; unknown entries are ignored.

    Attributes
    ----------
    name, classes, colors, channel_names, normalization, pixel_size_um, downsample, tile_size
        Those of `ClassifierSpec`.
    """

    model_config = ConfigDict(strict=True, frozen=True, arbitrary_types_allowed=True)

    name: Text
    classes: list[Text]
    colors: dict[Text, Text] | list[Text]
    channel_names: list[Text]
    normalization: Annotated[Normalization, BeforeValidator(_normalization)]
    pixel_size_um: float | None
    downsample: int
    tile_size: int

    def parts(self) -> Mapping[str, Any]:
        """Return these values as keyword arguments of `ClassifierSpec`."""
        return {name: getattr(self, name) for name in Description.model_fields}
