"""Open the project for the arguments of `Studio`; running a cell again finds the same annotations."""

import zlib
from collections import Counter, OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from histowidgets.annotations import Project, numbered_name
from histowidgets.errors import ClassNameError, ImageNameError
from histowidgets.images import Image, open_images

PROJECT_FILE = "project.json"
#: Number of projects without a folder that the kernel remembers, so that running a cell again loses no strokes.
REMEMBERED = 8
_remembered: OrderedDict[Any, Project] = OrderedDict()


def _fingerprint(image: Image) -> tuple[Any, ...]:
    side = 256
    x, y = max(0, (image.width - side) // 2), max(0, (image.height - side) // 2)
    middle = image.read(x, y, min(side, image.width), min(side, image.height))
    return (image.name, image.width, image.height, zlib.crc32(middle.tobytes()))


def open_project(
    images: Any, classes: Sequence[str] | None, folder: str | Path | None, fresh: bool = False
) -> tuple[Project, str]:
    """Return the project for these images, and a message about its origin ("" for a new project).

    Raises
    ------
    ClassNameError
        If no classes are given for a new project.
    ImageError
        If an image cannot be used.
    ProjectFolderError
        If `folder` cannot be written or holds a damaged project.
    """
    if isinstance(images, Project):
        return images, ""
    if folder is not None and (Path(folder) / PROJECT_FILE).is_file():
        return extend(Project.open(folder), images, classes)
    if images is None:
        raise ImageNameError("A new studio needs an image. Pass an array, a path or a list of them.")
    opened = open_images(images)
    if not opened:
        raise ImageNameError("A new studio needs an image, but the list is empty. Pass at least one.")
    if classes is None:
        raise ClassNameError('A new studio needs classes, such as classes=["Epithelium", "Stroma"].')
    key = (tuple(classes), tuple(_fingerprint(image) for image in opened))
    if folder is None and not fresh and key in _remembered:
        project = _remembered[key]
        _remembered.move_to_end(key)
        count = sum(project.count().values())
        return (
            project,
            f"Restored {count} annotations from this session; pass fresh=True to start without them." if count else "",
        )
    project = Project(classes, folder=folder)
    for image in opened:
        project.add_image(image)
    if folder is None:
        _remembered[key] = project
        while len(_remembered) > REMEMBERED:
            _remembered.popitem(last=False)
    return project, ""


def forget(project: Project) -> None:
    """Stop remembering a project."""
    for key in [key for key, kept in _remembered.items() if kept is project]:
        del _remembered[key]


def extend(project: Project, images: Any, classes: Sequence[str] | None) -> tuple[Project, str]:
    """Add images and classes that a project in a folder lacks; return the project and a message about it."""
    words = f"Opened {Path(str(project.folder)).name}: {sum(project.count().values())} annotations."
    if project.read_only:
        words = f"{words} It is read-only here: {project.read_only_reason}"
        return project, " ".join([words, *project.opening_notes])
    if project.left_by is not None:
        words += f" The previous session ({project.left_by}) did not close it; everything it had saved is here."
    words = " ".join([words, *project.opening_notes])
    seen: Counter[str] = Counter()
    for image in open_images(images) if images is not None else []:
        seen[image.name] += 1  # the second image of the same name is "image 2" in the project
        if numbered_name(image.name, seen[image.name]) not in [*project.image_names, *project.removed_images]:
            project.add_image(image)
    for name in classes or []:
        if name not in project.classes:
            project.add_class(name)
    return project, words
