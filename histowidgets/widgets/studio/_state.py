"""The state that the panels of a studio share: the project, the view, the runs, and where messages go."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import traitlets

from histowidgets.annotations import Annotation, Project
from histowidgets.errors import ImageNameError
from histowidgets.images import Region

if TYPE_CHECKING:  # these need torch
    from histowidgets.prediction import Classifier


class Place(Protocol):
    """A place on an image, such as an `Advice` or a `ReviewTile`; None keeps the current image or view."""

    @property
    def image_name(self) -> str | None: ...

    @property
    def region(self) -> Region | None: ...


class StudioState(traitlets.HasTraits):
    """The shared state of a studio, without widgets; the studio keeps canvas and strip in step with it.

    Parameters
    ----------
    project
        The project, with at least one image.
    region
        Returns the region in view of the image that is shown; by default the whole image.
    selection
        Returns the selected annotations; by default none.
    classifier
        Returns the classifier whose prediction is shown, or None if there is none yet.
    show_region
        Called with a region of the image that is shown, to bring it into view.
    paint
        Called with the name of the class that the brush should paint from now on.
    notify
        Called with a message for the user and its level ("info", "good", "warning" or "error").
    answered
        Called with a message, and its level, that was already shown beside the pressed button; by default `notify`.
    log
        Called with a text for the log, such as a traceback.
    annotator_changed
        Called after the name of the person who paints has changed.

    Attributes
    ----------
    runs : list
        All runs so far, without the weights of all but the last.
    run : TrainingRun or None
        The run that is active, or the last one.
    """

    image_name = traitlets.Unicode()
    """Name of the image that is shown; set it to show another (ImageNameError if unknown)."""

    disagreement = traitlets.Bool(False)
    """Whether strokes are coloured by how far the prediction contradicts them, instead of by their class."""

    others_hidden = traitlets.Bool(False)
    """Whether annotations by other people are neither shown nor edited on the canvas."""

    folder = traitlets.Instance(Path)
    """Folder to write files to."""

    def __init__(
        self,
        project: Project,
        *,
        region: Callable[[], Region] | None = None,
        selection: Callable[[], Sequence[Annotation]] = tuple,
        classifier: "Callable[[], Classifier | None]" = lambda: None,
        show_region: Callable[[Region], object] = lambda region: None,
        paint: Callable[[str], object] = lambda class_name: None,
        notify: Callable[[str, str], object] = lambda text, level: None,
        answered: Callable[[str, str], object] | None = None,
        log: Callable[[str], object] = lambda text: None,
        annotator_changed: Callable[[], object] = lambda: None,
    ) -> None:
        self.project = project
        self.runs: list[Any] = []
        self.run: Any = None
        self._region, self._selection, self._classifier = region, selection, classifier
        self._show_region, self._paint, self._notify, self._log = show_region, paint, notify, log
        self._annotator_changed = annotator_changed
        self._answered = notify if answered is None else answered
        super().__init__(image_name=project.image_names[0], folder=Path(project.folder or "my_classifier"))

    @traitlets.validate("image_name")
    def _known_image(self, proposal: Any) -> str:
        name, names = str(proposal["value"]), self.project.image_names
        if name not in names:
            raise ImageNameError(f"The project has no image {name!r}; it has {', '.join(names) or 'none'}.")
        return name

    @property
    def region(self) -> Region:
        """The region in view of the image that is shown, in full-size pixels."""
        return self.project.image(self.image_name).region if self._region is None else self._region()

    @property
    def selection(self) -> Sequence[Annotation]:
        """The selected annotations."""
        return self._selection()

    @property
    def classifier(self) -> "Classifier | None":
        """The classifier whose prediction is shown; None if there is none yet."""
        return self._classifier()

    def view(self) -> tuple[str, Region]:
        """Return the name of the image that is shown, and the region in view."""
        return self.image_name, self.region

    def go_to(self, place: Place) -> None:
        """Show the image and the region of a place."""
        if place.image_name:
            self.image_name = place.image_name
        if place.region is not None:
            self._show_region(place.region)

    def paint_at(self, place: Place, class_name: str) -> None:
        """Show a place, with the brush ready to paint a class there."""
        self.go_to(place)
        self._paint(class_name)

    def paint(self, class_name: str) -> None:
        """Make the brush ready to paint a class."""
        self._paint(class_name)

    def annotator_changed(self) -> None:
        """Show what is by the current annotator of the project, after the name has changed."""
        self._annotator_changed()

    def notify(self, text: str, level: str = "info") -> None:
        """Show the user a message at level "info", "good", "warning" or "error"."""
        self._notify(text, level)

    def answered(self, text: str, level: str) -> None:
        """Record a message that was shown beside the pressed button."""
        self._answered(text, level)

    def log(self, text: str) -> None:
        """Add a text to the log, such as a traceback."""
        self._log(text)
