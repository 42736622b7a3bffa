"""The panel for the project's images and classes, and for importing and exporting annotations."""

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets

from histowidgets.annotations import Change
from histowidgets.errors import AnnotationFileError, GeoJSONError, HistowidgetsError
from histowidgets.widgets.common import TaskQueue, TextEntry, observe
from histowidgets.widgets.studio._import_question import ImportQuestion
from histowidgets.widgets.studio._state import StudioState

#: What an import can do with classes that the project does not have.
UNKNOWN = [("stop with an error", "error"), ("add them", "add"), ("leave them out", "skip")]
ENDINGS = (".geojson", ".json", ".png")
UNITS = [("pixels", "px"), ("µm", "um")]
ROLES = [("train and validation", "both"), ("train only", "train"), ("validation only", "validation")]


class ProjectPanel(ipywidgets.VBox):
    """Choose the image and its role, add images and classes, and import and export annotations.

    Parameters
    ----------
    state
        Has the project and the image that is shown, which this panel can change.
    """

    def __init__(self, state: StudioState) -> None:
        self._state, self._project = state, state.project
        self._quiet = False
        self.tasks = TaskQueue("files", self._say)
        self._images = ipywidgets.Dropdown(description="Image", tooltip="The image to show")
        self._role = ipywidgets.Dropdown(options=ROLES, description="Used for", tooltip="What this image is used for")
        self._images.observe(self._picked, names="value")
        self._role.observe(self._role_picked, names="value")
        self._annotator = ipywidgets.Text(
            self._project.annotator,
            description="Your name",
            placeholder="not given",
            tooltip="Stored with each annotation from now on, so that annotators can be compared",
        )
        self._annotator.observe(self._named, names="value")
        self._hide = ipywidgets.Checkbox(
            value=state.others_hidden,
            description="Hide others' annotations",
            indent=False,
            tooltip="Neither show nor erase what others drew; the prediction, which learned from it, is hidden too",
        )
        self._hide.observe(self._hide_switched, names="value")
        self._entries = [
            TextEntry("Open", "image file or folder", "Open", "Add an image file to the project", self._open),
            TextEntry("Add class", "name", "Add", "Add a class to the palette", self._add_class),
            TextEntry(
                "Import",
                "annotation file or label map",
                "Import",
                "Add the annotations of a file to this image: GeoJSON (QuPath), XML (ASAP, ImageScope), ImageJ ROIs, "
                "COCO, labelme, or a label map",
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
            options=UNKNOWN,
            description="New classes",
            tooltip="What an import does with classes that the project does not have",
        )
        self._unit = ipywidgets.Dropdown(
            options=UNITS, description="Unit", tooltip="Unit of the coordinates in an imported file"
        )
        self._question = ImportQuestion()
        self._keep = TextEntry(
            "Save project",
            "new folder",
            "Save",
            "Keep images, classes, annotations and undo history in a folder; from then on each edit is saved there",
            self._save,
        )
        self._find = TextEntry(
            "Find images",
            "folder with the images",
            "Find",
            "Search a folder and its subfolders for the missing image files",
            self._relocate,
        )
        self._said = ipywidgets.HTML("<p class='hw-quiet' role='status'></p>")
        importing = [self._entries[2], self._unknown, self._unit, self._question]
        super().__init__(
            [
                self._keep,
                self._images,
                self._role,
                self._annotator,
                self._hide,
                self._find,
                *self._entries[:2],
                *importing,
                self._entries[3],
                self._said,
            ]
        )
        self.add_class("hw-section")
        self._unsubscribe = self._project.subscribe(self._changed)
        self._unobserve = observe(state, "image_name", lambda change: self.refresh())
        self._unobserve_hidden = observe(state, "others_hidden", self._show_hidden)
        self.refresh()
        self._show_missing()

    def refresh(self) -> None:
        """Show the project's images and the role of the one that is shown."""
        self._keep.layout.display = None if self._project.folder is None else "none"
        self._quiet = True
        try:
            names = self._project.image_names
            if list(self._images.options) != names:
                self._images.options = names
            name = self._state.image_name
            if name in names:  # it may just have been removed
                self._images.value = name
                self._role.value = self._project.role(name)
        finally:
            self._quiet = False

    def _changed(self, change: Change) -> None:
        if change.kind in ("images", "roles", "folder"):
            self.refresh()

    def _picked(self, change: dict[str, str]) -> None:
        if not self._quiet and change["new"]:
            self._state.image_name = change["new"]

    def _named(self, change: dict[str, str]) -> None:
        self._project.annotator = change["new"]
        self._state.annotator_changed()
        if not self._project.annotator:
            self._state.others_hidden = False

    def _hide_switched(self, change: dict[str, bool]) -> None:
        if change["new"] and not self._project.annotator:
            self._hide.value = False
            self._say("Type your name first: it tells your annotations from those of others.", "error")
            return
        self._state.others_hidden = change["new"]

    def _show_hidden(self, change: Any) -> None:
        self._hide.value = change["new"]
        if change["new"]:
            self._say(
                "Only your annotations are shown, and the eraser leaves those of others. The prediction is hidden too, "
                "as it learned from all labels; O shows it.",
                "info",
            )
        else:
            self._say("All annotations are shown.", "info")

    def _role_picked(self, change: dict[str, str]) -> None:
        if not self._quiet:
            self._do(lambda: self._project.set_role(self._state.image_name, change["new"]), "")

    def _do(self, action: Callable[[], object], done: str) -> bool:
        """Run a quick action and report success or the error; return whether it succeeded."""
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
            if self._entries[0].text.value == path:  # nothing else was typed in the meantime
                self._entries[0].text.value = ""
            return f"Opened {file.name}"

        self.tasks.submit(f"Opening {file.name}…", add)

    def _add_class(self, name: str) -> None:
        if self._do(lambda: self._project.add_class(name), f"Added the class {name.strip()}"):
            self._entries[1].text.value = ""

    def _import(self, path: str) -> None:
        # Read image and choices now, since the user may have moved on by the time the file is read.
        name, given = self._state.image_name, {"unknown_classes": self._unknown.value, "unit": self._unit.value}
        self._question.clear()
        self.tasks.submit("Importing…", lambda: self._draw(name, Path(path.strip()).expanduser(), given))

    def _draw(self, name: str, source: Path, given: dict[str, Any]) -> str | tuple[str, str]:
        """Draw the annotations of a file, or first ask the question that it raises."""
        if not source.name:
            raise AnnotationFileError("The path is empty. Type the path of an annotation file.")
        asked = {key: value for key, value in given.items() if key != "on_duplicate"}
        preview = self._project.preview_import(name, source, **asked)

        def answered(answer: dict[str, Any]) -> None:
            self.tasks.submit("Importing…", lambda: self._draw(name, source, {**given, **answer}))

        question = self._question.ask(preview, given, self._project.classes, answered)
        if question:
            return f"{source.name}: {question}", "warning"
        said: list[str] = []
        number = self._project.import_annotations(name, source, **given, tell=said.append)
        words = _imported(number, "area" if preview.format == "label map" else "annotation", source)
        return (" ".join([words, *said]), "warning") if said else words

    def _save(self, path: str) -> None:
        if not path.strip():
            self._say("The path is empty. Type the path of a new folder.", "error")
            return

        def save() -> str:
            folder = Path(path.strip()).expanduser()
            self._project.save(folder)
            self._state.folder = folder
            return f"Saved in {folder}. From now on each edit is saved there at once."

        self.tasks.submit("Saving…", save)

    def _relocate(self, folder: str) -> None:
        def find() -> str | tuple[str, str]:
            found = self._project.relocate(folder.strip())
            missing = self._show_missing()
            words = f"Found {len(found)} image(s)."
            return (f"{words} Still missing: {', '.join(missing)}.", "warning") if missing else words

        self.tasks.submit("Looking for images…", find)

    def _show_missing(self) -> list[str]:
        """Show the row that finds images if any are missing, and return the names of these."""
        missing = self._project.missing_images
        self._find.layout.display = None if missing else "none"
        return missing

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
        """Stop listening, finish the file that is being read or written, and close the widgets."""
        self._unsubscribe()
        self._unobserve()
        self._unobserve_hidden()
        self.tasks.close()
        super().close()


def _imported(number: int, what: str, source: Path) -> str:
    return f"Imported {number:,} {what}{'' if number == 1 else 's'} from {source.name}. Undo removes them again."


def _checked(path: str) -> Path:
    """Return the path of a file to write annotations to (GeoJSONError if its ending is unknown)."""
    file = Path(path.strip()).expanduser()
    if file.suffix.lower() not in ENDINGS:
        problem = f"{file.name} has an unknown ending" if file.name else "The path is empty"
        raise GeoJSONError(f"{problem}. Type a path that ends in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}.")
    return file
