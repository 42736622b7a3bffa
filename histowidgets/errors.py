"""Every error a person can meet, as one tree.

HistowidgetsError
    ImageError                an image cannot be used
        ImageOpenError        the file is missing, or is no image we can read
        ImageSizeError        the image is too thin, or has too many channels
        ImageValueError       the pixels hold NaN or infinity
        RegionError           a region lies outside the image
    ProjectError              the project cannot do what was asked
        ClassNameError        a class list is empty, or a name is empty, doubled or unknown
        ImageNameError        an image name is doubled or unknown
        ShapeError            a stroke or polygon has bad coordinates
        ProjectFolderError    the folder cannot be written, or holds a damaged project
        ReadOnlyError         another session holds the folder
        GeoJSONError          the file is no GeoJSON we can read
        LabelPngError         the file is no PNG label map we can read, or does not fit the image
        UnknownClassError     the GeoJSON or PNG names classes that the project does not have
    TrainingError             a run cannot start, or broke off
        TrainingDataError     there is nothing, or too little, to learn from
        SettingsError         a setting is unknown, or out of its range
        BudgetError           the run would not fit in memory
    BackboneError             a backbone is unknown, or cannot be built
    ClassifierError           a classifier folder is missing, damaged or newer than this program
    PredictionError           an image does not fit the classifier
        PredictionCancelled   somebody stopped the prediction before its end
    AdviceError               advice was asked for about what is no history, image type or number of tiles
    WidgetError               a widget was given what it cannot show

HistowidgetsWarning           something that a person should know, but that stops nothing
    OutsideTrainingWarning    an image is unlike those that the classifier was trained on
    StartedAnewWarning        a prediction on disk was of something else, and was replaced

Each message says what came, what was wanted, and what to do.
"""

from collections.abc import Mapping
from typing import Any


class HistowidgetsError(Exception):
    """The root of all errors that histowidgets raises on purpose."""


class ImageError(HistowidgetsError, ValueError):
    """An image cannot be used."""


class ImageOpenError(ImageError):
    """The file is missing, or is no image that can be read."""


class ImageSizeError(ImageError):
    """The image is too thin to hold a region, or has too many dimensions or channels."""


class ImageValueError(ImageError):
    """The pixels hold NaN or infinity."""


class RegionError(ImageError):
    """A region lies outside the image, or has no area."""


class ProjectError(HistowidgetsError, ValueError):
    """The project cannot do what was asked."""


class ClassNameError(ProjectError):
    """A class list is empty, or a class name is empty, doubled or unknown."""


class ImageNameError(ProjectError):
    """An image name is doubled or unknown."""


class ShapeError(ProjectError):
    """A shape has bad coordinates, or a bad width."""


class ProjectFolderError(ProjectError):
    """The folder cannot be written, or holds a damaged project."""


class ReadOnlyError(ProjectError):
    """Another session holds the project's folder, so this one may not change it."""


class GeoJSONError(ProjectError):
    """The file is no GeoJSON that can be read."""


class UnknownClassError(GeoJSONError):
    """The GeoJSON, or the PNG label map, names classes that the project does not have."""


class LabelPngError(ProjectError):
    """The file is no PNG label map that can be read, or does not fit the image."""


class TrainingError(HistowidgetsError, RuntimeError):
    """A run cannot start, or broke off."""


class TrainingDataError(TrainingError):
    """There is nothing, or too little, to learn from."""


class SettingsError(TrainingError, ValueError):
    """A setting is unknown, or out of its range."""


class BudgetError(TrainingError):
    """The run would not fit in the memory there is."""


class BackboneError(HistowidgetsError, ValueError):
    """A backbone is unknown, or cannot be built."""


class ClassifierError(HistowidgetsError, ValueError):
    """A classifier folder is missing, damaged, or newer than this program."""


class PredictionError(HistowidgetsError, ValueError):
    """An image does not fit the classifier."""


class PredictionCancelled(PredictionError):
    """Somebody stopped the prediction before its end; there is no result."""


class AdviceError(HistowidgetsError, ValueError):
    """Advice was asked for about something that is no history, no image type or no number of tiles."""


class WidgetError(HistowidgetsError, ValueError):
    """A widget was given what it cannot show."""


class HistowidgetsWarning(UserWarning):
    """Something that a person should know, but that stops nothing."""


class OutsideTrainingWarning(HistowidgetsWarning):
    """An image is unlike those that the classifier was trained on (row N9).

    Attributes
    ----------
    evidence : dict
        The numbers behind it, by name; empty if none were given.
    """

    def __init__(self, message: str, evidence: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.evidence = dict(evidence or {})


class StartedAnewWarning(HistowidgetsWarning):
    """A prediction on disk was of another classifier, image or settings, and was replaced from the start."""
