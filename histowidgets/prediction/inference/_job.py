"""The description of a prediction: its region and its options."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from histowidgets.errors import ImageSizeError, PredictionError, RegionError
from histowidgets.images import Image, Region, ResampledImage, at_pixel_size, scaled_shape
from histowidgets.prediction._spec import ClassifierSpec
from histowidgets.prediction.inference._channels import match_channels
from histowidgets.prediction.inference._options import PredictOptions
from histowidgets.prediction.tiling import AxisPlace, TileNeeds, TilePlan, plan_grids, reach_of


@dataclass(frozen=True, kw_only=True)
class Job:
    """A region to predict, and how; `Job.of` validates the user's request.

    Attributes
    ----------
    spec : ClassifierSpec
    image : Image
    channels : tuple of int or None
        Channels of the image to use, in order; None for all.
    region : Region
        In full-size pixels.
    within : Region or None
        The only pixels that may be read; None for the whole image.
    options : PredictOptions
    keep : bool, default True
        Whether the features of a small region may be cached for its next prediction.
    moved : (int, int), default (0, 0)
        Columns and rows, in pixels of `seen`, by which the grid of tiles begins before the corner of the image: as if
        the image were moved to the right and down.
    """

    spec: ClassifierSpec
    image: Image
    channels: tuple[int, ...] | None
    region: Region
    within: Region | None
    options: PredictOptions
    keep: bool = True
    moved: tuple[int, int] = (0, 0)

    @classmethod
    def of(
        cls,
        spec: ClassifierSpec,
        image: Image,
        region: Sequence[int] | None = None,
        options: PredictOptions | None = None,
        within: Sequence[int] | None = None,
    ) -> "Job":
        """Validate a request, and make a job of it.

        Parameters
        ----------
        spec : ClassifierSpec
        image : Image
        region : (x, y, width, height), optional
            In full-size pixels; by default the whole image.
        options : PredictOptions, optional
        within : (x, y, width, height), optional
            The only pixels that may be read; by default the whole image.

        Raises
        ------
        PredictionError
            If the image's channels do not fit, or the region is not inside `within`.
        RegionError
            If the region is not inside the image.
        """
        wanted = image.region if region is None else checked_region(image, region)
        readable = image.region if within is None else checked_region(image, within)
        if not readable.contains(wanted):
            raise PredictionError(f"{wanted} is not inside {readable}, the only pixels that may be read.")
        chosen = options or PredictOptions()
        chosen.sigma_px(image.pixel_size_um)  # raises for a blur in um if the image has no pixel size
        job = cls(
            spec=spec,
            image=image,
            channels=match_channels(spec.channel_names, image.channel_names, image.name),
            region=wanted,
            within=None if readable == image.region else readable,
            options=chosen,
        )
        _ = job.seen  # raises if the pixel sizes are too far apart
        return job

    @cached_property
    def seen(self) -> Image:
        """The image at the classifier's pixel size; the image itself if the sizes agree or one is unknown."""
        return self.image if self.options.ignore_pixel_size else seen_image(self.spec, self.image)

    @property
    def predicted_at_um(self) -> float | None:
        """Pixel size that the image is resampled to; None without resampling."""
        return None if self.seen is self.image else self.seen.pixel_size_um

    @property
    def downsample(self) -> int:
        """Pixels of `seen` along each side of a pixel that the model sees."""
        return self.options.downsample or self.spec.downsample

    @property
    def scale(self) -> int:
        """Pixels of `seen` along each side of a value of the model's output."""
        return self.downsample * self.spec.model.output_stride

    @property
    def is_plain(self) -> bool:
        """Whether each value of the model's output corresponds to one full-size pixel."""
        return all(place.is_exact for place in self.places)

    @property
    def n_seen_pixels(self) -> float:
        """Number of pixels of `seen` in the region."""
        step_y, step_x = self._step_yx
        return self.region.area / (step_y * step_x)

    @cached_property
    def places(self) -> tuple[AxisPlace, AxisPlace]:
        """Where the rows and columns of the probability map lie in the image."""
        corner, region = self._frame, self.region
        rows, cols = scaled_shape(corner.width, corner.height, self.scale)

        def along(step: float, first: int, total: int, start: int, length: int) -> AxisPlace:
            place = AxisPlace(self.scale * step, first * step, total, start)
            return replace(place, first=place.needed(start, start + length)[0])

        step_y, step_x = self._step_yx
        return (
            along(step_y, corner.y, rows, region.y, region.height),
            along(step_x, corner.x, cols, region.x, region.width),
        )

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the probability map: (K, rows, cols)."""
        rows, cols = self.places
        last_row = rows.needed(self.region.y, self.region.bottom)[1]
        last_col = cols.needed(self.region.x, self.region.right)[1]
        return (self.spec.model.n_classes, last_row - rows.first, last_col - cols.first)

    @property
    def sigma(self) -> tuple[float, float]:
        """Standard deviation of the blur along rows and columns, in values of the map."""
        sigma = self.options.sigma_px(self.image.pixel_size_um)
        rows, cols = self.places
        return sigma / rows.scale, sigma / cols.scale

    @cached_property
    def computed(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """First and last row, and first and last column, of the computed values, including the margin for the blur."""
        return tuple(  # type: ignore[return-value] # there are two
            (max(0, place.first - reach_of(sigma)), min(place.total, place.first + length + reach_of(sigma)))
            for place, length, sigma in zip(self.places, self.shape[1:], self.sigma, strict=True)
        )

    @cached_property
    def plans(self) -> list[TilePlan]:
        """The tiles, with a plan for each grid: those tiles of the whole image that the region needs."""
        model, options, frame = self.spec.model, self.options, self._frame
        needs = TileNeeds(model.multiple, model.output_stride, model.context, model.largest_tile)
        size, overlap = self.spec.tile_size, options.overlap
        plans = plan_grids(needs, frame, frame, self.downsample, size, overlap, options.grids)
        stride, whole = model.output_stride, options.blend != "centre-crop"
        rows, cols = (
            (first * stride, min(last * stride, -(-length // self.downsample)))
            for (first, last), length in zip(self.computed, (frame.height, frame.width), strict=True)
        )
        return [plan.part(rows, cols, whole) for plan in plans]

    @property
    def n_tiles(self) -> int:
        """Number of tiles of all grids."""
        return sum(plan.n_tiles for plan in self.plans)

    @property
    def _step_yx(self) -> tuple[float, float]:
        """Full-size pixels along each side of a pixel of `seen`, (y, x)."""
        return self.seen.step_yx if isinstance(self.seen, ResampledImage) else (1.0, 1.0)

    @property
    def _frame(self) -> Region:
        """The pixels of `seen` that the tiles cover: all that may be read, whichever region is predicted."""
        if self.within is not None:
            return self._readable
        (right, down), whole = self.moved, self.seen.region
        return Region(-right, -down, whole.width + right, whole.height + down)

    @property
    def _readable(self) -> Region:
        """The pixels of `seen` that may be read."""
        if self.within is None or not isinstance(self.seen, ResampledImage):
            return self.seen.region if self.within is None else self.within
        return self.seen.inside(self.within) or self.seen.around(self.within)

    @property
    def seen_within(self) -> Region | None:
        """The only pixels of `seen` that may be read; None for all."""
        return None if self.within is None else self._readable


def seen_image(spec: ClassifierSpec, image: Image) -> Image:
    """Return an image at a classifier's pixel size; the image itself if the sizes agree or one is unknown.

    Raises
    ------
    PredictionError
        If the sizes are too far apart.
    """
    try:
        return at_pixel_size(image, spec.pixel_size_um)
    except ImageSizeError as error:
        raise PredictionError(f"{error} Or predict it with ignore_pixel_size=True, which does not resample.") from error


def checked_region(image: Image, region: Sequence[int]) -> Region:
    """Validate a region of an image, and return it with Python integers.

    Raises
    ------
    RegionError
        If it is not four whole numbers, has no area, or extends beyond the image.
    """
    try:
        found = Region(*(operator.index(value) for value in region))
    except TypeError:
        raise RegionError(f"The region {region!r} must be four whole numbers: x, y, width, height.") from None
    if found.width < 1 or found.height < 1 or not image.region.contains(found):
        raise RegionError(
            f"{found} is not inside image {image.name!r} of {image.width} x {image.height} pixels. "
            "Choose a region of at least one pixel inside the image."
        )
    return found
