"""The project: images, classes and annotations, with undo, optionally kept on disk."""

import os
import reprlib
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from histowidgets._io import as_path
from histowidgets.annotations.io import ImportOptions
from histowidgets.annotations.project import _annotate, _audits, _exchange
from histowidgets.annotations.project._add_image import add_image
from histowidgets.annotations.project._agreement_tiles import AgreementTiles
from histowidgets.annotations.project._audit import AuditRecord
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
from histowidgets.annotations.project._edits_tiles import SetAgreementTiles
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
    """Images with their classes and annotations.

    All methods may be called from any thread. Each edit is one step of undo. With a folder, it is on disk before the
    method returns and before any subscriber is called.

    Parameters
    ----------
    classes : sequence of str
        At least one name; surrounding blanks are stripped.
    folder : path, optional
        Where to keep the project; created if missing. None keeps it in memory only. A folder that already has a
        project with these classes is opened, so that a script can be run again; `Project.open` opens any project.
    colors : mapping of class to "#RRGGBB", optional
        Colours of a new project; by default from a palette that colour-blind people can distinguish.
    annotator : str, default ""
        Name of the person who paints, stored with each new annotation.

    Raises
    ------
    ClassNameError
        If there are no classes, a name is blank or given twice, or a colour is not "#RRGGBB".
    ProjectFolderError
        If the folder cannot be written, or has a project without these classes.
    ProjectError
        If the annotator is not text.
    """

    def __init__(
        self,
        classes: Sequence[str],
        folder: "str | os.PathLike[str] | None" = None,
        colors: Mapping[str, str] | None = None,
        annotator: str = "",
    ) -> None:
        names, person = checked_names(classes), _checked_annotator(annotator)
        for k, name in enumerate(names):
            require_different(name, names[:k])
        state = State(names, colors_for(names, colors))
        path = None if folder is None else as_path(folder, ProjectFolderError)
        if path is None or not ProjectFolder.holds_project(path):
            self._log = EditLog(state, None if path is None else ProjectFolder.create(path, state))
            self._log.annotator = person
            return
        self._log = _open_log(path)
        self._log.annotator = person
        others = [name for name in names if match_class(name, self._log.state.classes) is None]
        if others:
            self._log.close()
            raise ProjectFolderError(
                f"{path} already has a project without the class(es) {', '.join(map(repr, others))}; it has "
                f"{', '.join(map(repr, self._log.state.classes))}. Open it with Project.open and add them with "
                "add_class, or choose another folder."
            )
        self._warn_of_notes()

    @classmethod
    def open(
        cls,
        folder: "str | os.PathLike[str]",
        relocate: "str | os.PathLike[str] | Mapping[str, str | os.PathLike[str]] | None" = None,
        annotator: str = "",
    ) -> "Project":
        """Open the project in a folder, with its undo history.

        If another session holds the folder, or it is not writable, the project is read-only; `read_only_reason` says
        why. Images that were moved together with the project are found. Other findings about image files (missing,
        replaced, found elsewhere) are issued as a warning, and kept in `opening_notes`.

        Parameters
        ----------
        folder : path
        relocate : path or mapping, optional
            New locations of moved images, as for the method `relocate`.
        annotator : str, default ""
            Name of the person who paints, stored with each new annotation.

        Raises
        ------
        ProjectFolderError
            If there is no project, or it is damaged; the message names the file and the line or field.
        """
        person = _checked_annotator(annotator)
        project = cls.__new__(cls)
        project._log = _open_log(as_path(folder, ProjectFolderError), relocate)
        project._log.annotator = person
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
        """The folder of the project; None if it is in memory only."""
        return None if self._log.folder is None else self._log.folder.path

    @property
    def read_only(self) -> bool:
        """Whether the project cannot be edited, as another session holds the folder or it is not writable."""
        return self._log.folder is not None and self._log.folder.read_only

    @property
    def read_only_reason(self) -> str | None:
        """Why the project cannot be edited and what to do, as a sentence; None if it can be edited."""
        return None if self._log.folder is None else self._log.folder.read_only_reason

    @property
    def opening_notes(self) -> tuple[str, ...]:
        """Findings about image files from opening the folder, as sentences."""
        return () if self._log.folder is None else self._log.folder.notes

    @property
    def held_by(self) -> str | None:
        """The other session that holds the folder, if any."""
        return None if self._log.folder is None else self._log.folder.held_by

    @property
    def left_by(self) -> str | None:
        """The session that ended without closing the project, such as a killed kernel; None if there was none."""
        return None if self._log.folder is None else self._log.folder.left_by

    @property
    def closed(self) -> bool:
        """Whether `close` was called, after which a project in a folder cannot be edited."""
        return self._log.closed

    def close(self) -> None:
        """Release the folder, after finishing to write an image that is being added; the project can still be read."""
        self._log.close()

    def save(self, folder: "str | os.PathLike[str]") -> None:
        """Keep a project that is in memory in a folder from now on.

        The folder gets its images (those that did not come from a file as OME-TIFF), classes, annotations, audits and
        undo history. From then on each edit is on disk as soon as it is made, as if the project had been created with
        this folder. Classifiers and runs of before are not saved with it.

        Parameters
        ----------
        folder : path
            Created if missing; must not have a project yet.

        Raises
        ------
        ProjectFolderError
            If it cannot be written or has a project, an image cannot be read, or this project is in a folder already.
            The project then stays in memory, and nothing of it is left in the folder.

        Examples
        --------
        >>> import histowidgets as hw, tempfile
        >>> project = hw.Project(["Epithelium", "Stroma"])
        >>> project.save(tempfile.mkdtemp())
        >>> project.close()
        """
        self._log.save(as_path(folder, ProjectFolderError))

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
        """Call `callback` after each edit, on the thread that made it; return a function to unsubscribe.

        An exception in the callback is logged, and does not revert the edit.
        """
        return self._log.subscribe(callback)

    def snapshot(self) -> ProjectSnapshot:
        """Return an immutable copy of the project, for other threads to work on while editing continues."""
        return self._log.snapshot()

    # --- images ----------------------------------------------------------------------------------------------------

    @property
    def image_names(self) -> list[str]:
        """Names of the images, in the order in which they were added."""
        with self._log.lock:
            return list(self._log.state.images)

    @property
    def removed_images(self) -> list[str]:
        """Names of the removed images that undo can bring back."""
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
            If the project has a folder, an image that did not come from a file is saved there.
        name : str, optional
            By default the image's own name, with a number (as in "image 2") if the project has or had an image of that
            name.
        role : {"both", "train", "validation"}
            What to use the image for. With "both", a part of it is held out for validation.

        Returns
        -------
        str
            Name of the image in the project.

        Raises
        ------
        ImageNameError
            If the name is blank, or taken by an image of the project or by one that undo can bring back.
        ImageError
            If the image cannot be opened.
        ProjectFolderError
            If the image cannot be saved in the folder.
        """
        return add_image(self._log, image, name, role)

    def remove_image(self, name: str) -> None:
        """Remove an image from the project. One step of undo, which brings back its role and annotations.

        The file of the image is not deleted. While undo can bring the image back, its name cannot be used again.

        Raises
        ------
        ImageNameError
            If there is no image of that name.
        """
        self._log.do(lambda state: RemoveImage.make(state, name))

    @property
    def missing_images(self) -> list[str]:
        """Names of the images whose file is missing."""
        with self._log.lock:
            images = {name: one.image.source for name, one in self._log.state.images.items()}
        return [name for name, source in images.items() if source is not None and not is_there(source)]

    def relocate(self, where: "str | os.PathLike[str] | Mapping[str, str | os.PathLike[str]]") -> dict[str, Path]:
        """Set the new locations of moved image files, which the project stores unless it is read-only.

        Parameters
        ----------
        where : path or mapping
            A folder in which, including its subfolders, the missing files are searched by name; or a mapping from an
            image name, an old path or an old folder to the new location. A mapping also confirms that a replaced file
            is correct.

        Returns
        -------
        dict of image name to Path
            The files that were found; `missing_images` has the names of the others.

        Raises
        ------
        ProjectFolderError
            If the folder or file does not exist, or a key of the mapping is neither an image nor a path of one.
        ProjectError
            If the project is in memory only.
        """
        return self._log.relocate(where)

    # --- classes ---------------------------------------------------------------------------------------------------

    @property
    def classes(self) -> list[str]:
        """Names of the classes, in the order of their indices in label maps."""
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
        """Rename a class together with its annotations. One step of undo."""
        require_different(new, [name for name in self.classes if name != old])
        self._log.do(lambda state: RenameClass.make(state, old, new))

    def merge_classes(self, names: str | Sequence[str], into: str) -> None:
        """Move the annotations of some classes, in all images, to another class, and remove those classes.

        One step of undo. This lowers the indices of later classes in label maps.

        Raises
        ------
        ClassNameError
            If a class is unknown, or no class other than `into` is given.
        """
        if not isinstance(names, Iterable):
            raise ClassNameError(f"The classes to merge are {names!r}; pass a list of names.")
        given = [names] if isinstance(names, str) else list(names)
        self._log.do(lambda state: MergeClasses.make(state, given, into))

    def delete_class(self, name: str) -> None:
        """Delete a class that has no annotations. One step of undo.

        This lowers the indices of later classes in label maps.

        Raises
        ------
        ClassNameError
            If it is unknown, is the only class, or has annotations, which `merge_classes` can move.
        """
        self._log.do(lambda state: DeleteClass.make(state, name))

    def recolor_class(self, name: str, color: str) -> None:
        """Change the colour of a class to "#RRGGBB". One step of undo."""
        self._log.do(lambda state: RecolorClass.make(state, name, color))

    # --- annotations: editing --------------------------------------------------------------------------------------

    @property
    def annotator(self) -> str:
        """Name of the person who paints, stored with each new annotation; empty by default.

        With it, `compare_annotators` can tell who drew what.
        """
        return self._log.annotator

    @annotator.setter
    def annotator(self, name: str) -> None:
        self._log.annotator = _checked_annotator(name)

    def annotate(self, name: str, shape: Shape, class_name: str) -> str:
        """Draw a shape with a class on an image. One step of undo.

        Parameters
        ----------
        name : str
            The image.
        shape : Stroke, Line, Polygon or Rectangle
            May extend beyond the image, but must touch it.
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
            If it is not a shape, or lies entirely outside the image.
        ReadOnlyError
            If another session holds the folder.
        """
        return _annotate.annotate(self._log, name, shape, class_name)

    def erase(self, name: str, shape: Shape) -> str:
        """Erase what was drawn earlier under a shape; later annotations are not affected. One step of undo.

        Returns the id of the eraser, which is an annotation without a class. The errors are those of `annotate`.
        """
        return _annotate.erase(self._log, name, shape)

    def erase_own(self, name: str, shape: Shape) -> list[str]:
        """Erase what the current `annotator` drew under a shape; what others drew stays. One step of undo.

        Unlike `erase`, it leaves no eraser: it cuts the annotations, which become polygons.

        Returns
        -------
        list of str
            The ids of the annotations that were cut or removed; empty, without an edit, if there is nothing to erase.

        Raises
        ------
        ImageNameError, ShapeError, ReadOnlyError
            As for `annotate`.
        """
        return _annotate.erase_own(self._log, name, shape)

    def remove(self, ids: str | Sequence[str]) -> None:
        """Remove one or more annotations of one image. One step of undo.

        Raises
        ------
        ProjectError
            If an id is unknown, or the annotations are from several images.
        """
        _annotate.remove(self._log, ids)

    def move(self, ids: str | Sequence[str], dx: float, dy: float) -> None:
        """Move one or more annotations of one image, keeping the drawing order. One step of undo.

        Parameters
        ----------
        ids : str or sequence of str
        dx, dy : float
            Offset to the right and down, in full-size pixels.

        Raises
        ------
        ProjectError
            If an id is unknown, or the annotations are from several images.
        ShapeError
            If one would lie entirely outside the image; nothing is moved then.
        """
        _annotate.move(self._log, ids, dx, dy)

    def reclassify(self, ids: str | Sequence[str], class_name: str) -> None:
        """Change the class of one or more annotations of one image, keeping the drawing order. One step of undo.

        Raises
        ------
        ProjectError
            If an id is unknown, or the annotations are from several images.
        ClassNameError
            If the class is unknown, or an annotation is an eraser.
        """
        _annotate.reclassify(self._log, ids, class_name)

    def paste(
        self,
        name: str,
        annotations: Sequence[Annotation],
        dx: float = 0,
        dy: float = 0,
        *,
        replacing: str | Sequence[str] = (),
    ) -> list[str]:
        """Draw copies of annotations on top of an image. One step of undo.

        Parameters
        ----------
        name : str
            The image, which may differ from that of the originals.
        annotations : sequence of Annotation
            In drawing order. The copies get new ids, the current time and the current annotator.
        dx, dy : float, default 0
            Offset from the originals to the right and down, in full-size pixels.
        replacing : str or sequence of str
            Ids of annotations of the image that are removed in the same step.

        Returns
        -------
        list of str
            The new ids, in order. Copies that would lie entirely outside the image are left out.

        Raises
        ------
        ClassNameError
            If the project does not have one of the classes.
        ProjectError
            If `annotations` is not a list of annotations, or the image has no annotation of an id to replace.
        ShapeError
            If every copy would lie entirely outside the image.
        """
        return _annotate.paste(self._log, name, annotations, dx, dy, replacing)

    # --- annotations: reading --------------------------------------------------------------------------------------

    def annotation(self, annotation_id: str) -> Annotation:
        """Return an annotation by its id (ProjectError if there is none)."""
        return _annotate.annotation(self._log, annotation_id)

    def annotations(self, name: str) -> tuple[Annotation, ...]:
        """Return the annotations of an image, including erasers, in drawing order."""
        return _annotate.annotations(self._log, name)

    def annotation_at(self, name: str, x: float, y: float, tolerance: float = 0) -> str | None:
        """Return the id of the topmost annotation at a point, or None; erasers are ignored.

        Parameters
        ----------
        name : str
            The image.
        x, y : float
            Point in full-size pixels.
        tolerance : float, default 0
            Largest distance of the point from an annotation's area, in full-size pixels.
        """
        return _annotate.annotation_at(self._log, name, x, y, tolerance)

    def annotations_in(self, name: str, region: Region) -> list[str]:
        """Return the ids of the annotations, except erasers, that lie entirely within a region, in drawing order."""
        return _annotate.annotations_in(self._log, name, region)

    def count(self, name: str | None = None) -> dict[str, int]:
        """Count the annotations of each class in one image or all images, except erasers."""
        return _annotate.count(self._log, name)

    def label_map(self, name: str, downsample: float = 1) -> np.ndarray:
        """Return the labels of a whole image.

        Parameters
        ----------
        name : str
        downsample : float, default 1
            Each label is that at the centre of `downsample` x `downsample` full-size pixels (nearest neighbour).

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

    # --- audits ----------------------------------------------------------------------------------------------------

    @property
    def audits(self) -> tuple[AuditRecord, ...]:
        """The audits of the project with their judgements, the latest last; `hw.audit` draws and opens them."""
        with self._log.lock:
            return tuple(self._log.state.audits.values())

    def start_audit(self, audit: AuditRecord) -> None:
        """Keep an audit, without its judgements. One step of undo.

        Parameters
        ----------
        audit : AuditRecord
            As drawn by `hw.audit`, which calls this.

        Raises
        ------
        AuditError
            If the project has an audit of that id, or the points do not fit their images and classes.
        ImageNameError
            If the project lacks one of the images.
        """
        _audits.start_audit(self._log, audit)

    def judge_point(self, audit_id: str, point: int, class_name: str | None) -> None:
        """Keep what a person saw at a point of an audit, instead of an earlier judgement. One step of undo.

        Parameters
        ----------
        audit_id : str
        point : int
            Index of the point, from 0.
        class_name : str or None
            A class of the audit; None if the person could not tell.

        Raises
        ------
        AuditError
            If there is no such audit or point.
        ClassNameError
            If the class is not one of the audit's.
        """
        _audits.judge_point(self._log, audit_id, point, class_name)

    def judge_points(self, audit_id: str, classes: Mapping[int, str | None]) -> None:
        """Keep what a person saw at several points of an audit. One step of undo; all or none are kept.

        Parameters
        ----------
        audit_id : str
        classes : mapping of int to str or None
            The class of each point, by its index; None where the person could not tell.

        Raises
        ------
        AuditError
            If there is no such audit or point, or no point is given.
        ClassNameError
            If a class is not one of the audit's.
        """
        _audits.judge_points(self._log, audit_id, classes)

    def withdraw_judgement(self, audit_id: str, point: int) -> None:
        """Remove the judgement of a point of an audit (AuditError if it has none). One step of undo."""
        _audits.withdraw_judgement(self._log, audit_id, point)

    def annotate_audit(self, audit_id: str, width: float = 5.0) -> int:
        """Make the judgements of an audit annotations, so that classifiers can be trained on them. One step of undo.

        From then on the audit no longer counts as one of classifiers that are trained later.

        Parameters
        ----------
        audit_id : str
        width : float, default 5
            Diameter of the dot that is painted at each point, in full-size pixels.

        Returns
        -------
        int
            Number of annotations; points where the person could not tell get none, nor do points of images that were
            removed.

        Raises
        ------
        AuditError
            If there is no such audit, it has been annotated, or no point of it has a class.
        ClassNameError
            If the project no longer has one of the classes.
        ShapeError
            If the width is not a number above 0.
        """
        return _audits.annotate_audit(self._log, audit_id, width)

    # --- several annotators ----------------------------------------------------------------------------------------

    @property
    def agreement_tiles(self) -> AgreementTiles | None:
        """The tiles that several annotators label, as drawn by `hw.agreement_tiles`; None if there are none."""
        with self._log.lock:
            return self._log.state.agreement_tiles

    def set_agreement_tiles(self, tiles: AgreementTiles) -> None:
        """Keep tiles instead of earlier ones; `hw.agreement_tiles` draws them and calls this. One step of undo.

        Raises
        ------
        ImageNameError
            If the project lacks one of the images.
        RegionError
            If a tile is not inside its image.
        """
        self._log.do(lambda state: SetAgreementTiles.make(state, tiles))

    # --- annotations: files of other programs ----------------------------------------------------------------------

    def export_geojson(
        self, name: str, path: "str | os.PathLike[str]", offset: tuple[float, float] | None = None
    ) -> None:
        """Write the annotations of an image as GeoJSON for QuPath.

        Strokes become the areas they cover, lines stay lines, and erasers are cut out of what was drawn before them.
        All polygons are valid. The exact shapes are stored beside the geometries, so that `import_geojson` restores
        them without loss.

        Parameters
        ----------
        name : str
            The image.
        path : path
        offset : (x, y), optional
            Origin of the file's coordinates in the image, in full-size pixels. By default that of QuPath: the corner
            of a slide's scanned area.

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
        """Draw the annotations of a file on an image, as one step of undo.

        The format is recognized by the content. Supported are GeoJSON (QuPath), XML of ASAP, ImageScope and HALO, ROIs
        of ImageJ (.roi and RoiSet.zip), and JSON of COCO and labelme, each also compressed with gzip or zip. Label maps
        as PNG, TIFF, BMP, GIF, NPY or array replace what was drawn before. An object that cannot be read is reported
        with its number, and does not prevent reading the others.

        Parameters
        ----------
        name : str
            The image.
        source : path or array
        classes : mapping or str, optional
            Maps names in the file (of a class, or of an object without a class) to a class of the project, or to None
            to leave them out. The key None stands for all other objects without a class. For a label map, the keys are
            values, or colours as "#RRGGBB" or (r, g, b). A single name is the class of everything without a class of
            the project.
        unknown_classes : {"error", "add", "skip"}
            What to do with classes that the project does not have; "add" also uses their colours. Names that differ
            only in case, blanks or Unicode form are the same class.
        on_duplicate : {"skip", "replace", "replace_all", "add", "error"}
            What to do with annotations that are already on the image, with the same id or the same shape and class:
            keep the existing ones, replace them with those of the file, replace everything on the image, draw them
            twice, or raise an error.
        unit : {"px", "um"}
            Unit of the coordinates.
        scale : float, optional
            Pixels of the image per unit of the file. By default 1, or the ratio of the sizes if the file gives the size
            of its image.
        offset : (x, y), optional
            Added to the coordinates, in full-size pixels. By default from the origin of the program (QuPath: corner of
            a slide's scanned area; ASAP: corner of the whole slide) to that of the image.
        plane : (z, t) or "all", optional
            Plane of a stack, counted from 0; by default that of the image.
        entry : str, optional
            File of an archive, or image of a COCO file; by default the one that is named like the image.
        tell : callable, optional
            Called with what was left out or chosen and with possible problems, instead of a warning, as catching
            warnings is not thread-safe.

        Returns
        -------
        int
            Number of annotations drawn, including erasers.

        Raises
        ------
        AnnotationFileError
            If the file cannot be read, has an unknown format, or does not fit the image.
        UnknownClassError
            If classes are unknown and `unknown_classes` is "error".
        DuplicateAnnotationsError
            If annotations are already on the image and `on_duplicate` is "error".
        SeveralEntriesError, UnnamedValuesError
            If `entry` or `classes` is needed to decide what to read.
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
        """Return what `import_annotations` would draw, and what it would need to know; changes nothing.

        The arguments are those of `import_annotations`.

        Raises
        ------
        AnnotationFileError
            If the file cannot be read, has an unknown format, or does not fit the image.
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

        The file may be from QuPath, `export_geojson` or any other program, and compressed. Points, and features without
        a class, are left out, with a warning that counts them and lists their names. The other arguments are those of
        `import_annotations`, which reads files of more programs.

        Returns
        -------
        int
            Number of annotations drawn, including erasers.

        Raises
        ------
        GeoJSONError
            If the file or all of its features cannot be read; the message gives the number of the first feature.
        UnknownClassError
            If classes are unknown and `unknown_classes` is "error".
        """
        options = ImportOptions(classes, unknown_classes, on_duplicate, unit, scale, offset, plane, entry)
        return _exchange.import_geojson(self._log, name, path, options).tell(tell)

    def export_label_png(self, name: str, path: "str | os.PathLike[str]", downsample: float = 1) -> None:
        """Write the label map of an image as a PNG that any program shows in the class colours.

        Each pixel is a class index, or 255, which is transparent, where unlabelled. A text chunk "histowidgets" has the
        names and colours of the classes and the downsample, as JSON.

        Parameters
        ----------
        name : str
            The image.
        path : path
        downsample : float, default 1
            Each label is that at the centre of `downsample` x `downsample` full-size pixels.

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
        """Replace the label map of an image with a picture or an array, as one step of undo.

        Pixels of the same class that touch along an edge become a polygon along the edges of the pixels, with holes.
        Earlier annotations are erased first.

        Parameters
        ----------
        name : str
            The image.
        path : path or array
            A file of `export_label_png`; any PNG, TIFF, BMP, GIF or NPY file of whole numbers, of 1 bit, or of colours;
            or an array of (rows, columns), or of (rows, columns, 3) uint8. It must have the size of the image, or that
            size divided by a whole number and rounded up.
        unknown_classes : {"error", "add", "skip"}
            What to do with classes that the project does not have; "add" also uses their colours. "skip" also leaves
            out values without a class.
        classes : mapping of pixel value or colour to class name or None; or str; optional
            What the values mean; None is unlabelled. A colour is "#RRGGBB" or (r, g, b). A single name is the class of
            all values except 0 (or black); areas of different values then stay apart, as in masks that number cells. By
            default, the meaning is taken from the file: the names that `export_label_png` and `save_png` write, or the
            colours of the classes. Without these, a mask (0 and one other value) in a project of one class has 0 as
            unlabelled, and values that are the indices of all classes are taken as such, with 255 as unlabelled. Such
            choices are reported.
        tell : callable, optional
            Called with the choices that were made, instead of a warning.

        Returns
        -------
        int
            Number of polygons drawn.

        Raises
        ------
        LabelPngError
            If the file cannot be read, has another size, or has more than 100,000 separate areas.
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
    """Return a snapshot of a project; a snapshot is returned unchanged.

    Raises
    ------
    ProjectError
        If it is neither, for instance the path of a project.
    """
    if isinstance(project, ProjectSnapshot):
        return project
    if not isinstance(project, Project):
        raise ProjectError(
            f"The project is {reprlib.repr(project)}; it must be a Project. Open a folder with hw.Project.open(folder)."
        )
    return project.snapshot()


def _checked_annotator(name: object) -> str:
    if not isinstance(name, str):
        raise ProjectError(f"The annotator is {name!r}; give a name as text.")
    return name.strip()
