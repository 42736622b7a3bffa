"""Draw the outlines of objects over the image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import shapely
from PIL import Image as PillowImage
from PIL import ImageDraw

from histowidgets._colors import hex_to_rgb
from histowidgets.images import Region
from histowidgets.widgets.canvas.drawing._paint import CLASSES, DARK, DARK_RIM, Paint
from histowidgets.widgets.canvas.state import View

#: Width of an outline in CSS pixels, and of the dark rim on each side, which shows it on light tissue.
LINE, RIM = 1.5, 1.0

#: Objects that look smaller than this, in CSS pixels, get no rim, which would hide them.
LEAST_WITH_RIM = 10.0


class OutlinedObject(NamedTuple):
    """An outline in full-size pixels of its image, and the class that gives its colour."""

    polygon: shapely.Polygon
    class_name: str


class Outlines:
    """Outlines of objects, and an index of where they are.

    Parameters
    ----------
    objects
        In the order of drawing.
    """

    def __init__(self, objects: Sequence[OutlinedObject]) -> None:
        self._objects = list(objects)
        self._tree = shapely.STRtree([one.polygon for one in self._objects])
        areas = [one.polygon.area for one in self._objects]
        self._side = float(np.sqrt(np.median(areas))) if areas else 0.0

    def painted(self, view: View, scale: float, place: Region, colors: dict[str, str]) -> Paint:
        """Return the outlines at a place.

        Parameters
        ----------
        view
            The view that is drawn.
        scale
            Drawn pixels per CSS pixel.
        place
            In drawn pixels.
        colors
            Of the classes; an object of another class is white.
        """
        names = list(colors)
        palette = np.zeros((CLASSES + len(names) + 1, 4), np.uint8)
        palette[DARK] = DARK_RIM
        for index, rgb in enumerate([*(hex_to_rgb(colors[name]) for name in names), (255, 255, 255)]):
            palette[CLASSES + index] = (*rgb, 255)
        canvas = PillowImage.new("L" if len(palette) <= 256 else "I;16", (place.width, place.height))
        draw = ImageDraw.Draw(canvas)
        lines: list[tuple[list[float], int]] = []
        for i in sorted(self._tree.query(shapely.box(*_edges(view.region))).tolist()):
            polygon, name = self._objects[i]
            number = CLASSES + (names.index(name) if name in names else len(names))
            for ring in (polygon.exterior, *polygon.interiors):
                points = np.asarray(ring.coords) - (view.x, view.y)
                stage = points * view.zoom + (view.stage_width / 2, view.stage_height / 2)
                lines.append(((stage * scale - (place.x, place.y)).ravel().tolist(), number))
        width = max(1, round(LINE * scale))
        if self._side * view.zoom >= LEAST_WITH_RIM:
            for line, _ in lines:
                draw.line(line, DARK, width + 2 * max(1, round(RIM * scale)))
        for line, number in lines:
            draw.line(line, number, width)
        return Paint(np.asarray(canvas), palette)


def _edges(region: Region) -> tuple[int, int, int, int]:
    return region.x, region.y, region.right, region.bottom
