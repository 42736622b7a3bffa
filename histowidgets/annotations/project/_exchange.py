"""The part of a project that writes annotations for other programs, and reads theirs."""

import os
import warnings
from collections.abc import Callable, Mapping
from typing import Literal

from histowidgets._io import as_path
from histowidgets.annotations.io import check_pixels, read_geojson, read_label_png, write_geojson, write_label_png
from histowidgets.annotations.project._annotate import Drawing
from histowidgets.annotations.project._edit import image_state
from histowidgets.annotations.project._state import ImageState
from histowidgets.annotations.raster import UNLABELLED, find_areas, trace
from histowidgets.annotations.shapes import Rectangle
from histowidgets.errors import GeoJSONError, LabelPngError
from histowidgets.images import scaled_shape

#: Most areas that a PNG label map may have: each becomes an annotation. Chosen by us (P).
MOST_AREAS = 100_000


class Exchange(Drawing):
    """Annotations as files of other programs."""

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
        write_geojson(as_path(path, GeoJSONError), annotations, colors)

    def import_geojson(
        self,
        name: str,
        path: "str | os.PathLike[str]",
        unknown_classes: Literal["error", "add", "skip"] = "error",
        tell: Callable[[str], object] | None = None,
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
        tell : callable, optional
            Called with the words of the warning, in its place: warnings cannot be caught beside other threads.

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
        path = as_path(path, GeoJSONError)
        with self._lock:
            image, colors = image_state(self._state, name).image, dict(self._state.colors)
        read = read_geojson(path, image, colors, unknown_classes)
        if read.shapes:
            with self._lock:
                taken = {a.id for state in self._state.images.values() for a in state.annotations}
                self._edit(read.to_record(name, self.annotator, taken))
        words = read.left_out(path)
        if words and tell is not None:
            tell(words)
        elif words:
            warnings.warn(words, stacklevel=2)
        return len(read.shapes)

    # --- PNG label maps --------------------------------------------------------------------------------------------

    def export_label_png(self, name: str, path: "str | os.PathLike[str]", downsample: float = 1) -> None:
        """Write the label map of an image as a PNG that any program shows in the colours of the classes.

        Each pixel holds a class index, 255 and transparent where unlabelled. The names and colours of the classes
        and the downsample stand in a text chunk "histowidgets", as JSON.

        Parameters
        ----------
        name : str
            Of the image.
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
        image = self._image_state(name).image
        rows, columns = scaled_shape(image.width, image.height, downsample)
        check_pixels(columns, rows, f"The label map of {name!r}")
        with self._lock:
            labels = self.label_map(name, downsample)
            colors = {k: self._state.colors[k] for k in self._state.classes}
        write_label_png(as_path(path, LabelPngError), labels, colors, downsample)

    def import_label_png(
        self,
        name: str,
        path: "str | os.PathLike[str]",
        unknown_classes: Literal["error", "add", "skip"] = "error",
        classes: Mapping[int, str | None] | None = None,
    ) -> int:
        """Make the label map of an image that of a PNG, as one step of undo.

        Pixels of one class that touch along an edge become a polygon along the edges of the pixels, with holes.
        What was drawn before is erased first.

        Parameters
        ----------
        name : str
            Of the image.
        path : path
            As `export_label_png` writes it, or any PNG with a palette or of 8-bit grey. It has the size of the image,
            or that size divided by a whole number and rounded up; 255 is unlabelled.
        unknown_classes : {"error", "add", "skip"}
            What to do with classes that the project does not have; "add" takes their colours too. "skip" leaves
            out values without a class as well.
        classes : mapping of pixel value to class name or None, optional
            What the values mean; None is unlabelled. By default what the file says; if it says nothing, and its
            values are the indices of all the classes of the project, those.

        Returns
        -------
        int
            How many polygons were drawn.

        Raises
        ------
        LabelPngError
            If the file cannot be read, is of another size, has values without a class, or has more than 100,000
            separate areas.
        UnknownClassError
            If classes are unknown and `unknown_classes` is "error".
        """
        path = as_path(path, LabelPngError)
        with self._lock:
            image, colors = self._image_state(name).image, dict(self._state.colors)
        read = read_label_png(path, image, colors, unknown_classes, classes)
        areas = find_areas(read.labels, UNLABELLED)
        if areas.count > MOST_AREAS:
            raise LabelPngError(
                f"{path.name} has {areas.count:,} separate areas; at most {MOST_AREAS:,} can be kept. Smooth it, or "
                "take out the small ones, and import it again."
            )
        drawn = [
            self._annotation_of(polygon, read.names[int(read.labels[row, column])]).to_dict()
            for row, column, polygon in trace(areas, read.downsample)
        ]
        with self._lock:
            if self._image_state(name).annotations:
                whole = Rectangle(0, 0, image.width, image.height)
                drawn.insert(0, self._annotation_of(whole, None).to_dict())
            if drawn:
                added = [list(item) for item in read.colors.items()]
                self._edit({"op": "add", "image": name, "annotations": drawn, "classes": added})
        return areas.count

    def _image_state(self, name: str) -> ImageState:
        with self._lock:
            return image_state(self._state, name)
