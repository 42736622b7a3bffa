"""The exceptions and warnings of histowidgets, as a tree.

HistowidgetsError
    ImageError                an image cannot be used
        ImageOpenError        the file is missing, or is not an image that can be read
        ImageSizeError        the image is too small, or has too many dimensions or channels
        ImageValueError       the pixels contain NaN or infinity
        RegionError           a region lies outside the image, or is empty
    ProjectError              the project cannot do what was asked
        ClassNameError        a class list is empty, or a class name is empty, duplicated or unknown
        ImageNameError        an image name is duplicated or unknown
        ShapeError            a shape has invalid coordinates, or an invalid width
        ProjectFolderError    the folder cannot be written, or contains a damaged project
        ReadOnlyError         another session holds the folder
        AnnotationFileError   a file of annotations cannot be read or written, or does not fit the image
            GeoJSONError      the file is not valid GeoJSON
                UnknownClassError  the file names classes that the project does not have
            LabelPngError     the file is not a label map, or does not fit the image
                UnnamedValuesError the file does not say which class its values or colours are
            SeveralEntriesError    the file holds annotations of several images
            DuplicateAnnotationsError  annotations of the file are on the image already
        AuditError            an audit lacks a prediction, or its points cannot be drawn, judged or counted
    TrainingError             a run cannot start, or failed
        TrainingDataError     there is nothing, or too little, to learn from
        SettingsError         a setting is unknown, or out of range
        BudgetError           the run would not fit in memory
    BackboneError             a backbone is unknown, or cannot be built
    ClassifierError           a classifier folder is missing, damaged, or newer than this version
        ExportCancelled       the export of a classifier was cancelled before it was complete
    PredictionError           an image does not fit the classifier
        PredictionCancelled   the prediction was cancelled before it was complete
    AdviceError               an argument is not a history, an image type or a number of tiles
    ReportError               a report cannot be made or written
        ReportCancelled       the report was cancelled before it was complete
    WidgetError               a widget was given something that it cannot show

HistowidgetsWarning           something worth knowing; the work continues
    OutsideTrainingWarning    an image is unlike the images that the classifier was trained on
    PredictionReplacedWarning a prediction on disk belonged to other inputs, and was replaced
    ImageChoiceWarning        a file holds several images or planes, and one of them was opened

Each message says what was given, what was expected, and what to do.
"""

from collections.abc import Mapping, Sequence
from typing import Any


class HistowidgetsError(Exception):
    """Base class of all exceptions that histowidgets raises."""


class ImageError(HistowidgetsError, ValueError):
    """An image cannot be used."""


class ImageOpenError(ImageError):
    """The file is missing, or is not an image that can be read."""


class ImageSizeError(ImageError):
    """The image is too small to contain a region, or has too many dimensions or channels."""


class ImageValueError(ImageError):
    """The pixels contain NaN or infinity."""


class RegionError(ImageError):
    """A region lies outside the image, or is empty."""


class ProjectError(HistowidgetsError, ValueError):
    """The project cannot do what was asked."""


class ClassNameError(ProjectError):
    """A class list is empty, or a class name is empty, duplicated or unknown."""


class ImageNameError(ProjectError):
    """An image name is duplicated or unknown."""


class ShapeError(ProjectError):
    """A shape has invalid coordinates, or an invalid width."""


class ProjectFolderError(ProjectError):
    """The folder cannot be written, or contains a damaged project."""


class ReadOnlyError(ProjectError):
    """Another session holds the project's folder, so this one must not change it."""


class AnnotationFileError(ProjectError):
    """A file of annotations cannot be read or written, or does not fit the image."""


class GeoJSONError(AnnotationFileError):
    """The file is not valid GeoJSON."""


class UnknownClassError(GeoJSONError):
    """The file names classes that the project does not have."""


class LabelPngError(AnnotationFileError):
    """The file is not a label map, or does not fit the image."""


class UnnamedValuesError(LabelPngError):
    """The file does not say which class its values or colours are.

    Attributes
    ----------
    values : dict of int or "#RRGGBB" to int
        How many pixels have each value or colour.
    """

    def __init__(self, message: str, values: Mapping[Any, int] | None = None) -> None:
        super().__init__(message)
        self.values = dict(values or {})


class SeveralEntriesError(AnnotationFileError):
    """The file holds annotations of several images, and it is not clear which ones are meant.

    Attributes
    ----------
    entries : list of str
        Names of the entries, one of which can be chosen with `entry=`.
    """

    def __init__(self, what: str, entries: Sequence[str] = ()) -> None:
        shown = ", ".join(map(repr, entries[:12])) + (" and more" if len(entries) > 12 else "")
        super().__init__(f"{what}, and none has the name of this image. Choose one with entry=: {shown}.")
        self.entries = list(entries)


class DuplicateAnnotationsError(AnnotationFileError):
    """Annotations of the file are on the image already.

    Attributes
    ----------
    count : int
        Number of annotations in the file that are on the image already.
    """

    def __init__(self, message: str, count: int = 0) -> None:
        super().__init__(message)
        self.count = count


class AuditError(ProjectError):
    """An audit lacks a prediction, or its points cannot be drawn, judged or counted."""


class TrainingError(HistowidgetsError, RuntimeError):
    """A run cannot start, or failed."""


class TrainingDataError(TrainingError):
    """There is nothing, or too little, to learn from."""


class SettingsError(TrainingError, ValueError):
    """A setting is unknown, or out of range."""


class BudgetError(TrainingError):
    """The run would not fit in the available memory."""


class BackboneError(HistowidgetsError, ValueError):
    """A backbone is unknown, or cannot be built."""


class ClassifierError(HistowidgetsError, ValueError):
    """A classifier folder is missing, damaged, or newer than this version of histowidgets."""


class ExportCancelled(ClassifierError):
    """The export of a classifier was cancelled before it was complete; no file was written."""


class PredictionError(HistowidgetsError, ValueError):
    """An image does not fit the classifier."""


class PredictionCancelled(PredictionError):
    """The prediction was cancelled before it was complete; there is no result."""


class AdviceError(HistowidgetsError, ValueError):
    """An argument is not a history, an image type or a number of tiles that advice can be given on."""


class ReportError(HistowidgetsError, ValueError):
    """A report cannot be made or written."""


class ReportCancelled(ReportError):
    """The report was cancelled before it was complete; no file was written."""


class WidgetError(HistowidgetsError, ValueError):
    """A widget was given something that it cannot show."""


class HistowidgetsWarning(UserWarning):
    """Base class of warnings: something worth knowing; the work continues."""


class OutsideTrainingWarning(HistowidgetsWarning):
    """An image is unlike the images that the classifier was trained on.

    Attributes
    ----------
    evidence : dict
        The measurements behind the warning, by name; may be empty.
    """

    def __init__(self, message: str, evidence: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.evidence = dict(evidence or {})


class PredictionReplacedWarning(HistowidgetsWarning):
    """A prediction on disk was made with another classifier, image or settings, and was computed again."""


class ImageChoiceWarning(HistowidgetsWarning):
    """A file holds several images, or a stack of planes, and one of them was opened; choose another by an argument."""
