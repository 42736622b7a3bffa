"""The wand, which finds the region of similar colours around a point. Pure NumPy, SciPy, scikit-image, shapely."""

import math
from dataclasses import dataclass

import numpy as np
import shapely
from scipy import ndimage

from histowidgets.annotations import Polygon
from histowidgets.errors import ShapeError
from histowidgets.images import Region

MAX_PIXELS = 1_000_000  # most pixels to flood, so that the result takes a fraction of a second
SMOOTHING = 1.5  # standard deviation in pixels: smaller than a nucleus, larger than camera noise
SMALL_HOLE = 24  # pixels; smaller holes are noise and are filled
MAX_CORNERS = 10_000


def wand_downsample(region: Region, downsample: int) -> int:
    """Return `downsample`, doubled until the region has at most `MAX_PIXELS` pixels."""
    while math.ceil(region.width / downsample) * math.ceil(region.height / downsample) > MAX_PIXELS:
        downsample *= 2
    return downsample


@dataclass(frozen=True)
class WandRegion:
    """A region that the wand found.

    Attributes
    ----------
    area : shapely.Polygon
        The region with its holes, in full-size pixels.
    is_cut : bool
        Whether the region continues beyond the pixels that were considered.
    """

    area: shapely.Polygon
    is_cut: bool

    @property
    def polygon(self) -> Polygon:
        """The area as a shape of a project."""
        return Polygon.of(self.area)


class Wand:
    """Finds regions of similar colour in one piece of an image.

    Parameters
    ----------
    rgb
        The displayed pixels: uint8, ``(rows, cols, 3)``.
    region
        Their place in the image, in full-size pixels.
    downsample
        Full-size pixels per pixel.
    image_size
        Width and height of the whole image.
    """

    def __init__(self, rgb: np.ndarray, region: Region, downsample: int, image_size: tuple[int, int]) -> None:
        from skimage.color import rgb2lab

        self._sharp = rgb2lab(rgb.astype(np.float32) / np.float32(255))
        self._lab = ndimage.gaussian_filter(self._sharp, (SMOOTHING, SMOOTHING, 0), mode="nearest")
        self._region, self._downsample, self._image_size = region, downsample, image_size
        self._seen: tuple[tuple[int, int], tuple[np.ndarray, np.ndarray]] | None = None

    def find(self, x: float, y: float, tolerance: float, simplify: float) -> WandRegion:
        """Return the connected region around an image point.

        Parameters
        ----------
        x, y
            Full-size pixels.
        tolerance
            Largest colour difference (CIE 1976) from the point, where 2 is just noticeable and 100 is the
            difference between black and white.
        simplify
            Largest error of the outline, in full-size pixels.

        Raises
        ------
        ShapeError
            If the point is outside of the region given to the constructor.
        """
        row, column = (int((at - edge) // self._downsample) for at, edge in ((y, self._region.y), (x, self._region.x)))
        rows, columns = self._lab.shape[:2]
        if not (0 <= row < rows and 0 <= column < columns):
            raise ShapeError("The wand was used outside the image. Click on the image.")
        mask, top, left = self._flooded(row, column, tolerance)
        is_cut = self._is_cut(top, left, *mask.shape)
        return WandRegion(self._traced(mask, top, left, simplify), is_cut)

    def _flooded(self, row: int, column: int, tolerance: float) -> tuple[np.ndarray, int, int]:
        """Return the mask around a pixel, cropped, and the row and column of its corner."""
        from skimage.segmentation import flood

        like, like_sharp = (squared <= tolerance**2 for squared in self._differences(row, column))
        mask = flood(like.view(np.uint8), (row, column), connectivity=1)
        # Smoothing mixed the colours at the border, so grow the region to its border in the sharp image.
        mask = ndimage.binary_dilation(mask, iterations=2, mask=mask | like_sharp)
        (found,) = ndimage.find_objects(mask.view(np.uint8))
        mask = mask[found]
        holes, _ = ndimage.label(~mask, np.ones((3, 3)))
        sizes = np.bincount(holes.ravel())
        edges = np.concatenate([holes[0], holes[-1], holes[:, 0], holes[:, -1]])
        small = sizes < SMALL_HOLE
        small[edges] = False  # not holes but the outside
        small[0] = False
        return mask | small[holes], found[0].start, found[1].start

    def _differences(self, row: int, column: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the squared distance of each colour from that of one pixel, in the smoothed and the sharp image."""
        seen = self._seen
        if seen is None or seen[0] != (row, column):  # during a drag only the tolerance changes
            color = self._lab[row, column]
            smooth, sharp = (((lab - color) ** 2).sum(axis=-1) for lab in (self._lab, self._sharp))
            seen = self._seen = (row, column), (smooth, sharp)
        return seen[1]

    def _is_cut(self, top: int, left: int, rows: int, columns: int) -> bool:
        region, (width, height) = self._region, self._image_size
        all_rows, all_columns = self._lab.shape[:2]
        return (
            (top == 0 and region.y > 0)
            or (left == 0 and region.x > 0)
            or (top + rows == all_rows and region.bottom < height)
            or (left + columns == all_columns and region.right < width)
        )

    def _traced(self, mask: np.ndarray, top: int, left: int, simplify: float) -> shapely.Polygon:
        """Return the area of a mask, given the row and column of its corner."""
        from skimage.measure import find_contours

        # Contours cut corners: at the edge of the pixels, let them do so outside, and clip them.
        rows, columns = self._lab.shape[:2]
        at_edge = (top == 0, top + mask.shape[0] == rows), (left == 0, left + mask.shape[1] == columns)
        beyond = np.pad(mask, [(int(before), int(after)) for before, after in at_edge], mode="edge")
        corner = np.array([left - at_edge[1][0] - 1, top - at_edge[0][0] - 1]) + 0.5
        rings = [
            (ring[:, ::-1] + corner) * self._downsample + self._region[:2]
            for ring in find_contours(np.pad(beyond, 1).astype(np.uint8), 0.5)
        ]
        rings.sort(key=lambda ring: -np.prod(np.ptp(ring, axis=0)))
        region, (width, height) = self._region, self._image_size
        inside = shapely.box(region.x, region.y, min(region.right, width), min(region.bottom, height))
        area = shapely.intersection(shapely.Polygon(rings[0], rings[1:]), inside)
        for _ in range(12):
            shown = _largest(area.simplify(simplify))
            if len(shapely.get_coordinates(shown)) <= MAX_CORNERS:
                break
            simplify *= 2
        return shown


def _largest(area: shapely.Geometry) -> shapely.Polygon:
    parts = [part for part in shapely.get_parts(shapely.make_valid(area)) if isinstance(part, shapely.Polygon)]
    return max(parts, key=lambda part: part.area)
