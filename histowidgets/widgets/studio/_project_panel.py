"""The images of the project, its classes, and annotations in and out."""

from collections.abc import Callable
from html import escape
from pathlib import Path

import ipywidgets

from histowidgets.annotations import Change
from histowidgets.errors import GeoJSONError, HistowidgetsError
from histowidgets.widgets.common import TaskQueue, TextEntry, observe
from histowidgets.widgets.studio._state import StudioState

#: What an import does with classes that the project does not have.
UNKNOWN = [("report them, and stop", "error"), ("add them", "add"), ("leave them out", "skip")]
ENDINGS = (".geojson", ".json", ".png")
ROLES = [("train and validation", "both"), ("train only", "train"), ("validation only", "validation")]


class ProjectPanel(ipywidgets.VBox):
    """Which image is shown, what it is used for, and what goes in and out.

    Parameters
    ----------
    state
        Has the project and the image that is shown, which the panel changes too.
    """

    def __init__(self, state: StudioState) -> None:
        self._state, self._project = state, state.project
        self._quiet = False
        self.tasks = TaskQueue("files", self._say)
        self._images = ipywidgets.Dropdown(description="Image", tooltip="The image that is shown")
        self._role = ipywidgets.Dropdown(options=ROLES, description="Used for", tooltip="What this image is used for")
        self._images.observe(self._picked, names="value")
        self._role.observe(self._role_picked, names="value")
        self._entries = [
            TextEntry("Open", "image file or folder", "Open", "Add an image file to the project", self._open),
            TextEntry("Add class", "name", "Add", "Add a class to the palette", self._add_class),
            TextEntry(
                "Import",
                ".geojson or .png file",
                "Import",
                "Draw the annotations of a GeoJSON file (QuPath), or of a PNG label map, on this image",
                self._import,
            ),
            TextEntry(
                "Export",
                ".geojson or .png file",
                "Export",
                "Write this image's annotations as GeoJSON (QuPath), or as a PNG label map with the class colours",
                self._export,
            ),
        ]
        self._unknown = ipywidgets.Dropdown(
            options=UNKNOWN, description="New classes", tooltip="What an import does with classes that are not here yet"
        )
        self._said = ipywidgets.HTML("<p class='hw-quiet' role='status'></p>")
        super().__init__([self._images, self._role, *self._entries[:3], self._unknown, self._entries[3], self._said])
        self.add_class("hw-section")
        self._unsubscribe = self._project.subscribe(self._changed)
        self._unobserve = observe(state, "image_name", lambda change: self.refresh())
        self.refresh()

    def refresh(self) -> None:
        """Show the project's images and the role of the one that is shown."""
        self._quiet = True
        try:
            names = self._project.image_names
            if list(self._images.options) != names:
                self._images.options = names
            name = self._state.image_name
            if name in names:  # it may have just been removed
                self._images.value = name
                self._role.value = self._project.role(name)
        finally:
            self._quiet = False

    def _changed(self, change: Change) -> None:
        if change.kind in ("images", "roles"):
            self.refresh()

    def _picked(self, change: dict[str, str]) -> None:
        if not self._quiet and change["new"]:
            self._state.image_name = change["new"]

    def _role_picked(self, change: dict[str, str]) -> None:
        if not self._quiet:
            self._do(lambda: self._project.set_role(self._state.image_name, change["new"]), "")

    def _do(self, action: Callable[[], object], done: str) -> bool:
        """Do something quick, and say that it is done or what was wrong."""
        try:
            action()
        except (HistowidgetsError, OSError) as error:
            self._say(str(error), "error")
            return False
        if done:
            self._say(done, "good")
        return True

    def _say(self, text: str, level: str) -> None:
        self._state.answered(text, level)
        self._said.value = f"<p class='hw-quiet hw-said-here' data-level='{level}'>{escape(text)}</p>"

    def _open(self, path: str) -> None:
        file = Path(path.strip()).expanduser()

        def add() -> str:
            self._state.image_name = self._project.add_image(file)
            if self._entries[0].text.value == path:  # nothing else was typed meanwhile
                self._entries[0].text.value = ""
            return f"Opened {file.name}"

        self.tasks.submit(f"Opening {file.name}…", add)

    def _add_class(self, name: str) -> None:
        if self._do(lambda: self._project.add_class(name), f"Added the class {name.strip()}"):
            self._entries[1].text.value = ""

    def _import(self, path: str) -> None:
        # The present image and choice: the user may have moved on by the time the file is read.
        name, unknown = self._state.image_name, self._unknown.value

        def draw() -> str | tuple[str, str]:
            source = _checked(path)
            if source.suffix.lower() == ".png":
                number = self._project.import_label_png(name, source, unknown_classes=unknown)
                return _imported(number, "area", source)
            left_out: list[str] = []
            number = self._project.import_geojson(name, source, unknown_classes=unknown, tell=left_out.append)
            words = _imported(number, "annotation", source)
            return (" ".join([words, *left_out]), "warning") if left_out else words

        self.tasks.submit("Importing…", draw)

    def _export(self, path: str) -> None:
        name = self._state.image_name

        def write() -> str:
            target = _checked(path)
            if target.suffix.lower() == ".png":
                self._project.export_label_png(name, target)
            else:
                self._project.export_geojson(name, target)
            return f"Wrote {target}"

        self.tasks.submit("Writing…", write)

    def close(self) -> None:
        """Stop listening, let a file that is being read or written be finished, and close the widgets."""
        self._unsubscribe()
        self._unobserve()
        self.tasks.close()
        super().close()


def _imported(number: int, what: str, source: Path) -> str:
    return f"Imported {number:,} {what}{'' if number == 1 else 's'} from {source.name}. Undo takes them back."


def _checked(path: str) -> Path:
    """Return the path of a file of annotations."""
    file = Path(path.strip()).expanduser()
    if file.suffix.lower() not in ENDINGS:
        raise GeoJSONError(f"{file.name or 'An empty path'} ends in none of {', '.join(ENDINGS)}; type such a path.")
    return file
