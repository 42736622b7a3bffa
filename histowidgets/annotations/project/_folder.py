"""The folder of a project: project.json, journal.jsonl, and the images that were no files.

`project.json` holds the images and the classes the project began with; `journal.jsonl` holds every edit since, undo
and redo among them. Opening the folder makes the edits again.
"""

import contextlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from histowidgets.annotations.project._edit import checked_role
from histowidgets.annotations.project._edits import edit_from_record
from histowidgets.annotations.project._history import History
from histowidgets.annotations.project._journal import Journal, damaged, read_journal
from histowidgets.annotations.project._lock import FolderLock
from histowidgets.annotations.project._state import ImageState, Record, State
from histowidgets.annotations.shapes import FARTHEST, checked_names, colors_for
from histowidgets.errors import ProjectError, ProjectFolderError
from histowidgets.images import DeferredImage, Image

VERSION = 1
PROJECT_FILE = "project.json"
JOURNAL_FILE = "journal.jsonl"
IMAGES_FOLDER = "images"


class ProjectFolder:
    """An open project folder. Not thread-safe: the project locks."""

    def __init__(self, path: Path, lock: FolderLock, description: dict[str, Any]) -> None:
        self.path = path
        self._lock = lock
        self._description = description
        self._journal = Journal(path / JOURNAL_FILE) if lock.held else None

    @property
    def read_only(self) -> bool:
        """Whether another session may write, and this one may not."""
        return self.held_by is not None

    @property
    def held_by(self) -> str | None:
        """Who may write, if it is another session."""
        return self._lock.held_by

    @property
    def left_by(self) -> str | None:
        """Who held the folder before and ended without letting go of it, if that was so."""
        return self._lock.left_by

    @classmethod
    def create(cls, path: Path, state: State) -> "ProjectFolder":
        """Make a folder for a new project.

        Raises
        ------
        ProjectFolderError
            If it cannot be written, or holds a project.
        """
        path = path.expanduser().absolute()
        try:
            path.mkdir(parents=True, exist_ok=True)
            taken = (path / PROJECT_FILE).exists()
        except OSError as error:
            raise ProjectFolderError(
                f"The folder {path} cannot be made: {error.strerror or error}. Choose another."
            ) from error
        if taken:
            raise ProjectFolderError(
                f"{path} holds a project already. Open it with Project.open, or choose another folder."
            )
        lock = FolderLock(path)
        if not lock.held:
            raise ProjectFolderError(f"{path} is just being made a project by {lock.held_by}. Choose another.")
        classes = [{"name": name, "color": state.colors[name]} for name in state.classes]
        description = {"version": VERSION, "classes": classes, "images": []}
        try:
            _write_json(path / PROJECT_FILE, description)
            return cls(path, lock, description)
        except ProjectFolderError:
            lock.release()
            raise

    @classmethod
    def open(cls, path: Path) -> tuple["ProjectFolder", State, History]:
        """Open a folder and make its edits again.

        Raises
        ------
        ProjectFolderError
            If there is no project, or it is damaged.
        """
        path = path.expanduser().absolute()
        if not _is_file(path / PROJECT_FILE):
            raise ProjectFolderError(
                f"There is no project in {path} ({PROJECT_FILE} is missing). Check the path, or make a project there "
                "with Project(classes, folder=...)."
            )
        lock = FolderLock(path)
        try:
            description, state = _read_description(path)
            history = History()
            for number, record in read_journal(path / JOURNAL_FILE, repair=lock.held):
                _replay(path / JOURNAL_FILE, number, record, state, history)
            return cls(path, lock, description), state, history
        except BaseException:
            lock.release()  # else nobody could open the folder until this process ends
            raise

    def append(self, record: Record) -> None:
        """Put an edit on disk (ProjectFolderError if that fails)."""
        if self._journal is None:
            raise ProjectFolderError(f"{self.path} is open for reading only.")
        self._journal.append(record)

    def save(self, image: Image, name: str) -> Path:
        """Save an image if it is no file; return the path of its file. Edits may be written meanwhile.

        Raises
        ------
        ProjectFolderError
            If it cannot be written.
        """
        if image.source is not None:
            return Path(image.source)
        target = self.path / IMAGES_FOLDER / f"{_safe_name(name, self.path / IMAGES_FOLDER)}.tif"
        save_image(image, target)
        return target

    def add_image(self, image: Image, name: str, role: str, source: Path) -> None:
        """Note an image whose file is there (ProjectFolderError if that fails)."""
        entry = {
            "name": name,
            "path": _stored_path(source, self.path),
            "role": role,
            "width": image.width,
            "height": image.height,
            "channel_names": list(image.channel_names),
            "pixel_size_um": image.pixel_size_um,
        }
        images = [*self._description["images"], entry]
        _write_json(self.path / PROJECT_FILE, {**self._description, "images": images})
        self._description["images"] = images

    def close(self) -> None:
        """Let go of the folder."""
        if self._journal is not None:
            self._journal.close()
        self._lock.release()


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:  # a folder above may not be looked into
        raise ProjectFolderError(f"{path} cannot be read: {error.strerror or error}. Ask for the right to.") from error


def _replay(path: Path, number: int, record: Record, state: State, history: History) -> None:
    try:
        if record["op"] == "undo":
            history.undo(state)
        elif record["op"] == "redo":
            history.redo(state)
        else:
            history.do(edit_from_record(record, state), state)
    except (ProjectError, KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise damaged(path, number, f"{type(error).__name__}: {error}") from error


def _read_description(folder: Path) -> tuple[dict[str, Any], State]:
    path = folder / PROJECT_FILE
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
        version = description["version"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ProjectFolderError(f"{path} is damaged: {error!r}. Restore it from a backup.") from error
    if version != VERSION:
        raise ProjectFolderError(
            f"{path} is of version {version}; this program reads version {VERSION}. Update histowidgets."
        )
    try:
        names = checked_names([c["name"] for c in description["classes"]])
        colors = colors_for(names, {c["name"]: c["color"] for c in description["classes"]})
        state = State(names, colors)
        for entry in description["images"]:
            image = _image_of(folder, entry)
            if image.name in state.images:
                raise ValueError(f"two images are named {image.name!r}")
            state.images[image.name] = ImageState(image, checked_role(entry["role"]))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ProjectFolderError(f"{path} is damaged: {error!r}. Restore it from a backup.") from error
    return description, state


def _image_of(folder: Path, entry: Mapping[str, Any]) -> Image:
    """Return an image that is opened when it is first used: one missing file must not lock the others away."""
    for key in ("name", "path"):
        if not isinstance(entry[key], str) or not entry[key].strip() or "\0" in entry[key]:
            raise ValueError(f"the {key} of an image is {entry[key]!r}")
    if not all(isinstance(entry[side], int) and entry[side] <= FARTHEST for side in ("width", "height")):
        raise ValueError(f"image {entry['name']!r} is {entry['width']} x {entry['height']} pixels")
    return DeferredImage(
        folder / entry["path"],
        name=entry["name"],
        width=entry["width"],
        height=entry["height"],
        channel_names=entry["channel_names"],
        pixel_size_um=entry["pixel_size_um"],
        advice=f"Put the file back, or correct its path in {folder / PROJECT_FILE}.",
    )


def _stored_path(path: Path, folder: Path) -> str:
    """Return a path relative to the folder if it lies in it, so that the folder can be moved."""
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def _safe_name(name: str, folder: Path) -> str:
    """Return a file name, without ending, that any system takes and that is free."""
    base = re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_")[:60] or "image"
    safe, number = base, 1
    while (folder / f"{safe}.tif").exists():
        number += 1
        safe = f"{base}_{number}"
    return safe


def save_image(image: Image, path: Path) -> None:
    """Save an image as OME-TIFF, which keeps dtype, channels, their names and the pixel size.

    Raises
    ------
    ProjectFolderError
        If the file cannot be written.
    """
    import tifffile  # only here, as it takes a while to load

    pixels = image.read(0, 0, image.width, image.height)
    rgb = pixels.dtype == np.uint8 and pixels.shape[2] == 3
    metadata: dict[str, Any] = {"axes": "YXS" if rgb else "CYX"}
    if not rgb:
        metadata["Channel"] = {"Name": list(image.channel_names)}
    if image.pixel_size_um is not None:
        metadata |= {"PhysicalSizeX": image.pixel_size_um, "PhysicalSizeY": image.pixel_size_um}
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(
            part,
            pixels if rgb else np.moveaxis(pixels, -1, 0),
            ome=True,
            photometric="rgb" if rgb else "minisblack",
            compression="zlib",
            metadata=metadata,
        )
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise ProjectFolderError(
            f"{path} cannot be written: {error.strerror or error}. Free some space, then try again."
        ) from error


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write a file whole, then put it in place of the old one."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", encoding="utf-8") as file:
            json.dump(values, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise ProjectFolderError(
            f"{path} cannot be written: {error.strerror or error}. Choose another folder, or free some space."
        ) from error
