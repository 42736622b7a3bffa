"""The project: images, classes and annotations, with undo, kept on disk if it has a folder."""

import os
import reprlib
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from histowidgets._io import as_path
from histowidgets.annotations.io import ImportOptions
from histowidgets.annotations.project import _annotate, _exchange
from histowidgets.annotations.project._add_image import add_image
from histowidgets.annotations.project._edit import checked_role, image_state
from histowidgets.annotations.project._edit_log import EditLog
from histowidgets.annotations.project._edits_classes import (
    AddClass,
    DeleteClass,
    MergeClasses,
    RecolorClass,
    RenameClass,
)
from histowidgets.annotations.project._edits_images import RemoveImage, SetRole
from histowidgets.annotations.project._folder import ProjectFolder
from histowidgets.annotations.project._locate import is_there
from histowidgets.annotations.project._snapshot import ProjectSnapshot
from histowidgets.annotations.project._state import Change, State
from histowidgets.annotations.shapes import (
    Annotation,
    Shape,
    checked_names,
    colors_for,
    free_color,
    match_class,
    require_different,
)
from histowidgets.errors import ClassNameError, HistowidgetsWarning, ProjectError, ProjectFolderError
from histowidgets.images import Image, Region


class Project:
    """Images with their annotations.

    All methods may be called from any thread. Each edit is one step of undo; with a folder it is on disk before
    the method returns, and before any subscriber is called.

    Parameters
    ----------
    classes : sequence of str
        At least one name; blanks around a name are cut off. Any text is kept as text.
    folder : path, optional
        Where to keep the project; made if missing. None keeps it in memory only. A folder that holds a project which
        has these classes is opened, so that a script can be run again; `Project.open` opens any.
    colors : mapping of class to "#RRGGBB", optional
        Of a new project. By default from a palette that colour-blind people can tell apart.

    Raises
    ------
    ClassNameError
        If there is no class, a name is blank or given twice, or a colour is not "#RRGGBB".
    ProjectFolderError
        If the folder cannot be written, or holds a project without these classes.
    """

    def __init__(
        self,
        classes: Sequence[str],
        folder: "str | os.PathLike[str] | None" = None,
        colors: Mapping[str, str] | None = None,
    ) -> None:
        names = checked_names(classes)
        for k, name in enumerate(names):
            require_different(name, names[:k])
        state = State(names, colors_for(names, colors))
        if folder is None:
            self._log = EditLog(state)
            return
        path = as_path(folder, ProjectFolderError)
        if not ProjectFolder.holds_project(path):
            self._log = EditLog(state, ProjectFolder.create(path, state))
            return
        self._log = _open_log(path)
        others = [name for name in names if match_class(name, self._log.state.classes) is None]
        if others:
            self._log.close()
            raise ProjectFolderError(
                f"{path} holds a project already, without the class(es) {', '.join(map(repr, others))}; it has "
                f"{', '.join(map(repr, self._log.state.classes))}. Open it with Project.open, and add them with "
                "add_class; or choose another folder."
            )
        self._warn_of_notes()

    @classmethod
    def open(
        cls,
        folder: "str | os.PathLike[str]",
        relocate: "str | os.PathLike[str] | Mapping[str, str | os.PathLike[str]] | None" = None,
    ) -> "Project":
        """Open the project kept in a folder, with its undo history.

        If another session holds the folder, or it cannot be written, the project is read-only; `read_only_reason`
        says why. Images that were moved together with the project are found. What else was noticed about image files
        (missing, replaced, found elsewhere) is a warning, and `opening_notes`.

        Parameters
        ----------
        folder : path
        relocate : path or mapping, optional
            Where images are that were moved, as for the method `relocate`.

        Raises
        ------
        ProjectFolderError
            If there is no project, or it is damaged; the message names the file, and the line or the field.
        """
        project = cls.__new__(cls)
        project._log = _open_log(as_path(folder, ProjectFolderError), relocate)
        project._warn_of_notes()
        return project

    def _warn_of_notes(self) -> None:
        if self.opening_notes:
            warnings.warn(" ".join(self.opening_notes), HistowidgetsWarning, stacklevel=3)

    def __repr__(self) -> str:
        where = "in memory" if self.folder is None else f"in {self.folder}"
        return f"<Project {where}: {len(self.classes)} classes, {len(self.image_names)} images>"

    # --- the folder ------------------------------------------------------------------------------------------------

    @property
    def folder(self) -> Path | None:
        """Where the project is kept; None if in memory only."""
        return None if self._log.folder is None else self._log.folder.path

    @property
    def read_only(self) -> bool:
        """Whether another session holds the folder, or it cannot be written, so that the project cannot be edited."""
        return self._log.folder is not None and self._log.folder.read_only

    @property
    def read_only_reason(self) -> str | None:
        """Why the project cannot be edited, and what to do, as a sentence; None if it can be."""
        return None if self._log.folder is None else self._log.folder.read_only_reason

    @property
    def opening_notes(self) -> tuple[str, ...]:
        """What was noticed about image files when the folder was opened, as sentences."""
        return () if self._log.folder is None else self._log.folder.notes

    @property
    def held_by(self) -> str | None:
        """Who holds the folder, if it is another session."""
        return None if self._log.folder is None else self._log.folder.held_by

    @property
    def left_by(self) -> str | None:
        """Who held the folder before and ended without closing it, as a killed kernel does; else None."""
        return None if self._log.folder is None else self._log.folder.left_by

    @property
    def closed(self) -> bool:
        """Whether `close` was called; a project in a folder cannot be edited after that."""
        return self._log.closed

    def close(self) -> None:
        """Release the folder, once an image that is being added has been written; the project can still be read."""
        self._log.close()

    # --- undo and subscribers --------------------------------------------------------------------------------------

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to undo."""
        return self._log.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether there is an edit to redo."""
        return self._log.can_redo

    def undo(self) -> bool:
        """Undo the last edit; return whether there was one."""
        return self._log.undo()

    def redo(self) -> bool:
        """Redo the edit that was undone last; return whether there was one."""
        return self._log.redo()

    def subscribe(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Call `callback` after each edit, in the thread that made it; return a function that ends this.

        An exception in the callback is logged; the edit stays.
        """
        return self._log.subscribe(callback)

    def snapshot(self) -> ProjectSnapshot:
        """Return the project as it is now; other threads can work on that while editing continues."""
        return self._log.snapshot()

    # --- images ----------------------------------------------------------------------------------------------------

    @property
    def image_names(self) -> list[str]:
        """Names of the images, in the order they were added."""
        with self._log.lock:
            return list(self._log.state.images)

    @property
    def removed_images(self) -> list[str]:
        """Names of the images that were removed, and that undo can bring back."""
        with self._log.lock:
            return sorted(self._log.state.removed)

    def image(self, name: str) -> Image:
        """Return an image by its name (ImageNameError if there is none)."""
        with self._log.lock:
            return image_state(self._log.state, name).image

    def role(self, name: str) -> str:
        """Return what an image is used for: "both", "train" or "validation"."""
        with self._log.lock:
            return image_state(self._log.state, name).role

    def set_role(self, name: str, role: str) -> None:
        """Set what an image is used for: "both", "train" or "validation". One step of undo."""
        checked = checked_role(role)
        self._log.do(lambda state: SetRole.make(state, name, checked))

    def add_image(
        self, image: "Image | str | os.PathLike[str] | np.ndarray", name: str | None = None, role: str = "both"
    ) -> str:
        """Add an image. This cannot be undone.

        Parameters
        ----------
        image : Image, path or array
            With a folder, an image that did not come from a file is saved in it.
        name : str, optional
            By default the image's own name; with a number, as in "image 2", if the project has or had an image of
            that name.
        role : {"both", "train", "validation"}
            "both": a part of it is held out for validation.

        Returns
        -------
        str
            Its name in the project.

        Raises
        ------
        ImageNameError
            If the name is blank, or that of an image that is there or that undo can bring back.
        ImageError
            If the image cannot be opened.
        ProjectFolderError
            If it cannot be written into the folder.
        """
        return add_image(self._log, image, name, role)

    def remove_image(self, name: str) -> None:
        """Remove an image from the project; undo brings it back, with its role and annotations. One step of undo.

        With a folder, the file of the image stays. Until undo brings it back, its name cannot be given again.

        Raises
        ------
        ImageNameError
            If there is no image of that name.
        """
        self._log.do(lambda state: RemoveImage.make(state, name))

    @property
    def missing_images(self) -> list[str]:
        """Names of the images whose file is not there."""
        with self._log.lock:
            images = {name: one.image.source for name, one in self._log.state.images.items()}
        return [name for name, source in images.items() if source is not None and not is_there(source)]

    def relocate(self, where: "str | os.PathLike[str] | Mapping[str, str | os.PathLike[str]]") -> dict[str, Path]:
        """Say where image files are that were moved. The project stores it, unless it is read-only.

        Parameters
        ----------
        where : path or mapping
            A folder, in which and below which the missing files are looked for by name; or a mapping from the name of
            an image, its old path or an old folder to the new one. That also says that a file which was replaced is
            the right one.

        Returns
        -------
        dict of image name to Path
            What was found; `missing_images` has the names of the others.

        Raises
        ------
        ProjectFolderError
            If there is no such folder or file, or a key of the mapping is neither an image nor a path of one.
        ProjectError
            If the project is in memory only.
        """
        return self._log.relocate(where)

    # --- classes ---------------------------------------------------------------------------------------------------

    @property
    def classes(self) -> list[str]:
        """Names of the classes; their places are the indices in label maps."""
        with self._log.lock:
            return list(self._log.state.classes)

    @property
    def colors(self) -> dict[str, str]:
        """The colour of each class, as "#RRGGBB"."""
        with self._log.lock:
            return {name: self._log.state.colors[name] for name in self._log.state.classes}

    def add_class(self, name: str, color: str | None = None) -> None:
        """Add a class after the others (ClassNameError if the name is blank or taken). One step of undo."""
        require_different(name, self.classes)
        chosen = free_color(self.colors.values()) if color is None else color
        self._log.do(lambda state: AddClass.make(state, name, chosen))

    def rename_class(self, old: str, new: str) -> None:
        """Rename a class; its annotations follow. One step of undo."""
        require_different(new, [name for name in self.classes if name != old])
        self._log.do(lambda state: RenameClass.make(state, old, new))

    def merge_classes(self, names: str | Sequence[str], into: str) -> None:
        """Give the annotations of some classes, in every image, to another class, and remove those classes.

        One step of undo. The indices of later classes in label maps become smaller.

        Raises
        ------
        ClassNameError
            If a class is unknown, or no class other than `into` is given.
        """
        if not isinstance(names, Iterable):
            raise ClassNameError(f"The classes to merge are {names!r}; a list of names is wanted.")
        given = [names] if isinstance(names, str) else list(names)
        self._log.do(lambda state: MergeClasses.make(state, given, into))

    def delete_class(self, name: str) -> None:
        """Delete a class that has no annotations. One step of undo.

        The indices of later classes in label maps become smaller.

        Raises
        ------
        ClassNameError
            If it is unknown, is the only one, or has annotations: `merge_classes` moves those.
        """
        self._log.do(lambda state: DeleteClass.make(state, name))

    def recolor_class(self, name: str, color: str) -> None:
        """Give a class another colour, "#RRGGBB". One step of undo."""
        self._log.do(lambda state: RecolorClass.make(state, name, color))

    # --- annotations: editing --------------------------------------------------------------------------------------

    @property
    def annotator(self) -> str:
        """Who draws: written into each new annotation. Empty by default."""
        return self._log.annotator

    @annotator.setter
    def annotator(self, name: str) -> None:
        self._log.annotator = name

    def annotate(self, name: str, shape: Shape, class_name: str) -> str:
        """Draw a shape with a class on an image. One step of undo.

        Parameters
        ----------
        name : str
            The image.
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
            If it is not a shape, or lies wholly outside the image.
        ReadOnlyError
            If another session holds the folder.
        """
        return _annotate.annotate(self._log, name, shape, class_name)

    def erase(self, name: str, shape: Shape) -> str:
        """Erase what was drawn under a shape; what is drawn later is not affected. One step of undo.

        Returns the id of the eraser, which is an annotation without a class. Raises as `annotate` does.
        """
        return _annotate.erase(self._log, name, shape)

    def remove(self, ids: str | Sequence[str]) -> None:
        """Remove one or several annotations of one image. One step of undo.

        Raises
        ------
        ProjectError
            If there is no annotation with an id, or they are of several images.
        """
        _annotate.remove(self._log, ids)

    def move(self, ids: str | Sequence[str], dx: float, dy: float) -> None:
        """Move one or several annotations of one image; the order of drawing stays. One step of undo.

        Parameters
        ----------
        ids : str or sequence of str
        dx, dy : float
            To the right and down, in full-size pixels.

        Raises
        ------
        ProjectError
            If there is no annotation with an id, or they are of several images.
        ShapeError
            If one would lie wholly outside the image; then nothing is moved.
        """
        _annotate.move(self._log, ids, dx, dy)

    def reclassify(self, ids: str | Sequence[str], class_name: str) -> None:
        """Give one or several annotations of one image another class; the order of drawing stays. One step of undo.

        Raises
        ------
        ProjectError
            If there is no annotation with an id, or they are of several images.
        ClassNameError
            If the class is unknown, or one of them is an eraser.
        """
        _annotate.reclassify(self._log, ids, class_name)

    def paste(self, name: str, annotations: Sequence[Annotation], dx: float = 0, dy: float = 0) -> list[str]:
        """Draw copies of annotations on top of those of an image. One step of undo.

        Parameters
        ----------
        name : str
            The image; it need not be the one they come from.
        annotations : sequence of Annotation
            In the order of drawing. The copies get new ids, the current time and the current annotator.
        dx, dy : float, default 0
            How far to the right of and below the originals, in full-size pixels.

        Returns
        -------
        list of str
            The new ids, in order. Copies that would lie wholly outside the image are left out.

        Raises
        ------
        ClassNameError
            If the project does not have one of the classes.
        ProjectError
            If these are not annotations.
        ShapeError
            If every copy would lie wholly outside the image.
        """
        return _annotate.paste(self._log, name, annotations, dx, dy)

    # --- annotations: reading --------------------------------------------------------------------------------------

    def annotation(self, annotation_id: str) -> Annotation:
        """Return an annotation by its id (ProjectError if there is none)."""
        return _annotate.annotation(self._log, annotation_id)

    def annotations(self, name: str) -> tuple[Annotation, ...]:
        """Return the annotations of an image in the order of drawing, erasers among them."""
        return _annotate.annotations(self._log, name)

    def annotation_at(self, name: str, x: float, y: float, tolerance: float = 0) -> str | None:
        """Return the id of the topmost annotation at a point, or None; erasers are ignored.

        Parameters
        ----------
        name : str
            The image.
        x, y : float
            Full-size pixels.
        tolerance : float, default 0
            How far outside its area the point may lie, in full-size pixels.
        """
        return _annotate.annotation_at(self._log, name, x, y, tolerance)

    def annotations_in(self, name: str, region: Region) -> list[str]:
        """Return the ids of the annotations that lie wholly within a region, in the order of drawing; no erasers."""
        return _annotate.annotations_in(self._log, name, region)

    def count(self, name: str | None = None) -> dict[str, int]:
        """Count the annotations of each class, of one image or of all; erasers do not count."""
        return _annotate.count(self._log, name)

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
            Class indices, 255 where unlabelled; a copy.

        Raises
        ------
        ImageNameError
            If there is no image of that name.
        RegionError
            If the downsample is not a number of at least 1.
        """
        return self._log.label_map(name, downsample)

    # --- annotations: files of other programs ----------------------------------------------------------------------

    def export_geojson(
        self, name: str, path: "str | os.PathLike[str]", offset: tuple[float, float] | None = None
    ) -> None:
        """Write the annotations of an image as QuPath reads them.

        Strokes become the areas they cover, lines stay lines; erasers are cut out of what was drawn before them. Every
        polygon is valid. The exact shapes are written beside the geometries, so that `import_geojson` restores them
        without loss.

        Parameters
        ----------
        name : str
            The image.
        path : path
        offset : (x, y), optional
            Where the coordinates of the file begin in the image, in full-size pixels. By default where QuPath begins:
            in the corner of the scanned area of a slide.

        Raises
        ------
        ImageNameError
            If there is no image of that name.
        GeoJSONError
            If the file cannot be written.
        """
        _exchange.export_geojson(self._log, name, path, offset)

    def import_annotations(
        self,
        name: str,
        source: "str | os.PathLike[str] | np.ndarray",
        *,
        classes: Mapping[Any, str | None] | str | None = None,
        unknown_classes: Literal["error", "add", "skip"] = "error",
        on_duplicate: Literal["skip", "replace", "replace_all", "add", "error"] = "skip",
        unit: Literal["px", "um"] = "px",
        scale: float | None = None,
        offset: tuple[float, float] | None = None,
        plane: "tuple[int, int] | Literal['all'] | None" = None,
        entry: str | None = None,
        tell: Callable[[str], object] | None = None,
    ) -> int:
        """Draw the annotations of a file on an image, as one step of undo. What the file is, is told from its content.

        Known are GeoJSON (QuPath), XML of ASAP, ImageScope and HALO, ROIs of ImageJ (.roi and RoiSet.zip), JSON of COCO
        and labelme, each also compressed with gzip or zip; and label maps as PNG, TIFF, BMP, GIF, NPY or array, which
        replace what was drawn before. One object that cannot be read does not hinder the others: it is reported with
        its number.

        Parameters
        ----------
        name : str
            The image.
        source : path or array
        classes : mapping or str, optional
            What names of the file mean: from the name of a class, or of an object that has no class, to a class of the
            project, or None to leave it out; the key None stands for all others without a class. Of a label map, from
            a value, or a colour as "#RRGGBB" or (r, g, b). One name is the class of all that has none of the project's.
        unknown_classes : {"error", "add", "skip"}
            What to do with classes that the project does not have; "add" takes their colours too. Names that differ
            only in capitals, blanks or Unicode's spelling are the same class.
        on_duplicate : {"skip", "replace", "replace_all", "add", "error"}
            What to do with annotations that are on the image already, by their id or with the same shape and class:
            leave them as they are, replace them by those of the file, replace everything on the image, draw them
            twice, or refuse the file.
        unit : {"px", "um"}
            Of the coordinates.
        scale : float, optional
            Pixels of the image in a unit of the file. By default 1, or the ratio of the sizes where the file says that
            of its image.
        offset : (x, y), optional
            Added to the coordinates, in full-size pixels. By default what leads from where the program begins (QuPath
            in the corner of the scanned area of a slide, ASAP in that of the whole slide) to the image.
        plane : (z, t) or "all", optional
            Which plane of a stack, counted from 0. By default that of the image.
        entry : str, optional
            Which file of an archive, or image of a COCO file. By default the one that is named like the image.
        tell : callable, optional
            Called with what was left out, chosen, or may be wrong, instead of a warning: catching warnings is not
            thread-safe.

        Returns
        -------
        int
            How many annotations were drawn, erasers included.

        Raises
        ------
        AnnotationFileError
            If the file cannot be read, is of an unknown kind, or does not fit the image.
        UnknownClassError
            If classes are unknown and `unknown_classes` is "error".
        DuplicateAnnotationsError
            If annotations are there already and `on_duplicate` is "error".
        SeveralEntriesError, UnnamedValuesError
            If `entry`, or `classes`, has to say what is meant.
        """
        options = ImportOptions(classes, unknown_classes, on_duplicate, unit, scale, offset, plane, entry)
        return _exchange.import_annotations(self._log, name, source, options).tell(tell)

    def preview_import(
        self,
        name: str,
        source: "str | os.PathLike[str] | np.ndarray",
        *,
        classes: Mapping[Any, str | None] | str | None = None,
        unknown_classes: Literal["error", "add", "skip"] = "error",
        unit: Literal["px", "um"] = "px",
        scale: float | None = None,
        offset: tuple[float, float] | None = None,
        plane: "tuple[int, int] | Literal['all'] | None" = None,
        entry: str | None = None,
    ) -> _exchange.ImportPreview:
        """Say what `import_annotations` would draw, and what it would have to be told; changes nothing.

        The arguments are those of `import_annotations`.

        Raises
        ------
        AnnotationFileError
            If the file cannot be read, is of an unknown kind, or does not fit the image.
        """
        options = ImportOptions(
            classes, unknown_classes, unit=unit, scale=scale, offset=offset, plane=plane, entry=entry
        )
        return _exchange.preview_import(self._log, name, source, options)

    def import_geojson(
        self,
        name: str,
        path: "str | os.PathLike[str]",
        unknown_classes: Literal["error", "add", "skip"] = "error",
        tell: Callable[[str], object] | None = None,
        *,
        classes: Mapping[str | None, str | None] | str | None = None,
        on_duplicate: Literal["skip", "replace", "replace_all", "add", "error"] = "skip",
        unit: Literal["px", "um"] = "px",
        scale: float | None = None,
        offset: tuple[float, float] | None = None,
        plane: "tuple[int, int] | Literal['all'] | None" = None,
        entry: str | None = None,
    ) -> int:
        """Draw the annotations of a GeoJSON file on an image, as one step of undo.

        As QuPath or `export_geojson` writes it, or any other program; also compressed. Points, and features without a
        class, are left out, with a warning that counts them and lists their names. The other arguments are those of
        `import_annotations`, which reads files of more programs.

        Returns
        -------
        int
            How many annotations were drawn, erasers included.

        Raises
        ------
        GeoJSONError
            If the file cannot be read, or none of its features can; the message gives the number of the feature.
        UnknownClassError
            If classes are unknown and `unknown_classes` is "error".
        """
        options = ImportOptions(classes, unknown_classes, on_duplicate, unit, scale, offset, plane, entry)
        return _exchange.import_geojson(self._log, name, path, options).tell(tell)

    def export_label_png(self, name: str, path: "str | os.PathLike[str]", downsample: float = 1) -> None:
        """Write the label map of an image as a PNG that any program shows in the colours of the classes.

        Each pixel holds a class index, or 255, which is transparent, where unlabelled. The names and colours of the
        classes and the downsample are in a text chunk "histowidgets", as JSON.

        Parameters
        ----------
        name : str
            The image.
        path : path
        downsample : float, default 1
            Labels are taken at the centre of `downsample` x `downsample` full-size pixels.

        Raises
        ------
        ImageNameError
            If there is no image of that name.
        LabelPngError
            If the file cannot be written, or would have more than 8192 x 8192 pixels.
        """
        _exchange.export_label_png(self._log, name, path, downsample)

    def import_label_png(
        self,
        name: str,
        path: "str | os.PathLike[str] | np.ndarray",
        unknown_classes: Literal["error", "add", "skip"] = "error",
        classes: Mapping[Any, str | None] | str | None = None,
        tell: Callable[[str], object] | None = None,
    ) -> int:
        """Replace the label map of an image by that of a picture or an array, as one step of undo.

        Pixels of one class that touch along an edge become a polygon along the edges of the pixels, with holes.
        What was drawn before is erased first.

        Parameters
        ----------
        name : str
            The image.
        path : path or array
            As `export_label_png` writes it; any PNG, TIFF, BMP, GIF or NPY file of whole numbers, of 1 bit, or of
            colours; or an array of (rows, columns), or of (rows, columns, 3) uint8. It has the size of the image,
            or that size divided by a whole number and rounded up.
        unknown_classes : {"error", "add", "skip"}
            What to do with classes that the project does not have; "add" takes their colours too. "skip" leaves
            out values without a class as well.
        classes : mapping of pixel value or colour to class name or None; or str; optional
            What the values mean; None is unlabelled. A colour is "#RRGGBB" or (r, g, b). One name is the class of
            all values except 0 (or black); areas of different values then stay apart, as in masks that number cells. By
            default what the file says: the names that `export_label_png` and `save_png` write, or the colours of the
            classes. If it says nothing, of a mask (0 and one other value) in a project of one class, 0 is unlabelled;
            and values that are the indices of all the classes are taken as those, 255 as unlabelled. What was chosen is
            said.
        tell : callable, optional
            Called with what was chosen, instead of a warning.

        Returns
        -------
        int
            How many polygons were drawn.

        Raises
        ------
        LabelPngError
            If the file cannot be read, is of another size, or has more than 100,000 separate areas.
        UnnamedValuesError
            If it has values without a class.
        UnknownClassError
            If classes are unknown and `unknown_classes` is "error".
        """
        return _exchange.import_label_map(self._log, name, path, unknown_classes, classes).tell(tell)


def _open_log(path: Path, relocate: object = None) -> EditLog:
    opened, state, history = ProjectFolder.open(path, relocate)
    return EditLog(state, opened, history)


def snapshot_of(project: Project | ProjectSnapshot) -> ProjectSnapshot:
    """Return a snapshot of a project; a snapshot is returned as it is.

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
