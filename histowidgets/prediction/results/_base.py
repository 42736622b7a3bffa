"""The interface of predictions in memory and on disk: labels, probabilities, objects, measurements, files."""

import csv
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from histowidgets._io import atomic_write, written
from histowidgets.annotations import UNLABELLED, Annotation, Shape, is_ignored_class, rasterize
from histowidgets.annotations.io import write_label_png
from histowidgets.errors import PredictionCancelled, PredictionError, RegionError
from histowidgets.images import Image, Region
from histowidgets.prediction.results._annotations import Accepted, annotations_of
from histowidgets.prediction.results._block import Block, MeasuredImage
from histowidgets.prediction.results._counts import ObjectCounts, counts_of, numbers_of
from histowidgets.prediction.results._geo_table import write_geopackage, write_parquet
from histowidgets.prediction.results._geojson import write_geojson
from histowidgets.prediction.results._info import PredictionInfo
from histowidgets.prediction.results._object_labels import table_beside, write_object_labels
from histowidgets.prediction.results._object_options import (
    MIN_AREA_UM2,
    SPLIT_DEPTH_UM,
    ObjectKeywords,
    ObjectOptions,
)
from histowidgets.prediction.results._objects import PredictedObject, find_objects
from histowidgets.prediction.results._zarr_store import BLOCK_SIDE
from histowidgets.prediction.tiling import BAND_ROWS, ProbabilityMap

#: Where to count: a region of the image, a shape, or annotations.
Within = Region | tuple[int, int, int, int] | Shape | Annotation | Sequence[Annotation]


class PredictionResults(ABC):
    """The predicted labels, and optionally probabilities, of a region of an image.

    Parameters
    ----------
    info : PredictionInfo

    Attributes
    ----------
    info : PredictionInfo
    """

    def __init__(self, info: PredictionInfo) -> None:
        self.info = info

    @property
    def classes(self) -> list[str]:
        """The classes, in the order of the label map's indices."""
        return self.info.classes

    @property
    def colors(self) -> dict[str, str]:
        """The colour of each class, such as ``"#1f77b4"``."""
        return self.info.colors

    @property
    def region(self) -> Region:
        """The predicted region of the image, in full-size pixels."""
        return self.info.region

    @property
    def pixel_size_um(self) -> float | None:
        """Side of a full-size pixel, in um; None if unknown."""
        return self.info.pixel_size_um

    @property
    def pixel_sides_um(self) -> tuple[float, float] | None:
        """Height and width of a full-size pixel, in um, if it is not square; otherwise None."""
        return self.info.pixel_sides_um

    @property
    def pixel_size_yx_um(self) -> tuple[float, float] | None:
        """Height and width of a full-size pixel, in um; None if unknown."""
        return self.info.pixel_size_yx_um

    @property
    def resampling(self) -> str:
        """Description of how the image was resampled to the classifier's pixel size; "" if it was not."""
        return self.info.resampling

    @property
    def image_name(self) -> str:
        """Name of the image."""
        return self.info.image_name

    # --- labels and probabilities ----------------------------------------------------------------------------------

    @property
    @abstractmethod
    def pyramid(self) -> bool:
        """Whether labels are read from a pyramid on disk; probabilities never have levels."""

    @property
    @abstractmethod
    def has_probabilities(self) -> bool:
        """Whether there are probabilities, rather than labels only."""

    @property
    @abstractmethod
    def labels(self) -> Any:
        """The label map of the region at full size, for slicing: ``prediction.labels[rows, columns]`` is uint8."""

    @abstractmethod
    def read_labels(self, region: Region | tuple[int, int, int, int] | None = None) -> np.ndarray:
        """Read labels.

        Parameters
        ----------
        region : (x, y, width, height), optional
            In full-size pixels of the image, inside the predicted region; by default all of it.

        Returns
        -------
        ndarray of uint8, (height, width)
            255 where nothing has been predicted yet.

        Raises
        ------
        RegionError
            If it is not inside the predicted region.
        """

    def label_bands(self, region: Region | None = None) -> Iterator[tuple[Region, np.ndarray]]:
        """Yield the labels in parts, each with its region, so that a slide takes no more memory than a block of it.

        Parameters
        ----------
        region : Region, optional
            In full-size pixels of the image; what lies outside the predicted region is left out. By default all of it.

        Yields
        ------
        Region, ndarray of uint8, (height, width)
            The parts do not overlap. 255 where nothing has been predicted.
        """
        wanted = self.region if region is None else region
        for block in self._blocks():
            found = block.intersect(wanted)
            if found is None:
                continue
            labels, _ = self._read_block(found, False)
            for top in range(found.y, found.bottom, BAND_ROWS):
                band = Region.from_edges(found.x, top, found.right, min(found.bottom, top + BAND_ROWS))
                yield band, labels[band.y - found.y : band.bottom - found.y]

    @abstractmethod
    def read_probabilities(self, region: Region | tuple[int, int, int, int]) -> np.ndarray:
        """Read probabilities.

        Parameters
        ----------
        region : (x, y, width, height)
            In full-size pixels of the image, inside the predicted region.

        Returns
        -------
        ndarray of float32, (height, width, K)
            From 0 to 1; from disk in steps of 1/255.

        Raises
        ------
        PredictionError
            If there are only labels.
        RegionError
            If the region is not inside the predicted region.
        """

    @abstractmethod
    def labels_on(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return the labels at the intersections of rows and columns of the region, as a view draws them.

        Parameters
        ----------
        rows, columns : ndarray of int
            Counted from the region's corner, ascending, at least one.

        Returns
        -------
        ndarray of uint8, (rows, columns)
            If there is a pyramid, they come from the level that fits the spacing of the rows and columns.
        """

    @abstractmethod
    def probabilities_at(self, x: int, y: int) -> np.ndarray | None:
        """Return the probability of each class at a pixel of the image: float32 (K,); None if there are none."""

    @property
    def probability_map(self) -> ProbabilityMap:
        """The computed probabilities of the whole region, in memory.

        Raises
        ------
        PredictionError
            If there are only labels, or the probabilities are on disk.
        """
        raise PredictionError("There are no probabilities in memory. Read those of a region with read_probabilities.")

    def _place(self, region: Region | tuple[int, int, int, int]) -> Region:
        """Convert a region of the image to pixels from the corner of the predicted region.

        Raises
        ------
        RegionError
            If it is not inside the predicted region.
        """
        wanted = Region(*region)
        if wanted.width < 1 or wanted.height < 1 or not self.region.contains(wanted):
            raise RegionError(f"{wanted} is not inside the predicted region, {self.region}.")
        return Region(wanted.x - self.region.x, wanted.y - self.region.y, wanted.width, wanted.height)

    def _squares(self) -> list[Region]:
        """Return the squares in which objects are found, the same in memory as on disk."""
        return self.region.blocks(BLOCK_SIDE)

    @abstractmethod
    def _blocks(self) -> list[Region]:
        """Return the blocks, in pixels of the image, that are processed one after another."""

    @abstractmethod
    def _read_block(self, region: Region, confidence: bool) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the labels of a region and, if requested and available, their probabilities in steps of 1/255.

        Both are uint8, (height, width).
        """

    @property
    def no_data_share(self) -> float:
        """Share of the region's pixels, 0 to 1, that have no label because the image has no data there (NaN)."""
        return int(self._counted()[UNLABELLED]) / self.region.area

    def __repr__(self) -> str:
        found = self.measurements()
        shares = ", ".join(f"{name} {found[f'{name} (%)']:.1f} %" for name in self.classes if f"{name} (%)" in found)
        r = self.region
        place = f"x={r.x}, y={r.y}, {r.width} x {r.height}"
        resampled = f", {self.resampling}" if self.resampling else ""
        missing = self.no_data_share
        shares += f"; {100 * missing:.1f} % without data" if missing else ""
        return f"<{type(self).__name__} of {self.image_name!r} at {place}{resampled}: {shares}>"

    # --- objects and measurements ----------------------------------------------------------------------------------

    def objects(
        self,
        min_area_um2: float = MIN_AREA_UM2,
        *,
        fill_holes_um2: float = 0.0,
        simplify_um: float = 0.0,
        split: str | None = None,
        split_depth_um: float = SPLIT_DEPTH_UM,
        split_classes: Sequence[str] | None = None,
        image: Image | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> list[PredictedObject]:
        """Convert the labels to polygons with holes, for all classes, including the first.

        Pixels that touch along a side form one object, unless it is split. Its area is the number of pixels times the
        area of a pixel. Classes whose names end in "*" are ignored, as in QuPath: they have no objects.

        Parameters
        ----------
        min_area_um2 : float, default 10
            Smaller objects are left out, and pieces of a split object that would be smaller stay with their neighbour.
            If the image has no pixel size, this and the other parameters are in pixels.
        fill_holes_um2 : float, default 0
            Holes up to this area are filled, and count as area.
        simplify_um : float, default 0
            Outlines may deviate from the pixel edges by up to this distance, so that they have fewer corners
            (Douglas-Peucker, which keeps holes inside). The area is still that of the pixels.
        split : {None, "distance", "probability"}
            How to split objects that touch, such as nuclei: by a watershed of the distance to their border, or of this
            distance times the probability of the class, which drops between objects where the classifier is less
            certain. An object gives the same pieces whatever blocks the prediction is stored in.
        split_depth_um : float, default 0.75
            How much narrower an object must be at the neck than on both sides of it to be split there, measured from
            the middle to the border (h-maxima); above 0. Larger values split less.
        split_classes : sequence of str, optional
            Classes whose objects are split; by default all. Tissue areas and background are better left whole.
        image : Image, optional
            The predicted image, to measure the mean of each channel over each object and, if it shows stained tissue
            on glass (8-bit RGB), the mean optical densities of hematoxylin and DAB by colour deconvolution (Ruifrok and
            Johnston 2001, with the stain vectors of `skimage.color.rgb2hed`; base 10).
        should_stop : callable, optional
            Called now and then; if it returns True, the work is cancelled.

        Returns
        -------
        list of PredictedObject
            By class, then from top to bottom.

        Raises
        ------
        PredictionError
            If a parameter is out of range, a class to split is unknown, splitting by probability needs probabilities
            that were not kept, or the image does not contain the predicted region.
        PredictionCancelled
            If `should_stop` returned True.
        """
        options = ObjectOptions(min_area_um2, fill_holes_um2, simplify_um, split, split_depth_um, split_classes)
        splits = options.splits(self.classes, self.has_probabilities)
        channels = None if image is None else MeasuredImage(image, self.region)

        def read(region: Region) -> Block:
            if should_stop is not None and should_stop():
                raise PredictionCancelled("Stopped before all objects were found.")
            labels, confidence = self._read_block(region, True)
            return Block(region, labels, confidence, () if channels is None else channels.read(region))

        names = () if channels is None else channels.names
        size = self.info.pixel_size_yx_um
        return find_objects(self._squares(), read, self.classes, size, options, splits, names, should_stop)

    def annotations(
        self,
        classes: Sequence[str] | None = None,
        *,
        within: Within | None = None,
        min_area_um2: float = MIN_AREA_UM2,
        min_probability: float = 0.0,
        existing: Sequence[Annotation] = (),
        simplify_um: float = 0.0,
        should_stop: Callable[[], bool] | None = None,
    ) -> list[Annotation]:
        """Convert the prediction to annotations, to accept it as labels of a project.

        Draw them with ``project.paste(prediction.image_name, prediction.annotations(...))``, as one step of undo.
        Outlines follow the pixel edges, so that exactly the accepted pixels are labelled. A classifier that is trained
        on what it predicted itself learns nothing new where it was right, and repeats its errors where it was not: look
        at the areas first.

        Parameters
        ----------
        classes : sequence of str, optional
            The classes to accept; by default all, except ignored ones (whose names end in "*").
        within : Region, Shape, Annotation or sequence of Annotation, optional
            Accept only pixels inside, as for `counts`; by default everywhere.
        min_area_um2 : float, default 10
            Smaller areas are left out, as measured after everything else. In pixels if the image has no pixel size.
        min_probability : float, default 0
            Pixels whose class is less probable are left out; 0 to 1, in steps of 1/255.
        existing : sequence of Annotation
            Pixels that these label are left out, such as ``project.annotations(name)``, so that what a person drew
            stays.
        simplify_um : float, default 0
            See `objects`.
        should_stop : callable, optional
            Called now and then; if it returns True, the work is cancelled.

        Returns
        -------
        list of Annotation
            Polygons with holes, by class, then from top to bottom. Empty if no pixel is accepted.

        Raises
        ------
        PredictionError
            If a parameter is out of range, a class is unknown, or `min_probability` needs probabilities that were not
            kept.
        RegionError
            If `within` is a region that lies outside of the prediction.
        PredictionCancelled
            If `should_stop` returned True.
        """
        options = ObjectOptions(min_area_um2, simplify_um=simplify_um)
        place, drawn = (self.region, []) if within is None else _place_of(within)
        common = place.intersect(self.region) if place.width > 0 and place.height > 0 else None
        if common is None:
            raise RegionError(f"{place} is outside the predicted region, {self.region}.")
        accepted = Accepted(self.classes, classes, min_probability, drawn, tuple(existing))
        if min_probability > 0 and not self.has_probabilities:
            raise PredictionError(
                "This prediction has labels only, so min_probability cannot be used. Predict again without "
                "probabilities=False."
            )

        def read(region: Region) -> Block:
            if should_stop is not None and should_stop():
                raise PredictionCancelled("Stopped before all areas were found.")
            return Block(region, *self._read_block(region, True))

        parts = [part for square in self._squares() if (part := square.intersect(common)) is not None]
        size, split = self.info.pixel_size_yx_um, [False] * len(self.classes)
        found = find_objects(parts, accepted.reading(read), self.classes, size, options, split, (), should_stop)
        return annotations_of(found)

    def object_table(
        self, min_area_um2: float = MIN_AREA_UM2, *, image: Image | None = None, **options: Unpack[ObjectKeywords]
    ) -> list[dict[str, str | float]]:
        """Return a row for each object.

        Its columns are class, centre, area, perimeter, circularity, eccentricity, mean probability and, with an image,
        the means of its channels. Convert it with ``pandas.DataFrame(prediction.object_table())``. The names of the
        columns include the units. See `objects` for the parameters.
        """
        return [one.row() for one in self.objects(min_area_um2, image=image, **options)]

    def save_csv(
        self,
        path: str | PathLike[str],
        min_area_um2: float = MIN_AREA_UM2,
        *,
        image: Image | None = None,
        **options: Unpack[ObjectKeywords],
    ) -> list[PredictedObject]:
        """Write `object_table` as CSV.

        Returns
        -------
        list of PredictedObject
            What was written, such as for `counts`.

        Raises
        ------
        PredictionError
            If an option is not accepted (see `objects`), or the file cannot be written.
        """
        found = self.objects(min_area_um2, image=image, **options)
        names = self._columns(found)
        with atomic_write(path, PredictionError) as part, part.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, names)
            table.writeheader()
            table.writerows(one.row() for one in found)
        return found

    def _columns(self, found: Sequence[PredictedObject]) -> list[str]:
        """Return the columns of the table of objects, also if there are none."""
        unit = "px" if self.pixel_size_um is None else "um"
        names = ["Class", "Centroid X (px)", "Centroid Y (px)", f"Area ({unit}2)", f"Perimeter ({unit})"]
        return [
            *names,
            "Circularity",
            "Eccentricity",
            "Mean probability",
            *(f"Mean {n}" for n in _measured_names(found)),
        ]

    def counts(
        self,
        found: Sequence[PredictedObject] | None = None,
        *,
        within: Within | None = None,
        background: Sequence[str] = (),
        **options: Unpack[ObjectKeywords],
    ) -> ObjectCounts:
        """Count the objects of each class, with their density per mm2 of the measured area.

        The area is that of the labelled pixels, without background and ignored classes (whose names end in "*").

        Parameters
        ----------
        found : sequence of PredictedObject, optional
            From `objects`; by default they are found with the given options.
        within : Region, Shape, Annotation or sequence of Annotation, optional
            Count only objects whose centroid lies inside, and measure only this area; by default all of it. What
            several annotations share counts once; erasers (class None) remove what they cover of earlier ones.
        background : sequence of str
            Classes that are not tissue, which have no objects of interest; they are counted, but not part of the area.
        **options
            See `objects`.

        Returns
        -------
        ObjectCounts
            A mapping of class to number.

        Raises
        ------
        PredictionError
            If a class of the background is unknown, or an option is not accepted.
        RegionError
            If `within` is a region that lies outside of the prediction.
        """
        checked_background(background, self.classes)
        objects = self.objects(**options) if found is None else found
        if within is None:
            return self._count_objects(objects, self._counted(), background)
        place, drawn = _place_of(within)
        if place.width < 1 or place.height < 1 or place.intersect(self.region) is None:
            raise RegionError(f"{place} is outside the predicted region, {self.region}.")
        counts, _, kept = self._inside(place, drawn, objects)
        return self._count_objects(kept, counts, background)

    def _count_objects(
        self, found: Sequence[PredictedObject], counts: np.ndarray, background: Sequence[str]
    ) -> ObjectCounts:
        """Count objects in an area with these numbers of pixels of each index."""
        pixels = dict(zip(self.classes, counts.tolist(), strict=False))
        return counts_of(self.classes, numbers_of(found), pixels, self.pixel_size_um, background)

    def _inside(
        self, place: Region, annotations: Sequence[Annotation], found: Sequence[PredictedObject] = ()
    ) -> tuple[np.ndarray, int, list[PredictedObject]]:
        """Count the pixels of each index in a region and, if there are annotations, inside these.

        Returns
        -------
        ndarray of int64 (256,)
        int
            Number of pixels inside.
        list of PredictedObject
            Those whose centroid is inside.
        """
        counts, n_pixels, kept = np.zeros(UNLABELLED + 1, np.int64), 0, []
        middles = np.floor([[one.polygon.centroid.x, one.polygon.centroid.y] for one in found]).astype(int)
        middles = middles.reshape(-1, 2)
        common, index = place.intersect(self.region), dict.fromkeys((one.class_name or "" for one in annotations), 0)
        for band, labels in self.label_bands(common) if common is not None else ():
            drawn = np.ones(labels.shape, bool)
            if annotations:
                drawn = rasterize(annotations, index, band) == 0
            counts += np.bincount(labels[drawn], minlength=UNLABELLED + 1)
            n_pixels += int(drawn.sum())
            x, y = middles[:, 0] - band.x, middles[:, 1] - band.y
            here = np.flatnonzero((x >= 0) & (x < band.width) & (y >= 0) & (y < band.height))
            kept += here[drawn[y[here], x[here]]].tolist()
        return counts, n_pixels, [found[i] for i in sorted(kept)]

    def measurements(
        self, background: Sequence[str] = (), objects: Sequence[PredictedObject] | None = None
    ) -> dict[str, float]:
        """Measure the area and the share of each class in the region.

        Classes whose names end in "*" are ignored, as in QuPath: they are no part of the area.

        Parameters
        ----------
        background : sequence of str
            Classes that are not tissue, such as empty glass.
        objects : sequence of PredictedObject, optional
            From `objects`, to count.

        Returns
        -------
        dict of str to float
            ``"<class> area (um2)"``, or ``"<class> area (px2)"`` if the image has no pixel size; ``"<class> (%)"``, the
            share of the region's labelled pixels (without those that have no data, NaN); if there is a background,
            ``"<class> (% of tissue)"`` for the other classes; and, if there are objects, ``"<class> count"``,
            ``"<class> (1/mm2)"``, and positivity and H-score if the names of the classes tell it (see `positivity`).

        Raises
        ------
        PredictionError
            If a class of the background is unknown.
        """
        counts = self._counted()
        values = self._measured(counts, self.region.area - int(counts[UNLABELLED]), background)
        return values if objects is None else values | self._count_objects(objects, counts, background).row()

    def _counted(self) -> np.ndarray:
        """Count the pixels of each index: int64 (256,)."""
        counts = np.zeros(UNLABELLED + 1, np.int64)
        for _, labels in self.label_bands():
            counts += np.bincount(labels.ravel(), minlength=UNLABELLED + 1)
        return counts

    def save_measurements(
        self,
        path: str | PathLike[str],
        annotations: Sequence[Annotation] = (),
        background: Sequence[str] = (),
        objects: Sequence[PredictedObject] | None = None,
    ) -> None:
        """Write `measurements`, followed by `measure_annotations`, as one CSV table.

        Parameters
        ----------
        path : path
        annotations : sequence of Annotation
            Each gets a row, below the row of the whole prediction.
        background, objects
            See `measurements`.

        Raises
        ------
        PredictionError
            If a class of the background is unknown, or the file cannot be written.
        """
        whole: dict[str, str | float] = {
            "Annotation": "",
            "Annotated class": "",
            **self.measurements(background, objects),
        }
        rows = [whole, *self.measure_annotations(annotations, background, objects)]
        with atomic_write(path, PredictionError) as part, part.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, ["Image", *whole])
            table.writeheader()
            table.writerows({"Image": written(self.image_name), **row} for row in rows)

    def measure_annotations(
        self,
        annotations: Sequence[Annotation],
        background: Sequence[str] = (),
        objects: Sequence[PredictedObject] | None = None,
    ) -> list[dict[str, str | float]]:
        """Measure the predicted classes inside each annotation.

        Parameters
        ----------
        annotations : sequence of Annotation
            Annotations of the same image, such as ``project.annotations(name)``; parts outside the prediction are left
            out.
        background, objects
            See `measurements`; an object counts where its centroid is.

        Returns
        -------
        list of dict
            In the order of the annotations: ``"Annotation"`` (its id), ``"Annotated class"``, and the areas, shares
            and counts as in `measurements`, for the pixels inside the shape that were not erased later. Erasers, and
            annotations that were erased completely, are left out.
        """
        rows: list[dict[str, str | float]] = []
        for place, annotation in enumerate(annotations):
            if annotation.class_name is None:
                continue
            erasers = [later for later in annotations[place + 1 :] if later.class_name is None]
            inside = annotation.shape.region().intersect(self.region)
            counts, n_pixels, kept = self._inside(annotation.shape.region(), [annotation, *erasers], objects or ())
            if n_pixels == 0 and erasers and inside is not None:
                continue
            row: dict[str, str | float] = {"Annotation": annotation.id, "Annotated class": annotation.class_name}
            row |= self._measured(counts, n_pixels - int(counts[UNLABELLED]), background)
            if objects is not None:
                row |= self._count_objects(kept, counts, background).row()
            rows.append(row)
        return rows

    def pixel_counts(self, within: Within | None = None) -> dict[str, int]:
        """Count the pixels of each class.

        Parameters
        ----------
        within : Region, Shape, Annotation or sequence of Annotation, optional
            Count only inside, as in `counts`; by default everywhere. 0 for all classes if nothing is predicted there.
        """
        counts = self._counted() if within is None else self._inside(*_place_of(within))[0]
        return {name: int(n) for name, n in zip(self.classes, counts, strict=False)}

    def _measured(self, counts: np.ndarray, n_pixels: int, background: Sequence[str]) -> dict[str, float]:
        pixels = {name: int(n) for name, n in zip(self.classes, counts, strict=False)}
        return measured(self.classes, pixels, self.pixel_size_um, background, n_pixels)

    # --- files -----------------------------------------------------------------------------------------------------

    def save_png(self, path: str | PathLike[str]) -> None:
        """Write the label map as a palette PNG in the colours of the classes; its pixel values are the class indices.

        A text chunk holds the names of the classes, so that `Project.import_label_png` needs no list of them.

        Raises
        ------
        PredictionError
            If the prediction is too large for a PNG, or the file cannot be written.
        """
        write_label_png(path, self.read_labels(), self.colors, 1, PredictionError)

    @abstractmethod
    def save_ome_tiff(self, path: str | PathLike[str], *, probabilities: bool = False) -> None:
        """Write the label map as a tiled OME-TIFF.

        From memory, the file has the pixel size and the place of the region; from disk, also the levels of the pyramid,
        for `open_prediction`.

        Parameters
        ----------
        path : path
        probabilities : bool, default False
            Whether to write the probabilities too, as a second image with a channel for each class.

        Raises
        ------
        PredictionError
            If probabilities are requested but there are none, if the prediction is already an OME-TIFF or is not
            complete, or if the file cannot be written.
        """

    def save_geojson(
        self,
        path: str | PathLike[str],
        *,
        object_type: str = "annotation",
        min_area_um2: float = MIN_AREA_UM2,
        image: Image | None = None,
        **options: Unpack[ObjectKeywords],
    ) -> list[PredictedObject]:
        """Write the objects and their measurements as GeoJSON for QuPath.

        Of a whole slide of which a part was scanned (``open_image(..., bounds=False)``), the coordinates begin at that
        part, as QuPath's do.

        Parameters
        ----------
        path : path
        object_type : {"annotation", "detection"}
            The type of the objects in QuPath.
        min_area_um2, image, **options
            See `objects`.

        Returns
        -------
        list of PredictedObject
            What was written, such as for `counts`.

        Raises
        ------
        PredictionError
            If `object_type` is neither, an option is not accepted, or the file cannot be written.
        """
        found = self.objects(min_area_um2, image=image, **options)
        write_geojson(found, self.colors, path, object_type, self.info.bounds_offset)
        return found

    def save_geopackage(
        self,
        path: str | PathLike[str],
        *,
        min_area_um2: float = MIN_AREA_UM2,
        image: Image | None = None,
        **options: Unpack[ObjectKeywords],
    ) -> list[PredictedObject]:
        """Write the objects with the columns of `object_table` as a GeoPackage, which GIS programs and R read.

        It needs geopandas: ``pip install 'histowidgets[geo]'``. The layer is called "objects". Coordinates are those of
        `save_geojson`: pixels, y downwards, without a coordinate reference system.

        Parameters
        ----------
        path : path
            Such as ``"objects.gpkg"``.
        min_area_um2, image, **options
            See `objects`.

        Returns
        -------
        list of PredictedObject
            What was written.

        Raises
        ------
        PredictionError
            If geopandas is not installed, an option is not accepted, or the file cannot be written.
        """
        found = self.objects(min_area_um2, image=image, **options)
        write_geopackage(found, self._columns(found), path, self.info.bounds_offset)
        return found

    def save_parquet(
        self,
        path: str | PathLike[str],
        *,
        min_area_um2: float = MIN_AREA_UM2,
        image: Image | None = None,
        **options: Unpack[ObjectKeywords],
    ) -> list[PredictedObject]:
        """Write the objects with the columns of `object_table` as GeoParquet, small and fast also for a million.

        It needs geopandas: ``pip install 'histowidgets[geo]'``. Read it with ``geopandas.read_parquet``. Parameters,
        coordinates, return value and errors are those of `save_geopackage`.
        """
        found = self.objects(min_area_um2, image=image, **options)
        write_parquet(found, self._columns(found), path, self.info.bounds_offset)
        return found

    def save_object_labels(
        self,
        path: str | PathLike[str],
        *,
        min_area_um2: float = MIN_AREA_UM2,
        image: Image | None = None,
        **options: Unpack[ObjectKeywords],
    ) -> list[PredictedObject]:
        """Write the objects as a label image with a table beside it, as napari, scikit-image and CellProfiler use.

        The image is a tiled OME-TIFF of int32: 0 where there is no object, and for each object its number, from 1.
        The table is a CSV of the same name, ``cells.csv`` beside ``cells.ome.tif``: the number in the columns "label"
        (as `skimage.measure.regionprops_table`) and "index" (as napari's features of a labels layer), and the columns
        of `object_table`.

        Parameters
        ----------
        path : path
            Such as ``"cells.ome.tif"``.
        min_area_um2, image, **options
            See `objects`. With `simplify_um`, the outlines are simplified in the image as well.

        Returns
        -------
        list of PredictedObject
            What was written, in the order of the numbers.

        Raises
        ------
        PredictionError
            If the name does not end in ``.ome.tif`` or ``.tif``, an option is not accepted, or a file cannot be
            written.
        """
        table_beside(Path(path))
        found = self.objects(min_area_um2, image=image, **options)
        write_object_labels(found, self._columns(found), self.info, path)
        return found


def _place_of(within: Any) -> tuple[Region, list[Annotation]]:
    """Return the bounds of where to count, and the annotations inside which; see `PredictionResults.counts`."""
    if isinstance(within, Shape):
        within = Annotation("", within, "inside", 0.0, "")
    drawn: list[Any] = [within] if isinstance(within, Annotation) else list(within)
    if drawn and all(isinstance(one, Annotation) for one in drawn):
        place = drawn[0].shape.region()
        for other in drawn[1:]:
            place = place.union(other.shape.region())
        return place, drawn
    if len(drawn) != 4 or isinstance(drawn[0], Annotation):
        raise PredictionError(f"within is {within!r:.80}; pass a region (x, y, width, height), a shape or annotations.")
    return Region(*drawn), []


def _measured_names(found: Sequence[PredictedObject]) -> list[str]:
    """Return the names of the channels that were measured on objects."""
    return list(found[0].means) if found else []


def checked_background(background: Sequence[str], classes: Sequence[str]) -> None:
    """Raise PredictionError if a class of the background is unknown."""
    unknown = [name for name in background if name not in classes]
    if unknown:
        raise PredictionError(f"There is no class {unknown[0]!r}; the classes are {', '.join(classes)}.")


def measured(
    classes: Sequence[str],
    counts: Mapping[str, int],
    pixel_size_um: float | None,
    background: Sequence[str] = (),
    n_pixels: int | None = None,
) -> dict[str, float]:
    """Convert pixel counts to areas and shares; see `PredictionResults.measurements`.

    Parameters
    ----------
    classes : sequence of str
    counts : mapping of class to int
        Missing classes count as 0.
    pixel_size_um : float or None
    background : sequence of str
    n_pixels : int, optional
        Number of pixels that counts as 100 %; by default the sum of the counts.

    Raises
    ------
    PredictionError
        If a class of the background is unknown.
    """
    checked_background(background, classes)
    unit, pixel_area = ("px2", 1.0) if pixel_size_um is None else ("um2", pixel_size_um**2)
    total = sum(counts.values()) if n_pixels is None else n_pixels
    total -= sum(counts.get(name, 0) for name in classes if is_ignored_class(name))
    kept = [name for name in classes if not is_ignored_class(name)]
    tissue = sum(counts.get(name, 0) for name in kept if name not in background)
    values: dict[str, float] = {}
    for name in kept:
        n = counts.get(name, 0)
        values[f"{name} area ({unit})"] = n * pixel_area
        values[f"{name} (%)"] = 100.0 * n / max(total, 1)
        if background and name not in background:
            values[f"{name} (% of tissue)"] = 100.0 * n / max(tissue, 1)
    return values
