"""The folder of a project: project.json, journal.jsonl, and the images that did not come from a file.

`project.json` holds the images and the initial classes; `journal.jsonl` holds every edit since, including undo and
redo. Opening the folder applies the edits again.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from histowidgets._address import is_address
from histowidgets._file_mark import mark_file
from histowidgets._io import atomic_write, file_stem
from histowidgets.annotations.project._description import PROJECT_FILE, ImageEntry, ProjectDescription
from histowidgets.annotations.project._edit import Edit
from histowidgets.annotations.project._edits_annotations import (
    AddAnnotations,
    CutAnnotations,
    ImportAnnotations,
    MoveAnnotations,
    ReclassifyAnnotations,
    RemoveAnnotations,
)
from histowidgets.annotations.project._edits_audits import AnnotateAudit, JudgePoints, StartAudit
from histowidgets.annotations.project._edits_classes import (
    AddClass,
    DeleteClass,
    MergeClasses,
    RecolorClass,
    RenameClass,
)
from histowidgets.annotations.project._edits_images import RemoveImage, SetRole
from histowidgets.annotations.project._edits_tiles import SetAgreementTiles
from histowidgets.annotations.project._history import History
from histowidgets.annotations.project._journal import Journal, damaged, read_journal
from histowidgets.annotations.project._locate import locate, stored_paths
from histowidgets.annotations.project._lock import LOCK_FILE, FolderLock
from histowidgets.annotations.project._state import Record, State
from histowidgets.errors import ProjectError, ProjectFolderError
from histowidgets.images import DeferredImage, Image

JOURNAL_FILE = "journal.jsonl"
IMAGES_FOLDER = "images"
_NO_JOURNAL = "There is no {}, which holds the annotations: the project opens without any. If it had some, restore it."

_ALL: tuple[type[Edit], ...] = (
    AddAnnotations,
    RemoveAnnotations,
    ImportAnnotations,
    MoveAnnotations,
    ReclassifyAnnotations,
    CutAnnotations,
    AddClass,
    RenameClass,
    RecolorClass,
    MergeClasses,
    DeleteClass,
    SetRole,
    RemoveImage,
    StartAudit,
    JudgePoints,
    AnnotateAudit,
    SetAgreementTiles,
)
#: The kinds of edits, by their names in the journal.
EDITS = {edit.op: edit for edit in _ALL}


class ProjectFolder:
    """An open project folder. Not thread-safe; the edit log holds a lock."""

    def __init__(
        self, path: Path, lock: FolderLock, description: ProjectDescription, notes: Sequence[str] = ()
    ) -> None:
        self.path = path
        #: Notes from opening the folder, as sentences.
        self.notes = tuple(notes)
        self._lock = lock
        self._description = description
        self._journal: Journal | None = None
        if lock.held:
            try:
                self._journal = Journal(path / JOURNAL_FILE)
            except ProjectFolderError as error:  # a read-only file in a writable folder
                lock.release()
                lock.fault = str(error)

    @property
    def read_only(self) -> bool:
        """Whether this session may not write, as another session holds the folder or it is not writable."""
        return not self._lock.held and self.read_only_reason is not None

    @property
    def read_only_reason(self) -> str | None:
        """Why this session may not write and what to do, as a sentence; None if it may."""
        if self._lock.held_by is not None:
            return f"{self._lock.held_by} has it open. Close it there, then open it again here."
        if self._lock.fault is not None:
            return (
                f"its folder is not writable ({self._lock.fault}). To edit it, copy the folder to a writable place, "
                "and open the copy."
            )
        return None

    @property
    def held_by(self) -> str | None:
        """The other session that may write, if any."""
        return self._lock.held_by

    @property
    def left_by(self) -> str | None:
        """The session that ended without releasing the folder; None if there was none."""
        return self._lock.left_by

    @classmethod
    def create(cls, path: Path, state: State) -> "ProjectFolder":
        """Make a folder for a new project.

        Raises
        ------
        ProjectFolderError
            If it cannot be written, or already has a project.
        """
        path = path.expanduser().absolute()
        try:
            path.mkdir(parents=True, exist_ok=True)
            taken = (path / PROJECT_FILE).exists()
        except OSError as error:
            raise ProjectFolderError(
                f"The folder {path} cannot be created: {error.strerror or error}. Choose another."
            ) from error
        if taken:
            raise ProjectFolderError(
                f"{path} already has a project. Open it with Project.open, or choose another folder."
            )
        lock = FolderLock(path)
        if lock.fault is not None:
            raise ProjectFolderError(f"The folder {path} cannot be written: {lock.fault}. Choose another.")
        if not lock.held:
            raise ProjectFolderError(f"{lock.held_by} is creating a project in {path}. Choose another folder.")
        try:
            description = ProjectDescription.of(state)
            description.write(path)
            return cls(path, lock, description)
        except ProjectFolderError:
            lock.release()
            raise

    @classmethod
    def holds_project(cls, path: Path) -> bool:
        """Return whether a folder has a project (ProjectFolderError if it cannot be read)."""
        return _is_file(path.expanduser().absolute() / PROJECT_FILE)

    @classmethod
    def open(cls, path: Path, relocate: Any = None) -> tuple["ProjectFolder", State, History]:
        """Open a folder and apply its edits again.

        Parameters
        ----------
        path : Path
        relocate : path or mapping, optional
            New locations of moved images; see `Relocation`.

        Raises
        ------
        ProjectFolderError
            If there is no project, or it is damaged.
        """
        path = path.expanduser().absolute()
        if path.name == PROJECT_FILE and _is_file(path):
            path = path.parent
        if not _is_file(path / PROJECT_FILE):
            raise ProjectFolderError(
                f"There is no project in {path} ({PROJECT_FILE} is missing). Check the path, or create a project there "
                "with Project(classes, folder=...)."
            )
        lock = FolderLock(path)
        try:
            stored = ProjectDescription.read(path)
            description, paths, notes = locate(path, stored, relocate)
            if not (path / JOURNAL_FILE).exists():
                notes = [*notes, _NO_JOURNAL.format(path / JOURNAL_FILE)]
            state, history = description.state(path, paths), History()
            for number, record in read_journal(path / JOURNAL_FILE, repair=lock.held):
                _replay(path / JOURNAL_FILE, number, record, state, history)
            opened = cls(path, lock, description, notes)
            if description != stored and not opened.read_only:
                description.write(path)
            return opened, state, history
        except BaseException:
            lock.release()  # otherwise the folder could not be opened until this process ends
            raise

    def append(self, *records: Record) -> None:
        """Write edits to the journal (ProjectFolderError if that fails)."""
        if self._journal is None:
            raise ProjectFolderError(f"{self.path} is read-only.")
        self._journal.append(*records)

    def discard(self, images: Sequence[Path | str]) -> None:
        """Delete a project that was just created, and the images that were saved in it; other files stay."""
        self.close()
        inside = [Path(image) for image in images if self.path / IMAGES_FOLDER in Path(image).parents]
        for path in [*inside, *(self.path / name for name in (JOURNAL_FILE, PROJECT_FILE, LOCK_FILE))]:
            path.unlink(missing_ok=True)

    def save_image(self, image: Image, name: str) -> Path | str:
        """Save an image unless it came from a file; return its path or address. Edits may be written in the meantime.

        Raises
        ------
        ProjectFolderError
            If it cannot be written.
        """
        if image.source is not None:
            return str(image.source) if is_address(image.source) else Path(image.source)
        target = _free_path(self.path / IMAGES_FOLDER, name)
        write_image(image, target)
        return target

    def relocate(self, where: Any) -> dict[str, DeferredImage]:
        """Set and store the new locations of moved images; return these images by name.

        Raises
        ------
        ProjectFolderError
            If `where` is neither a folder nor a mapping of images or paths, or project.json cannot be written.
        """
        before = {entry.name: entry for entry in self._description.images}
        description, paths, _ = locate(self.path, self._description, where)
        moved = [entry for entry in description.images if entry != before[entry.name]]
        if moved and not self.read_only:
            description.write(self.path)
        self._description = description
        return {entry.name: entry.opened(paths[entry.name]) for entry in moved}

    def add_image(self, image: Image, name: str, role: str, source: Path | str) -> None:
        """Add an image, whose file exists, to project.json (ProjectFolderError if that fails)."""
        stored, relative = stored_paths(source, self.path)
        entry = ImageEntry(
            name=name,
            path=stored,
            relative_path=relative,
            file_mark=mark_file(source),
            role=role,
            width=image.width,
            height=image.height,
            channel_names=list(image.channel_names),
            pixel_size_um=_stored_size(image),
            opened_with=image.opened_with,
        )
        description = self._description.model_copy(update={"images": [*self._description.images, entry]})
        description.write(self.path)
        self._description = description

    def close(self) -> None:
        """Release the folder."""
        if self._journal is not None:
            self._journal.close()
        self._lock.release()


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:  # a parent folder may be unreadable
        raise ProjectFolderError(
            f"{path} cannot be read: {error.strerror or error}. Ask for permission to read it."
        ) from error


def _replay(path: Path, number: int, record: Record, state: State, history: History) -> None:
    if record["op"] not in EDITS and record["op"] not in ("undo", "redo"):
        raise ProjectFolderError(
            f"Line {number} of {path} is an edit {record['op']!r}, which this version of histowidgets does not know. "
            "It was written by a newer one: update histowidgets to open the project."
        )
    try:
        if record["op"] == "undo":
            history.undo(state)
        elif record["op"] == "redo":
            history.redo(state)
        else:
            history.do(EDITS[record["op"]].from_record(record, state), state)
    except (ProjectError, KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise damaged(path, number, f"{type(error).__name__}: {error}") from error


def _stored_size(image: Image) -> float | list[float] | None:
    """Return the side of a pixel in um, or the height and width of one that is not square."""
    size = image.pixel_size_yx_um
    return image.pixel_size_um if size is None or size[0] == size[1] else list(size)


def _free_path(folder: Path, name: str) -> Path:
    """Return a path for an image of this name that replaces no other file."""
    stem = file_stem(name)
    path, number = folder / f"{stem}.tif", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}_{number}.tif"
    return path


def write_image(image: Image, path: Path) -> None:
    """Save an image as OME-TIFF, which keeps dtype, channels, channel names and pixel size.

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
    if image.pixel_size_yx_um is not None:
        height, width = image.pixel_size_yx_um
        metadata |= {"PhysicalSizeX": width, "PhysicalSizeY": height}
    with atomic_write(path, ProjectFolderError, "Free some space, then try again.") as part:
        path.parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(
            part,
            pixels if rgb else np.moveaxis(pixels, -1, 0),
            ome=True,
            photometric="rgb" if rgb else "minisblack",
            compression="zlib",
            metadata=metadata,
        )
