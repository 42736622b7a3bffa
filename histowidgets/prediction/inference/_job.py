"""A region that is to be predicted, and how."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from histowidgets.errors import PredictionError, RegionError
from histowidgets.images import Image, Region, scaled_shape
from histowidgets.prediction._spec import ClassifierSpec
from histowidgets.prediction.inference._channels import match_channels
from histowidgets.prediction.inference._options import PredictOptions
from histowidgets.prediction.tiling import TileNeeds, TilePlan, plan_grids


@dataclass(frozen=True, kw_only=True)
class Job:
    """A region that is to be predicted, and how; `Job.of` checks what a person asks for.

    Attributes
    ----------
    spec : ClassifierSpec
    image : Image
    channels : tuple of int or None
        Which channels of the image, in which order; None for all.
    region : Region
        Full-size pixels.
    within : Region or None
        The only pixels that are read; None for the whole image.
    options : PredictOptions
    keep : bool, default True
        Whether a small region's features may be kept for the next prediction of it.
    """

    spec: ClassifierSpec
    image: Image
    channels: tuple[int, ...] | None
    region: Region
    within: Region | None
    options: PredictOptions
    keep: bool = True

    @classmethod
    def of(
        cls,
        spec: ClassifierSpec,
        image: Image,
        region: Sequence[int] | None = None,
        options: PredictOptions | None = None,
        within: Sequence[int] | None = None,
    ) -> "Job":
        """Check what is asked for, and describe the work.

        Parameters
        ----------
        spec : ClassifierSpec
        image : Image
        region : (x, y, width, height), optional
            In full-size pixels; the whole image if not given.
        options : PredictOptions, optional
        within : (x, y, width, height), optional
            The only pixels that may be read; the whole image if not given.

        Raises
        ------
        PredictionError
            If the image's channels do not fit, or the region may not be read.
        RegionError
            If the region is not inside the image.
        """
        wanted = image.region if region is None else checked_region(image, region)
        readable = image.region if within is None else checked_region(image, within)
        if not readable.contains(wanted):
            raise PredictionError(f"{wanted} is not inside {readable}, the only pixels that may be read.")
        chosen = options or PredictOptions()
        chosen.sigma_px(image.pixel_size_um)  # refuses um where the image has no pixel size
        return cls(
            spec=spec,
            image=image,
            channels=match_channels(spec.channel_names, image.channel_names, image.name),
            region=wanted,
            within=None if readable == image.region else readable,
            options=chosen,
        )

    @property
    def downsample(self) -> int:
        """Resolution at which the model sees the image."""
        return self.options.downsample or self.spec.downsample

    @property
    def scale(self) -> int:
        """Full-size pixels for each value of the model's answer, along each side."""
        return self.downsample * self.spec.model.output_stride

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the probability map: (K, rows, cols)."""
        return (self.spec.model.n_classes, *scaled_shape(self.region.width, self.region.height, self.scale))

    @cached_property
    def plans(self) -> list[TilePlan]:
        """The tiles, a plan for each grid."""
        readable = self.image.region if self.within is None else self.within
        model, options = self.spec.model, self.options
        needs = TileNeeds(model.multiple, model.output_stride, model.context, model.largest_tile)
        size, overlap = self.spec.tile_size, options.overlap
        return plan_grids(needs, self.region, readable, self.downsample, size, overlap, options.grids)

    @property
    def n_tiles(self) -> int:
        """Number of tiles of all grids."""
        return sum(plan.n_tiles for plan in self.plans)


def checked_region(image: Image, region: Sequence[int]) -> Region:
    """Return a region of an image, of Python's own integers.

    Raises
    ------
    RegionError
        If it is not four whole numbers, has no area, or sticks out of the image.
    """
    try:
        found = Region(*(operator.index(value) for value in region))
    except TypeError:
        raise RegionError(f"The region {region!r} must be four whole numbers: x, y, width, height.") from None
    if found.width < 1 or found.height < 1 or not image.region.contains(found):
        raise RegionError(
            f"{found} is not inside image {image.name!r} of {image.width} x {image.height} pixels. "
            "Ask for at least one pixel, inside the image."
        )
    return found
