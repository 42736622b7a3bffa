"""Resample all training images to one pixel size. No torch."""

import functools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from histowidgets.annotations import Annotation, ProjectSnapshot, Split
from histowidgets.errors import ImageSizeError, TrainingDataError
from histowidgets.images import Image, Region, ResampledImage, at_pixel_size, is_same_pixel_size

#: Size of the cache of scaled annotations, since each stroke changes only one annotation of an image.
_KEPT = 16_384


@dataclass(frozen=True)
class WorkingImages:
    """A project as training sees it: all images at one pixel size, with their annotations.

    Attributes
    ----------
    snapshot : ProjectSnapshot
        Images and annotations, in pixels of that size.
    pixel_size_um : float or None
        None if the pixel size of no image is known.
    resampled : tuple of str
        Names of the annotated images that were resampled.
    unknown : tuple of str
        Names of the annotated images whose pixel size is unknown, while that of others is known; they are not
        resampled.
    """

    snapshot: ProjectSnapshot
    pixel_size_um: float | None
    resampled: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def training_split(self, split: Split) -> Split:
        """Convert a split to this pixel size, rounded so that training reads no part of a held-out pixel."""
        return self._split(split, for_training=True)

    def validation_split(self, split: Split) -> Split:
        """Convert a split to this pixel size, rounded so that validation reads no part of a pixel outside."""
        return self._split(split, for_training=False)

    def _split(self, split: Split, for_training: bool) -> Split:
        if not any(isinstance(image, ResampledImage) for image in self.snapshot.images.values()):
            return split
        held: dict[str, tuple[Region, ...]] = {}
        for name, regions in split.held_out.items():
            image = self.snapshot.images.get(name)
            if not isinstance(image, ResampledImage):
                held[name] = regions
            elif for_training:
                held[name] = tuple(_touched(image, region) for region in regions)
            else:
                inside = (image.inside(region) for region in regions)
                held[name] = tuple(region for region in inside if region is not None)
        return replace(split, held_out=held)

    def warning(self) -> str:
        """Return a warning that names the images with unknown pixel size; "" if it is known of all or of none."""
        if not self.unknown or self.pixel_size_um is None:
            return ""
        return (
            f"The pixel size of {_listed(self.unknown)} is not known: it is assumed to be "
            f"{self.pixel_size_um:.3g} µm, as in the other images. If it differs, open the image with "
            "open_image(…, pixel_size_um=…)."
        )

    def note(self) -> str:
        """Return a note that names the resampled images; "" if there are none."""
        if not self.resampled:
            return ""
        own = (f"{name} ({self._own_size(name):.3g})" for name in self.resampled[:_MOST_NAMED])
        more = f" and {len(self.resampled) - _MOST_NAMED} more" if len(self.resampled) > _MOST_NAMED else ""
        return f"Training uses {self.pixel_size_um:.3g} µm per pixel. Resampled images: {', '.join(own)}{more}."

    def _own_size(self, name: str) -> float:
        image = self.snapshot.images[name]
        own = image.image.pixel_size_um if isinstance(image, ResampledImage) else image.pixel_size_um
        return own or 0.0


#: Maximum number of images that a message names.
_MOST_NAMED = 5


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _touched(image: ResampledImage, region: Region) -> Region:
    """Return the pixels of a resampled image that depend on any pixel of a region."""
    # When upsampling, each pixel is interpolated between two.
    reach = math.ceil(max(1.0, *(1 / step for step in image.step_yx))) if min(image.step_yx) < 1 else 0
    return image.around(region).expanded(reach).intersect(image.region) or image.around(region)


def common_pixel_size(images: Sequence[Image]) -> float | None:
    """Choose the pixel size for training, the median of the images' pixel sizes; None if all are unknown.

    Of two in the middle, the larger is used, which invents no detail. Of sizes that count as equal (within 10 %), that
    of the first image is used.
    """
    sizes = [image.pixel_size_um for image in images if image.pixel_size_um is not None]
    if not sizes:
        return None
    median = statistics.median_high(sizes)
    return next((i.pixel_size_um for i in images if is_same_pixel_size(i, median)), median)


def at_common_pixel_size(
    snapshot: ProjectSnapshot, pixel_size_um: float | None = None, names: Sequence[str] | None = None
) -> WorkingImages:
    """Resample the images of a project to one pixel size, if theirs differ from it by more than 10 %.

    Parameters
    ----------
    snapshot : ProjectSnapshot
    pixel_size_um : float, optional
        By default `common_pixel_size` of the annotated images.
    names : sequence of str, optional
        The images to train on; by default all annotated ones.

    Raises
    ------
    TrainingDataError
        If the pixel size of an annotated image differs by more than a factor of 16.
    """
    annotated = snapshot.annotated_names()
    learned = annotated if names is None else names
    wanted = pixel_size_um or common_pixel_size([snapshot.images[name] for name in learned])
    if wanted is None:
        return WorkingImages(snapshot, None)
    images, annotations = dict(snapshot.images), dict(snapshot.annotations)
    for name in annotated:
        try:
            image = at_pixel_size(images[name], wanted)
        except ImageSizeError as error:
            raise TrainingDataError(
                f"{error} Or erase its annotations, or choose another pixel_size_um in the settings."
            ) from error
        if isinstance(image, ResampledImage):
            step_y, step_x = image.step_yx
            images[name] = image
            annotations[name] = tuple(_scaled(one, 1 / step_x, 1 / step_y) for one in snapshot.annotations[name])
    resampled = tuple(name for name in learned if images[name] is not snapshot.images[name])
    unknown = tuple(name for name in learned if images[name].pixel_size_um is None)
    if images != dict(snapshot.images):
        snapshot = replace(snapshot, images=images, annotations=annotations)
    return WorkingImages(snapshot, wanted, resampled, unknown)


@functools.lru_cache(_KEPT)
def _scaled(annotation: Annotation, sx: float, sy: float) -> Annotation:
    return replace(annotation, shape=annotation.shape.scaled(sx, sy))
