"""`project.json`: the images of a project, and the classes that it began with."""

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, InstanceOf, ValidationError

from histowidgets._checks import first_problem
from histowidgets._io import atomic_write
from histowidgets.annotations.project._edit import checked_role
from histowidgets.annotations.project._state import ImageState, State
from histowidgets.annotations.shapes import FARTHEST, checked_names, colors_for
from histowidgets.errors import ProjectFolderError
from histowidgets.images import DeferredImage, is_address

PROJECT_FILE = "project.json"
VERSION = 1


def _not_blank(text: str) -> str:
    if not text.strip() or "\0" in text:
        raise ValueError(f"{text!r} is blank or holds a NUL")
    return text


# InstanceOf and not `str`, which refuses what stands for the bytes of a path that is not UTF-8.
Text = InstanceOf[str]
Name = Annotated[Text, AfterValidator(_not_blank)]
Side = Annotated[int, Field(le=FARTHEST)]


class _Entry(BaseModel):
    """What a person adds to the file by hand is kept."""

    model_config = ConfigDict(strict=True, extra="allow")


class ClassEntry(_Entry):
    """A class that the project began with."""

    name: Text
    color: Text


class ImageEntry(_Entry):
    """An image; a relative path starts in the folder of the project, an address is one.

    `pixel_size_um` is the side of a pixel, or its height and width.
    """

    name: Name
    path: Name
    role: Text
    width: Side
    height: Side
    channel_names: list[Text]
    pixel_size_um: float | list[float] | None
    opened_with: dict[str, Any] = {}


class ProjectDescription(_Entry):
    """The content of `project.json`."""

    version: int
    classes: list[ClassEntry]
    images: list[ImageEntry]

    @classmethod
    def of(cls, state: State) -> "ProjectDescription":
        """Describe a new project, which has no image yet."""
        classes = [ClassEntry(name=name, color=state.colors[name]) for name in state.classes]
        return cls(version=VERSION, classes=classes, images=[])

    @classmethod
    def read(cls, folder: Path) -> "ProjectDescription":
        """Read the file in a folder.

        Raises
        ------
        ProjectFolderError
            If it is missing or damaged, or was written by a later version.
        """
        path = folder / PROJECT_FILE
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            version = values["version"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise _damaged(path, repr(error)) from error
        if version != VERSION:
            raise ProjectFolderError(
                f"{path} is of version {version}; this program reads version {VERSION}. Update histowidgets."
            )
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise _damaged(path, first_problem(error)) from error

    def write(self, folder: Path) -> None:
        """Write the file, whole or not at all (ProjectFolderError if that fails)."""
        advice = "Choose another folder, or free some space."
        with atomic_write(folder / PROJECT_FILE, ProjectFolderError, advice) as part:
            part.write_text(json.dumps(self.model_dump(), indent=1), encoding="utf-8")

    def state(self, folder: Path) -> State:
        """Return the project as it began, with images that are opened when they are first used.

        Raises
        ------
        ProjectFolderError
            If names are doubled, or a value is out of its range.
        """
        path = folder / PROJECT_FILE
        try:
            names = checked_names([entry.name for entry in self.classes])
            state = State(names, colors_for(names, {entry.name: entry.color for entry in self.classes}))
            for entry in self.images:
                if entry.name in state.images:
                    raise ValueError(f"two images are named {entry.name!r}")
                # Not opened yet: one missing file must not lock the others away.
                image = DeferredImage(
                    entry.path if is_address(entry.path) else folder / entry.path,
                    name=entry.name,
                    width=entry.width,
                    height=entry.height,
                    channel_names=entry.channel_names,
                    pixel_size_um=entry.pixel_size_um,
                    opened_with=entry.opened_with,
                    advice=f"Put the file back, or correct its path in {path}.",
                )
                state.images[entry.name] = ImageState(image, checked_role(entry.role))
        except (ValueError, OverflowError) as error:
            raise _damaged(path, repr(error)) from error
        return state


def _damaged(path: Path, why: str) -> ProjectFolderError:
    return ProjectFolderError(f"{path} is damaged: {why}. Restore it from a backup.")
