"""The view of an image: which part is shown, how large, and conversion between image, stage and drawn pixels.

The *stage* is the area on the page, in CSS pixels; the canvas under it has `scale` drawn pixels per CSS pixel.
`static/canvas/view.js` follows the same rules on the page.
"""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from histowidgets.images import Region

MAX_ZOOM = 40.0
MIN_SHARE_OF_FIT = 0.25
GO_TO_SHARE = 0.6  # share of the stage that a region fills after `on`
GO_TO_ZOOM = 2.0  # largest zoom after `on`; beyond it, pixels are visible rather than tissue


@dataclass(frozen=True)
class View:
    """The image point in the middle of the stage, and the zoom in CSS pixels per image pixel.

    Attributes
    ----------
    x, y : float
        Image coordinates (full-size pixels) of the middle of the stage.
    zoom : float
        CSS pixels per image pixel; 1 shows the image at full size.
    image_width, image_height : int
        Size of the image in pixels.
    stage_width, stage_height : int
        Size of the stage in CSS pixels.
    """

    x: float
    y: float
    zoom: float
    image_width: int
    image_height: int
    stage_width: int
    stage_height: int

    @classmethod
    def fit(cls, image_width: int, image_height: int, stage_width: int, stage_height: int) -> "View":
        """Return the view that shows the whole image as large as possible."""
        zoom = min(stage_width / image_width, stage_height / image_height, MAX_ZOOM)
        return cls(image_width / 2, image_height / 2, zoom, image_width, image_height, stage_width, stage_height)

    def fitted(self) -> "View":
        """Return the view of the same image on the same stage that shows all of it."""
        return View.fit(self.image_width, self.image_height, self.stage_width, self.stage_height)

    def look(self, x: float, y: float, zoom: float) -> "View":
        """Return the view with another centre and zoom, kept on the image and within the zoom limits."""
        lowest = min(1.0, self.fitted().zoom) * MIN_SHARE_OF_FIT
        return dataclasses.replace(
            self,
            x=min(max(x, 0.0), float(self.image_width)),
            y=min(max(y, 0.0), float(self.image_height)),
            zoom=min(max(zoom, lowest), MAX_ZOOM),
        )

    def zoomed(self, factor: float) -> "View":
        """Return the view zoomed by `factor` around its middle."""
        return self.look(self.x, self.y, self.zoom * factor)

    def on(self, region: Region) -> "View":
        """Return the view centred on `region`, zoomed so that its surroundings stay visible.

        Near the edge of the image, the region is off-centre so that the image fills the view.
        """
        zoom = GO_TO_SHARE * min(self.stage_width / max(region.width, 1), self.stage_height / max(region.height, 1))
        zoom = min(zoom, GO_TO_ZOOM)
        x = _inside(region.x + region.width / 2, self.stage_width / 2 / zoom, self.image_width)
        y = _inside(region.y + region.height / 2, self.stage_height / 2 / zoom, self.image_height)
        return self.look(x, y, zoom)

    def on_stage(self, width: int, height: int) -> "View":
        """Return the view of the same place on a stage of another size."""
        return dataclasses.replace(self, stage_width=width, stage_height=height)

    @property
    def region(self) -> Region:
        """The image pixels that are at least partly in view; never empty."""
        half_width, half_height = self.stage_width / 2 / self.zoom, self.stage_height / 2 / self.zoom
        left = min(max(math.floor(self.x - half_width), 0), self.image_width - 1)
        top = min(max(math.floor(self.y - half_height), 0), self.image_height - 1)
        right = max(min(math.ceil(self.x + half_width), self.image_width), left + 1)
        bottom = max(min(math.ceil(self.y + half_height), self.image_height), top + 1)
        return Region(left, top, right - left, bottom - top)

    def to_image(self, x: float, y: float) -> tuple[float, float]:
        """Return the image point under the stage point (x, y)."""
        return (
            (x - self.stage_width / 2) / self.zoom + self.x,
            (y - self.stage_height / 2) / self.zoom + self.y,
        )

    def to_stage(self, x: float, y: float) -> tuple[float, float]:
        """Return the stage point over the image point (x, y)."""
        return (
            (x - self.x) * self.zoom + self.stage_width / 2,
            (y - self.y) * self.zoom + self.stage_height / 2,
        )

    def drawn_region(self, region: Region, scale: float) -> Region | None:
        """Return the drawn pixels whose centres lie in an image region, cut to the canvas; None if there are none."""
        left, top = self.to_stage(region.x, region.y)
        right, bottom = self.to_stage(region.right, region.bottom)
        x0, y0, x1, y1 = (math.ceil(edge * scale - 0.5) for edge in (left, top, right, bottom))
        canvas = Region(0, 0, round(self.stage_width * scale), round(self.stage_height * scale))
        return Region(x0, y0, x1 - x0, y1 - y0).intersect(canvas)

    def pixel_indices(self, drawn: Region, scale: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the image column under each drawn column and the image row under each drawn row.

        Returns
        -------
        columns, rows : numpy.ndarray
            int64, of lengths ``drawn.width`` and ``drawn.height``, each within the image.
        """
        across = (np.arange(drawn.x, drawn.right) + 0.5) / scale
        down = (np.arange(drawn.y, drawn.bottom) + 0.5) / scale
        columns = np.floor((across - self.stage_width / 2) / self.zoom + self.x).astype(np.int64)
        rows = np.floor((down - self.stage_height / 2) / self.zoom + self.y).astype(np.int64)
        return np.clip(columns, 0, self.image_width - 1), np.clip(rows, 0, self.image_height - 1)


def _inside(middle: float, half: float, length: int) -> float:
    """Return the middle of a stretch along an image side, moved so that the stretch stays inside the image."""
    return length / 2 if 2 * half >= length else min(max(middle, half), length - half)
