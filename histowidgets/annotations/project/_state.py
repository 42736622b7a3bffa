"""The contents of a project, which only edits and adding an image change."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from histowidgets.annotations.project._agreement_tiles import AgreementTiles
from histowidgets.annotations.project._audit import AuditRecord
from histowidgets.annotations.shapes import Annotation
from histowidgets.images import Image, Region

#: What an image can be used for.
ROLES = ("both", "train", "validation")

#: A line of the journal, as JSON.
Record = dict[str, Any]


class Change(NamedTuple):
    """A description of what an edit changed.

    Attributes
    ----------
    kind : {"annotations", "audits", "classes", "folder", "images", "roles", "tiles"}
        "folder" says that a project in memory was saved in a folder.
    image_name : str or None
        The image; None if the edit may affect all images.
    region : Region or None
        Full-size pixels whose label may have changed; None for the whole image.
    """

    kind: str
    image_name: str | None = None
    region: Region | None = None


@dataclass
class ImageState:
    """One image of the project."""

    image: Image
    role: str
    annotations: list[Annotation] = field(default_factory=list)
    _frozen: tuple[Annotation, ...] | None = None

    def frozen(self) -> tuple[Annotation, ...]:
        """Return the annotations in drawing order; the same tuple until the next edit."""
        if self._frozen is None:
            self._frozen = tuple(self.annotations)
        return self._frozen

    def changed(self) -> None:
        """Discard the cached tuple after a change of the annotations."""
        self._frozen = None


@dataclass
class State:
    """Classes, colours, images, audits and tiles, and the names of removed images that undo can bring back."""

    classes: list[str]
    colors: dict[str, str]
    images: dict[str, ImageState] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    audits: dict[str, AuditRecord] = field(default_factory=dict)
    agreement_tiles: AgreementTiles | None = None

    def class_index(self) -> dict[str, int]:
        """Return the index of each class, as in label maps."""
        return {name: i for i, name in enumerate(self.classes)}


def region_of(annotations: list[Annotation] | tuple[Annotation, ...], image: Image) -> Region | None:
    """Return the smallest region of an image that contains the annotations; None if all lie outside it."""
    union: Region | None = None
    for annotation in annotations:
        part = annotation.shape.region().intersect(image.region)
        if part is not None:
            union = part if union is None else union.union(part)
    return union
