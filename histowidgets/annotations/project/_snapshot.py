"""An immutable copy of the project, for threads to work on while the user continues painting."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from histowidgets.annotations.project._agreement_tiles import AgreementTiles
from histowidgets.annotations.project._audit import AuditRecord
from histowidgets.annotations.raster import rasterize, reach_of
from histowidgets.annotations.shapes import Annotation
from histowidgets.errors import ImageNameError
from histowidgets.images import Image, Region


@dataclass(frozen=True)
class ProjectSnapshot:
    """An immutable copy of a project.

    Attributes
    ----------
    classes : tuple of str
    colors : mapping of class to "#RRGGBB"
    images : mapping of name to Image
    roles : mapping of name to "both", "train" or "validation"
    annotations : mapping of name to tuple of Annotation, in drawing order
    audits : tuple of AuditRecord, the latest last
    agreement_tiles : AgreementTiles or None
    folder : Path or None
        Where the project keeps its files; None if it is in memory only, or if another session may change them.
    """

    classes: tuple[str, ...]
    colors: Mapping[str, str]
    images: Mapping[str, Image]
    roles: Mapping[str, str]
    annotations: Mapping[str, tuple[Annotation, ...]]
    audits: tuple[AuditRecord, ...] = ()
    agreement_tiles: AgreementTiles | None = None
    folder: Path | None = None

    @property
    def class_index(self) -> dict[str, int]:
        """The index of each class, as in label maps."""
        return {name: i for i, name in enumerate(self.classes)}

    def annotated_names(self) -> list[str]:
        """Return the names of the images with at least one annotation other than an eraser."""
        return [n for n, some in self.annotations.items() if any(a.class_name is not None for a in some)]

    def labels(self, name: str, region: Region | None = None, downsample: float = 1) -> np.ndarray:
        """Return the labels of an image, or of a region of it.

        Parameters
        ----------
        name : str
        region : Region, optional
            In full-size pixels, by default the whole image; may extend beyond the image, where nothing is labelled.
        downsample : float, default 1

        Returns
        -------
        ndarray of (ceil(height / downsample), ceil(width / downsample)), uint8
            Class indices; 255 where unlabelled.

        Raises
        ------
        ImageNameError
            If there is no image of that name.
        """
        if name not in self.images:
            raise ImageNameError(f"There is no image named {name!r}; the images are {', '.join(self.images)}.")
        region = self.images[name].region if region is None else region
        near = self.near(name, reach_of(region, downsample))
        return rasterize(near, self.class_index, region, downsample)

    def near(self, name: str, region: Region) -> list[Annotation]:
        """Return the annotations whose bounds overlap a region, in drawing order."""
        some, bounds = self.annotations[name], self._bounds[name]
        hit = (bounds[:, 0] < region.right) & (bounds[:, 2] > region.x)
        hit &= (bounds[:, 1] < region.bottom) & (bounds[:, 3] > region.y)
        return [some[i] for i in np.flatnonzero(hit)]

    @cached_property
    def _bounds(self) -> dict[str, np.ndarray]:
        """Left, top, right and bottom of each annotation, as (N, 4) for each image."""
        return {
            name: np.array([a.shape.bounds for a in some], float).reshape(-1, 4)
            for name, some in self.annotations.items()
        }
