"""Locate the image files of a project: at their stored paths, or elsewhere after a move."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple

from histowidgets._address import is_address
from histowidgets._file_mark import FileMark, is_same, mark_file
from histowidgets._io import as_path
from histowidgets.annotations.project._description import ImageEntry, ProjectDescription
from histowidgets.errors import ProjectFolderError

#: Number of last parts of a path to look for, and number of folders around a project to look in.
_TAIL_PARTS, _FOLDERS_UP = 4, 3
#: Most files and folders to examine when searching a folder for an image.
MOST_ENTRIES = 100_000


class Found(NamedTuple):
    """A file, whether it exists, and whether it is the marked one (None if unknown)."""

    path: Path
    is_there: bool
    is_same: bool | None


def stored_paths(path: Path | str, folder: Path) -> tuple[str, str | None]:
    """Return the stored forms of a path: the path itself, and a relative one for a file outside the project's folder.

    A file in the folder is stored only by its relative path, so that the folder can be moved. A file outside it is
    stored in both forms, so that the two can be moved together, or the folder alone. The relative path is None if there
    is none, as for another drive or an address.
    """
    if is_address(path):
        return str(path), None
    path = Path(path)
    if path.is_relative_to(folder):
        return path.relative_to(folder).as_posix(), None
    try:
        return str(path), PurePath(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return str(path), None


def find_file(folder: Path, path: str, relative: str | None, mark: FileMark | None) -> Found:
    """Find a file; if it cannot be found, return its stored location.

    Looks at the path relative to the project's folder, then at the absolute path, then beside the project under the
    last parts of the path. A file that differs from the marked one is accepted only at a stored path, and only if no
    better one is found.

    Parameters
    ----------
    folder : Path
        Folder of the project.
    path, relative : str
        The result of `stored_paths`.
    mark : FileMark or None
        Mark of the file, if known.
    """
    stored = [folder / path] if relative is None else [_joined(folder, relative), folder / path]
    others: list[Found] = []
    for one in dict.fromkeys([*stored, *_nearby(folder, path)]):
        if not exists(one):
            continue
        same = None if mark is None else is_same(mark, one)
        if same or mark is None:
            return Found(one, True, same)
        # Elsewhere, a file of the same name with other content is a different file.
        if one in stored:
            others.append(Found(one, True, same))
    return others[0] if others else Found(folder / path, False, None)


def _nearby(folder: Path, path: str) -> Iterator[Path]:
    """Yield possible places of a file that was moved with the project: beside it, under the last parts of its path."""
    parts = _parts(path)
    for n_parts in range(min(_TAIL_PARTS, len(parts)), 0, -1):
        around = folder
        for _ in range(_FOLDERS_UP):
            yield around.joinpath(*parts[-n_parts:])
            around = around.parent


def _joined(folder: Path, relative: str) -> Path:
    return Path(os.path.normpath(folder / relative))


def _parts(path: str) -> tuple[str, ...]:
    """Return the parts of a path of any operating system, without root or drive."""
    pure = PureWindowsPath(path) if "\\" in path or path[1:2] == ":" else PurePosixPath(path)
    return pure.parts[1:] if pure.is_absolute() else pure.parts


def is_there(source: str) -> bool:
    """Return whether the file of an image exists, which is assumed for an address."""
    return is_address(source) or exists(Path(source))


def exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


class Relocation:
    """New locations of moved images, as given by the user.

    Parameters
    ----------
    where : path or mapping
        A folder with the files at any depth; or a mapping from an image name, an old path or an old folder to the new
        location.

    Raises
    ------
    ProjectFolderError
        If it is neither, or the folder does not exist.
    """

    def __init__(self, where: Any) -> None:
        self._table: dict[str, Path] = {}
        self._folder: Path | None = None
        self._index: dict[str, list[Path]] | None = None
        if isinstance(where, Mapping):
            for old, new in where.items():
                self._table[str(old)] = as_path(new, ProjectFolderError).absolute()
            return
        self._folder = as_path(where, ProjectFolderError).absolute()
        if not self._folder.is_dir():
            raise ProjectFolderError(
                f"There is no folder {self._folder}. Pass a folder with the images, or a mapping of old to new paths."
            )

    def require_known(self, names: Sequence[str], paths: Sequence[str]) -> None:
        """Raise ProjectFolderError for mapping keys that are neither an image nor part of a path."""
        for key in self._table:
            if key not in names and all(_below(path, key) is None for path in paths):
                raise ProjectFolderError(
                    f"relocate names {key!r}, which is neither an image of the project nor a path or folder of one. "
                    f"Its images are {', '.join(map(repr, names))}."
                )

    def new_path(self, name: str, path: str, mark: FileMark | None, found: "Found") -> Path | None:
        """Return the new path of an image; None if it is not given or the file does not exist.

        Parameters
        ----------
        name : str
            Name of the image.
        path : str
            Its old path.
        mark : FileMark or None
            Of several files of the same name in the folder, the one with this mark is chosen.
        found : Found
            Result of `find_file`; a folder is searched only for missing files.

        Raises
        ------
        ProjectFolderError
            If the mapping has a path for this image, but the file does not exist.
        """
        if self._folder is not None:
            return None if found.is_there else self._in_folder(path, mark)
        if name in self._table:
            if not exists(self._table[name]):
                raise ProjectFolderError(
                    f"There is no file {self._table[name]} for the image {name!r}. Check the path."
                )
            return self._table[name]
        for old, new in self._table.items():
            rest = _below(path, old)
            if rest is not None and exists(new.joinpath(*rest)):
                return new.joinpath(*rest)
        return None

    def _in_folder(self, path: str, mark: FileMark | None) -> Path | None:
        assert self._folder is not None
        if self._index is None:
            self._index = _files_by_name(self._folder)
        parts = _parts(path)
        found = self._index.get(parts[-1], []) if parts else []
        same = [one for one in found if mark is None or is_same(mark, one) is not False]
        # Choose the one whose parent folders match best.
        return max(same or found, key=lambda one: _common_tail(one.parts, parts), default=None)


def _below(path: str, old: str) -> tuple[str, ...] | None:
    """Return the parts of a path below an old path or folder; () if equal, None if not below it."""
    mine, above = _parts(path), _parts(old)
    return mine[len(above) :] if above and mine[: len(above)] == above else None


def _common_tail(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    count = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        count += 1
    return count


def _files_by_name(folder: Path) -> dict[str, list[Path]]:
    """Return the files and OME-Zarr folders below a folder, by name."""
    found: dict[str, list[Path]] = {}
    seen = 0
    for root, folders, files in os.walk(folder):
        for name in [*files, *(one for one in folders if one.lower().endswith(".zarr"))]:
            found.setdefault(name, []).append(Path(root, name))
        folders[:] = [one for one in folders if not one.lower().endswith(".zarr")]
        seen += len(files) + len(folders)
        if seen > MOST_ENTRIES:
            break
    return found


def locate(
    folder: Path, description: ProjectDescription, relocate: Any = None
) -> tuple[ProjectDescription, dict[str, Path | str], list[str]]:
    """Find the files of all images.

    Parameters
    ----------
    folder : Path
        Folder of the project.
    description : ProjectDescription
    relocate : path or mapping, optional
        New locations of moved images; see `Relocation`.

    Returns
    -------
    description : ProjectDescription
        With the paths and marks to store.
    paths : dict of image name to Path, or to str for an address
        Current paths of the files, or the stored paths of missing ones.
    notes : list of str
        Sentences about files that are missing, were replaced, or were found elsewhere.

    Raises
    ------
    ProjectFolderError
        If `relocate` is not a folder or a mapping, or names no image of the project.
    """
    relocation = None if relocate is None else Relocation(relocate)
    if relocation is not None:
        relocation.require_known([e.name for e in description.images], [e.path for e in description.images])
    entries, notes, missing = [], [], []
    paths: dict[str, Path | str] = {}
    for entry in description.images:
        if is_address(entry.path):
            paths[entry.name] = entry.path
            entries.append(entry)
            continue
        found = find_file(folder, entry.path, entry.relative_path, entry.file_mark)
        new = None if relocation is None else relocation.new_path(entry.name, entry.path, entry.file_mark, found)
        if new is not None:
            found, entry = Found(new, True, None), entry.model_copy(update={"file_mark": None})
        elif found.is_same is False:
            notes.append(
                f"The file of the image {entry.name!r} is not the one that was annotated: {found.path} has other "
                f"content. If it is correct, confirm it with project.relocate({{{entry.name!r}: path}})."
            )
        elif found.is_there and not _is_stored(folder, entry, found.path):
            notes.append(f"The image {entry.name!r} was found in {found.path.parent}.")
        if not found.is_there:
            missing.append(entry.name)
        paths[entry.name] = found.path
        entries.append(_stored(folder, entry, found))
    if missing:
        shown = ", ".join(map(repr, missing[:8])) + (" and more" if len(missing) > 8 else "")
        notes.append(
            f"{len(missing)} image file(s) are missing: {shown}. Give their folder with project.relocate(folder)."
        )
    return description.model_copy(update={"images": entries}), paths, notes


def _is_stored(folder: Path, entry: ImageEntry, path: Path) -> bool:
    return path == folder / entry.path or (
        entry.relative_path is not None and path == _joined(folder, entry.relative_path)
    )


def _stored(folder: Path, entry: ImageEntry, found: Found) -> ImageEntry:
    """Return an entry with the path and mark of the file that was found."""
    if not found.is_there:
        return entry
    path, relative = stored_paths(found.path, folder)
    mark = entry.file_mark or mark_file(found.path)
    return entry.model_copy(update={"path": path, "relative_path": relative, "file_mark": mark})
