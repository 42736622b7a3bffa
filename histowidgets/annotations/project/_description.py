"""`project.json`: the images of a project and its initial classes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, InstanceOf, ValidationError

from histowidgets._checks import first_problem
from histowidgets._file_mark import FileMark
from histowidgets._io import atomic_write
from histowidgets.annotations.project._edit import checked_role
from histowidgets.annotations.project._state import ImageState, State
from histowidgets.annotations.shapes import FARTHEST, checked_names, colors_for
from histowidgets.errors import ProjectFolderError
from histowidgets.images import DeferredImage

PROJECT_FILE = "project.json"
VERSION = 1
#: Arguments of `open_image` that choose what of a file is opened.
_CHOICES = {"series", "plane", "bounds"}


def _not_blank(text: str) -> str:
    if not text.strip() or "\0" in text:
        raise ValueError(f"{text!r} is blank or contains NUL")
    return text


def _choices(opened_with: dict[str, Any]) -> dict[str, Any]:
    if unknown := set(opened_with) - _CHOICES:
        raise ValueError(f"opened_with has the unknown entry {min(unknown)!r}; use {', '.join(sorted(_CHOICES))}")
    return opened_with


# InstanceOf instead of `str`, which refuses surrogates for the bytes of a path that is not UTF-8.
Text = InstanceOf[str]
Name = Annotated[Text, AfterValidator(_not_blank)]
Side = Annotated[int, Field(le=FARTHEST)]


class _Entry(BaseModel):
    """Base of entries that keeps fields added to the file by hand."""

    model_config = ConfigDict(strict=True, extra="allow")


class ClassEntry(_Entry):
    """An initial class of the project."""

    name: Text
    color: Text


class ImageEntry(_Entry):
    """An image, by its path (relative to the project's folder or absolute) or address.

    `pixel_size_um` is the side of a pixel, or its height and width.
    """

    name: Name
    path: Name
    role: Text
    width: Side
    height: Side
    channel_names: list[Text]
    pixel_size_um: float | list[float] | None
    opened_with: Annotated[dict[str, Any], AfterValidator(_choices)] = {}
    #: Path from the project's folder to a file outside it, so that the two can be moved together.
    relative_path: Text | None = None
    file_mark: FileMark | None = None

    def opened(self, source: Path | str) -> DeferredImage:
        """Return the image, opened on first use so that a missing file does not make the others inaccessible."""
        return DeferredImage(
            source,
            name=self.name,
            width=self.width,
            height=self.height,
            channel_names=self.channel_names,
            pixel_size_um=self.pixel_size_um,
            opened_with=self.opened_with,
            advice="Put the file back, or give its location with project.relocate(folder).",
        )


class ProjectDescription(_Entry):
    """The content of `project.json`."""

    version: int
    classes: list[ClassEntry]
    images: list[ImageEntry]

    @classmethod
    def of(cls, state: State) -> "ProjectDescription":
        """Describe a new project, which has no images yet."""
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
            values = json.loads(path.read_bytes())  # bytes, with or without a byte order mark
        except json.JSONDecodeError as error:
            raise _damaged(path, f"line {error.lineno}, column {error.colno}: {error.msg}") from error
        except UnicodeDecodeError as error:
            raise _damaged(path, f"it is not UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8") from error
        except (OSError, ValueError, RecursionError) as error:
            raise _damaged(path, str(error)) from error
        if not isinstance(values, dict) or "version" not in values:
            raise _damaged(path, "'version' is missing")
        version = values["version"]
        if not isinstance(version, int):
            raise _damaged(path, f"version is {version!r}; a whole number is wanted")
        if version != VERSION:
            raise ProjectFolderError(
                f"{path} has version {version}, but this program reads version {VERSION}. Update histowidgets."
            )
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise _damaged(path, first_problem(error)) from error

    def write(self, folder: Path) -> None:
        """Write the file atomically (ProjectFolderError if that fails)."""
        advice = "Choose another folder, or free some space."
        with atomic_write(folder / PROJECT_FILE, ProjectFolderError, advice) as part:
            part.write_text(json.dumps(self.model_dump(), indent=1), encoding="utf-8")

    def state(self, folder: Path, paths: Mapping[str, Path | str]) -> State:
        """Return the initial state of the project, with images that are opened on first use.

        Parameters
        ----------
        folder : Path
            Folder of the project, for messages.
        paths : mapping of image name to Path, or to str for an address
            Current locations of the images.

        Raises
        ------
        ProjectFolderError
            If names are not unique, or a value is out of range.
        """
        path = folder / PROJECT_FILE
        try:
            names = checked_names([entry.name for entry in self.classes])
            state = State(names, colors_for(names, {entry.name: entry.color for entry in self.classes}))
            for entry in self.images:
                if entry.name in state.images:
                    raise ValueError(f"two images are named {entry.name!r}")
                state.images[entry.name] = ImageState(entry.opened(paths[entry.name]), checked_role(entry.role))
        except (ValueError, OverflowError) as error:
            raise _damaged(path, str(error)) from error
        return state


def _damaged(path: Path, why: str) -> ProjectFolderError:
    return ProjectFolderError(
        f"{path} is damaged: {why.rstrip('.')}. Correct it in a text editor, or restore it from a backup."
    )
