"""The images of the project, its classes, and annotations in and out."""

from collections.abc import Callable
from pathlib import Path

import ipywidgets

from histowidgets.annotations import Change, Project
from histowidgets.errors import HistowidgetsError

Notify = Callable[[str, str], None]
ROLES = [("train and validation", "both"), ("train only", "train"), ("validation only", "validation")]


class _Entry(ipywidgets.HBox):
    """A text field with a button beside it that does something with the text."""

    def __init__(self, label: str, placeholder: str, button: str, tip: str, action: Callable[[str], None]) -> None:
        self.text = ipywidgets.Text(description=label, placeholder=placeholder, tooltip=tip)
        self.button = ipywidgets.Button(description=button, tooltip=tip)
        self.button.on_click(lambda _: action(self.text.value))
        super().__init__([self.text, self.button])
        self.add_class("hw-entry")


class ProjectPanel(ipywidgets.VBox):
    """Which image is shown, what it is used for, and what goes in and out.

    Parameters
    ----------
    project
        What is annotated.
    current
        Returns the name of the image that is shown.
    show_image
        Called with the name of the image to show.
    notify
        Called with a text and a level.
    """

    def __init__(
        self, project: Project, current: Callable[[], str], show_image: Callable[[str], None], notify: Notify
    ) -> None:
        self._project, self._current, self._show_image, self._notify = project, current, show_image, notify
        self._quiet = False
        self._images = ipywidgets.Dropdown(description="Image", tooltip="The image that is shown")
        self._role = ipywidgets.Dropdown(options=ROLES, description="Used for", tooltip="What this image is used for")
        self._images.observe(self._picked, names="value")
        self._role.observe(self._role_picked, names="value")
        self._entries = [
            _Entry("Open", "path of an image", "Open", "Add an image file to the project", self._open),
            _Entry("Add class", "name", "Add", "Add a class to the palette", self._add_class),
            _Entry(
                "Import", "path of a .geojson", "Import", "Add the annotations of a GeoJSON file (QuPath)", self._import
            ),
            _Entry("Export", "path of a .geojson", "Export", "Write this image's annotations as GeoJSON", self._export),
        ]
        super().__init__([self._images, self._role, *self._entries])
        self.add_class("hw-section")
        self._unsubscribe = project.subscribe(self._changed)
        self.refresh()

    def refresh(self) -> None:
        """Show the project's images and the role of the one that is on."""
        self._quiet = True
        try:
            names = self._project.image_names
            if list(self._images.options) != names:
                self._images.options = names
            self._images.value = self._current()
            self._role.value = self._project.role(self._current())
        finally:
            self._quiet = False

    def _changed(self, change: Change) -> None:
        if change.kind in ("images", "roles"):
            self.refresh()

    def _picked(self, change: dict[str, str]) -> None:
        if not self._quiet and change["new"]:
            self._show_image(change["new"])

    def _role_picked(self, change: dict[str, str]) -> None:
        if not self._quiet:
            self._do(lambda: self._project.set_role(self._current(), change["new"]), "")

    def _do(self, action: Callable[[], object], done: str) -> bool:
        try:
            action()
        except (HistowidgetsError, OSError) as error:
            self._notify(str(error), "error")
            return False
        if done:
            self._notify(done, "good")
        return True

    def _open(self, path: str) -> None:
        def add() -> None:
            self._show_image(self._project.add_image(Path(path.strip()).expanduser()))

        if self._do(add, f"Opened {Path(path).name}"):
            self._entries[0].text.value = ""

    def _add_class(self, name: str) -> None:
        if self._do(lambda: self._project.add_class(name), f"Added the class {name.strip()}"):
            self._entries[1].text.value = ""

    def _import(self, path: str) -> None:
        source = Path(path.strip()).expanduser()
        self._do(lambda: self._project.import_geojson(self._current(), source), f"Imported {source.name}")

    def _export(self, path: str) -> None:
        target = Path(path.strip()).expanduser()
        self._do(lambda: self._project.export_geojson(self._current(), target), f"Wrote {target}")

    def close(self) -> None:
        """Stop listening and close the widgets."""
        self._unsubscribe()
        super().close()
