"""The project: images, classes and annotations, with undo, kept on disk if it has a folder."""

import os
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import count

import numpy as np

from histowidgets._io import as_path
from histowidgets.annotations.project._edit import checked_role, image_state
from histowidgets.annotations.project._edit_log import Editor
from histowidgets.annotations.project._exchange import Exchange
from histowidgets.annotations.project._folder import ProjectFolder
from histowidgets.annotations.project._snapshot import ProjectSnapshot
from histowidgets.annotations.project._state import Change, ImageState, State
from histowidgets.annotations.shapes import checked_names, colors_for, free_color
from histowidgets.errors import ClassNameError, ImageNameError, ProjectError, ProjectFolderError
from histowidgets.images import Image, open_image


class Project(Exchange):
    """Images with their annotations.

    All methods may be called from any thread. Each edit is one step of undo; with a folder it is on disk before
    the method returns and before anybody is told.

    Parameters
    ----------
    classes : sequence of str
        At least one name; blanks around a name are cut off. Any text is kept as text.
    folder : path, optional
        Where to keep the project; made if missing. None keeps it in memory alone. `Project.open` opens a folder
        that holds a project.
    colors : mapping of class to "#RRGGBB", optional
        By default from a palette that colour-blind eyes can tell apart.

    Raises
    ------
    ClassNameError
        If there is no class, or a name is blank or doubled, or a colour is none.
    ProjectFolderError
        If the folder cannot be written, or holds a project already.
    """

    def __init__(
        self,
        classes: Sequence[str],
        folder: "str | os.PathLike[str] | None" = None,
        colors: Mapping[str, str] | None = None,
    ) -> None:
        names = checked_names(classes)
        state = State(names, colors_for(names, colors))
        super().__init__(
            state, None if folder is None else ProjectFolder.create(as_path(folder, ProjectFolderError), state)
        )

    @classmethod
    def open(cls, folder: "str | os.PathLike[str]") -> "Project":
        """Open the project kept in a folder, with its undo history.

        If another session holds the folder, the project is read-only; `held_by` says who holds it.

        Raises
        ------
        ProjectFolderError
            If there is no project, or it is damaged; the message names the file and the line.
        """
        opened, state, history = ProjectFolder.open(as_path(folder, ProjectFolderError))
        project = cls.__new__(cls)
        Editor.__init__(project, state, opened, history)
        return project

    def __repr__(self) -> str:
        where = "in memory" if self.folder is None else f"in {self.folder}"
        return f"<Project {where}: {len(self.classes)} classes, {len(self.image_names)} images>"

    # --- images ----------------------------------------------------------------------------------------------------

    @property
    def image_names(self) -> list[str]:
        """Names of the images, in the order they were added."""
        with self._lock:
            return list(self._state.images)

    def image(self, name: str) -> Image:
        """Return an image by its name (ImageNameError if there is none)."""
        with self._lock:
            return image_state(self._state, name).image

    def role(self, name: str) -> str:
        """Return what an image is used for: "both", "train" or "validation"."""
        with self._lock:
            return image_state(self._state, name).role

    def set_role(self, name: str, role: str) -> None:
        """Say what an image is used for: "both", "train" or "validation". One step of undo."""
        self._edit({"op": "set-role", "image": name, "role": checked_role(role)})

    def add_image(
        self, image: "Image | str | os.PathLike[str] | np.ndarray", name: str | None = None, role: str = "both"
    ) -> str:
        """Add an image. This cannot be undone.

        Parameters
        ----------
        image : Image, path or array
            With a folder, an image that is no file is saved in it.
        name : str, optional
            By default the image's own; if the project has one of that name, or had, with a number: "image 2".
        role : {"both", "train", "validation"}
            "both": a part of it is held out for validation.

        Returns
        -------
        str
            Its name in the project.

        Raises
        ------
        ImageNameError
            If the name is blank, or `name` is that of an image which is there, or which undo can bring back.
        ImageError
            If the image cannot be opened.
        ProjectFolderError
            If it cannot be written into the folder.
        """
        opened = open_image(image)
        automatic = name is None
        name = _checked_image_name(opened.name if name is None else name)
        role = checked_role(role)
        with self._adding:
            with self._lock:
                self._require_writable()
                name = self._free_name(name) if automatic else name
                self._require_free(name)
            # Painting goes on while it is written; nobody else adds an image or closes the folder.
            source = None if self._folder is None else self._folder.save(opened, name)
            with self._lock:
                if self._folder is not None and source is not None:
                    self._folder.add_image(opened, name, role, source)
                self._state.images[name] = ImageState(opened, role)
        self._tell(Change("images", name))
        return name

    def _free_name(self, name: str) -> str:
        """Return the first of "image", "image 2", "image 3", … that no image has, nor one that undo can bring back."""
        names = (numbered_name(name, n) for n in count(1))
        return next(one for one in names if one not in self._state.images and one not in self._state.removed)

    def _require_free(self, name: str) -> None:
        if name in self._state.images:
            raise ImageNameError(f"The project has an image named {name!r} already. Give another with name=.")
        if name in self._state.removed:
            raise ImageNameError(
                f"An image named {name!r} was removed, and undo can bring it back with its annotations. Undo that, "
                "or give another name with name=."
            )

    def remove_image(self, name: str) -> None:
        """Take an image out of the project; undo brings it back, with its role and annotations. One step of undo.

        With a folder, the file of the image stays. Until undo brings it back, its name cannot be given again.

        Raises
        ------
        ImageNameError
            If there is no image of that name.
        """
        self._edit({"op": "remove-image", "image": name})

    @property
    def removed_images(self) -> list[str]:
        """Names of the images that were removed, and that undo can bring back."""
        with self._lock:
            return sorted(self._state.removed)

    # --- classes ---------------------------------------------------------------------------------------------------

    @property
    def classes(self) -> list[str]:
        """Names of the classes; their places are the indices in label maps."""
        with self._lock:
            return list(self._state.classes)

    @property
    def colors(self) -> dict[str, str]:
        """The colour of each class, as "#RRGGBB"."""
        with self._lock:
            return {name: self._state.colors[name] for name in self._state.classes}

    def add_class(self, name: str, color: str | None = None) -> None:
        """Add a class after the others (ClassNameError if the name is blank or taken). One step of undo."""
        color = free_color(self.colors.values()) if color is None else color
        self._edit({"op": "add-class", "name": name, "color": color})

    def rename_class(self, old: str, new: str) -> None:
        """Give a class another name; its annotations follow. One step of undo."""
        self._edit({"op": "rename-class", "old": old, "new": new})

    def merge_classes(self, names: str | Sequence[str], into: str) -> None:
        """Give all the annotations of some classes, of every image, to another class; the classes go. One step of undo.

        The indices of later classes in label maps become smaller.

        Raises
        ------
        ClassNameError
            If a class is unknown, or there is none but `into` itself.
        """
        if not isinstance(names, Iterable):
            raise ClassNameError(f"The classes to merge are {names!r}; a list of names is wanted.")
        self._edit({"op": "merge-classes", "names": [names] if isinstance(names, str) else list(names), "into": into})

    def delete_class(self, name: str) -> None:
        """Take out a class that has no annotations. One step of undo.

        The indices of later classes in label maps become smaller.

        Raises
        ------
        ClassNameError
            If it is unknown, is the only one, or has annotations: `merge_classes` moves those.
        """
        self._edit({"op": "delete-class", "name": name})

    def recolor_class(self, name: str, color: str) -> None:
        """Give a class another colour, "#RRGGBB". One step of undo."""
        self._edit({"op": "recolor-class", "name": name, "color": color})


def numbered_name(name: str, number: int) -> str:
    """Return what the first, second, third image of a name is called: "image", "image 2", "image 3"."""
    return name if number == 1 else f"{name} {number}"


def _checked_image_name(name: object) -> str:
    if not isinstance(name, str) or not name.strip() or "\0" in name:
        raise ImageNameError(f"An image is named {name!r}; give a name that is not blank, without NUL.")
    return name.strip()


def snapshot_of(project: Project | ProjectSnapshot) -> ProjectSnapshot:
    """Return a project as it is now; a snapshot stays what it is.

    Raises
    ------
    ProjectError
        If it is something else, such as the path of a project.
    """
    if isinstance(project, ProjectSnapshot):
        return project
    if not isinstance(project, Project):
        raise ProjectError(
            f"The project is {reprlib.repr(project)}; a Project is wanted. A folder is opened with "
            "hw.Project.open(folder)."
        )
    return project.snapshot()
