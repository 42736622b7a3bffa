"""From the arguments of `Studio` to its project; a cell that is run again finds its annotations again."""

import zlib
from collections import Counter, OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from histowidgets.annotations import Project, numbered_name
from histowidgets.errors import ClassNameError, ImageNameError
from histowidgets.images import Image, open_images

PROJECT_FILE = "project.json"
#: Projects without a folder that this kernel remembers, so that running a cell again loses no stroke.
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
    """Return the project for these images, and a message about where it came from ("" for a new one).

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
        raise ImageNameError("a new studio needs an image: pass an array, a path or a list of them")
    opened = open_images(images)
    if not opened:
        raise ImageNameError("a new studio needs an image, and the list is empty")
    if classes is None:
        raise ClassNameError('a new studio needs classes, such as classes=["Epithelium", "Stroma"]')
    key = (tuple(classes), tuple(_fingerprint(image) for image in opened))
    if folder is None and not fresh and key in _remembered:
        project = _remembered[key]
        _remembered.move_to_end(key)
        count = sum(project.count().values())
        return (
            project,
            f"Found {count} annotations of this session again; fresh=True starts without them." if count else "",
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
    """Forget a project that was remembered."""
    for key in [key for key, kept in _remembered.items() if kept is project]:
        del _remembered[key]


def extend(project: Project, images: Any, classes: Sequence[str] | None) -> tuple[Project, str]:
    """Add the images and classes that a project in a folder does not have yet; return it with a message about it."""
    words = f"Opened {Path(str(project.folder)).name}: {sum(project.count().values())} annotations."
    if project.read_only:
        return project, words
    if project.left_by is not None:
        words += f" The session before ({project.left_by}) ended without closing it; all that it had saved is here."
    seen: Counter[str] = Counter()
    for image in open_images(images) if images is not None else []:
        seen[image.name] += 1  # the second of a name is "image 2" in the project
        if numbered_name(image.name, seen[image.name]) not in [*project.image_names, *project.removed_images]:
            project.add_image(image)
    for name in classes or []:
        if name not in project.classes:
            project.add_class(name)
    return project, words
