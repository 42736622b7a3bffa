"""The project: images, classes and annotations, with undo, kept on disk if it has a folder."""

import os
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from histowidgets.annotations._annotation import Annotation
from histowidgets.annotations._classes import checked_names, colors_for, free_color
from histowidgets.annotations._editor import Editor
from histowidgets.annotations._edits import (
    checked_role,
    image_state,
    known_class,
)
from histowidgets.annotations._folder import ProjectFolder
from histowidgets.annotations._geojson_read import read_geojson
from histowidgets.annotations._geojson_write import write_geojson
from histowidgets.annotations._shapes import Shape
from histowidgets.annotations._state import Change, ImageState, State
from histowidgets.errors import ImageNameError, ProjectError, ShapeError
from histowidgets.images import Image, open_image


class Project(Editor):
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
        super().__init__(state, None if folder is None else ProjectFolder.create(Path(folder), state))

    @classmethod
    def open(cls, folder: "str | os.PathLike[str]") -> "Project":
        """Open the project kept in a folder, with its undo history.

        If another session holds the folder, the project is read-only; `held_by` says who holds it.

        Raises
        ------
        ProjectFolderError
            If there is no project, or it is damaged; the message names the file and the line.
        """
        opened, state, history = ProjectFolder.open(Path(folder))
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
            By default the image's own.
        role : {"both", "train", "validation"}
            "both": a part of it is held out for validation.

        Returns
        -------
        str
            Its name in the project.

        Raises
        ------
        ImageNameError
            If the name is blank, or an image of that name is there.
        ImageError
            If the image cannot be opened.
        ProjectFolderError
            If it cannot be written into the folder.
        """
        opened = open_image(image)
        name = opened.name if name is None else name
        if not isinstance(name, str) or not name.strip():
            raise ImageNameError(f"An image is named {name!r}; give a name that is not blank.")
        name = name.strip()
        role = checked_role(role)
        with self._lock:
            self._require_writable()
            if name in self._state.images:
                raise ImageNameError(f"The project has an image named {name!r} already. Give another with name=.")
            if self._folder is not None:
                opened = self._folder.add_image(opened, name, role)
            self._state.images[name] = ImageState(opened, role)
        self._tell(Change("images", name))
        return name

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

    def recolor_class(self, name: str, color: str) -> None:
        """Give a class another colour, "#RRGGBB". One step of undo."""
        self._edit({"op": "recolor-class", "name": name, "color": color})

    # --- annotations -----------------------------------------------------------------------------------------------

    def annotate(self, name: str, shape: Shape, class_name: str) -> str:
        """Draw a shape with a class on an image. One step of undo.

        Parameters
        ----------
        name : str
            Of the image.
        shape : Stroke, Line, Polygon or Rectangle
            May reach past the edge of the image, but must touch it.
        class_name : str

        Returns
        -------
        str
            The id of the annotation.

        Raises
        ------
        ImageNameError, ClassNameError
            If the name is unknown.
        ShapeError
            If it is no shape, or lies wholly outside the image.
        ReadOnlyError
            If another session holds the folder.
        """
        with self._lock:
            known_class(class_name, self._state)
        return self._draw(name, shape, class_name)

    def erase(self, name: str, shape: Shape) -> str:
        """Erase what was drawn where a shape is; what is drawn later counts again. One step of undo."""
        return self._draw(name, shape, None)

    def remove(self, annotation_id: str) -> None:
        """Remove an annotation (ProjectError if there is none of that id). One step of undo."""
        with self._lock:
            found = [
                name
                for name, image in self._state.images.items()
                if any(a.id == annotation_id for a in image.annotations)
            ]
        if not found:
            raise ProjectError(f"There is no annotation with the id {annotation_id!r}.")
        self._edit({"op": "remove", "image": found[0], "ids": [annotation_id]})

    def annotations(self, name: str) -> tuple[Annotation, ...]:
        """Return the annotations of an image in the order of drawing, erasers among them."""
        with self._lock:
            return image_state(self._state, name).frozen()

    def count(self, name: str | None = None) -> dict[str, int]:
        """Count the annotations of each class, of one image or of all; erasers do not count."""
        with self._lock:
            images = list(self._state.images.values()) if name is None else [image_state(self._state, name)]
            counts = dict.fromkeys(self._state.classes, 0)
            for image in images:
                for annotation in image.annotations:
                    if annotation.class_name is not None:
                        counts[annotation.class_name] += 1
            return counts

    def label_map(self, name: str, downsample: float = 1) -> np.ndarray:
        """Return the labels of a whole image.

        Parameters
        ----------
        name : str
        downsample : float, default 1
            Labels are taken at the centre of `downsample` x `downsample` full-size pixels (nearest).

        Returns
        -------
        ndarray of (ceil(height / downsample), ceil(width / downsample)), uint8
            Class indices, 255 where unlabelled; the caller's to change.
        """
        with self._lock:
            image_state(self._state, name)
            return self._maps.get(self._state, name, downsample)

    def _draw(self, name: str, shape: Shape, class_name: str | None) -> str:
        if not isinstance(shape, Shape):
            raise ShapeError(f"A {type(shape).__name__} is no shape; draw a Stroke, Line, Polygon or Rectangle.")
        image = self.image(name)
        if shape.region().intersect(image.region) is None:
            raise ShapeError(
                f"The {type(shape).__name__.lower()} lies wholly outside image {name!r} of {image.width} x "
                f"{image.height} pixels. Coordinates are x then y, in full-size pixels."
            )
        annotation = Annotation(uuid.uuid4().hex, shape, class_name, time.time(), self.annotator)
        self._edit({"op": "add", "image": name, "annotations": [annotation.to_dict()]})
        return annotation.id

    # --- GeoJSON ---------------------------------------------------------------------------------------------------

    def export_geojson(self, name: str, path: "str | os.PathLike[str]") -> None:
        """Write the annotations of an image as QuPath reads them.

        Strokes become the areas they cover, lines stay lines; erasers are cut out of what was drawn before them.
        What our own import needs to restore the exact shapes is written beside, so that nothing is lost.

        Raises
        ------
        ImageNameError
            If there is no image of that name.
        GeoJSONError
            If the file cannot be written.
        """
        with self._lock:
            annotations, colors = image_state(self._state, name).frozen(), dict(self._state.colors)
        write_geojson(Path(path), annotations, colors)

    def import_geojson(
        self,
        name: str,
        path: "str | os.PathLike[str]",
        unknown_classes: Literal["error", "add", "skip"] = "error",
    ) -> int:
        """Draw the annotations of a GeoJSON file on an image, as one step of undo.

        Parameters
        ----------
        name : str
            Of the image.
        path : path
            As QuPath or `export_geojson` writes it. Points, and features without a class, are left out with a
            warning that counts them.
        unknown_classes : {"error", "add", "skip"}
            What to do with classes that the project does not have; "add" takes their colours too.

        Returns
        -------
        int
            How many annotations were drawn, erasers included.

        Raises
        ------
        GeoJSONError
            If the file cannot be read; the message gives the number of the feature.
        UnknownClassError
            If classes are unknown and `unknown_classes` is "error".
        """
        path = Path(path)
        read = read_geojson(path, self.image(name), self.colors, unknown_classes)
        if read.shapes:
            self._edit(read.to_record(name, self.annotator))
        read.warn(path)
        return len(read.shapes)
