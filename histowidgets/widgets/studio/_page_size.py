"""The size that the page gives the studio, and how the image and the side panel share it."""

import anywidget
import traitlets

from histowidgets.widgets.common import bundle

#: All in CSS pixels. Below `FOLD_WIDTH` the side panel goes under the image.
FOLD_WIDTH = 900
SIDE_WIDTH = 372
TOOLS_WIDTH = 44
STAGE_WIDTHS = (280, 1500)
STAGE_HEIGHTS = (320, 960)
#: Heights of the parts around the image; the strip's with one image, and with more.
BAR_HEIGHT, STATUS_HEIGHT, BORDERS = 36, 31, 4
STRIP_HEIGHTS = (34, 82)
#: Height of the row of classes under the image, shown if the side panel is below it.
PALETTE_HEIGHT = 42


class PageSize(anywidget.AnyWidget):
    """Measures its parent element; shows nothing.

    Attributes
    ----------
    size : list of int
        Width of the studio and height of the element that scrolls it, in CSS pixels; ``[0, 0]`` until a page has
        reported. Written by the page only; with two pages, the last change counts.
    """

    _esm = bundle("page_size")

    size = traitlets.List(traitlets.Int(), [0, 0], minlen=2, maxlen=2).tag(sync=True)

    @property
    def is_known(self) -> bool:
        """Whether a page has reported its size."""
        return bool(self.size[0])

    def layout_for(self, images: int) -> tuple[int, int, str]:
        """Divide the size between image and side panel, so that everything is visible without scrolling.

        Parameters
        ----------
        images
            Number of images in the strip.

        Returns
        -------
        tuple
            Width and height of the stage, in CSS pixels, and the CSS height of the side panel, which scrolls
            inside: the height of the image with its bars, or "auto" under the image.
        """
        width, height = self.size
        beside = width >= FOLD_WIDTH
        around = BAR_HEIGHT + STATUS_HEIGHT + STRIP_HEIGHTS[images > 1] + (0 if beside else PALETTE_HEIGHT)
        stage_width = width - TOOLS_WIDTH - (SIDE_WIDTH if beside else 0) - 2
        stage_height = _within(height - around - BORDERS, STAGE_HEIGHTS)
        return _within(stage_width, STAGE_WIDTHS), stage_height, f"{stage_height + around}px" if beside else "auto"


def _within(value: int, limits: tuple[int, int]) -> int:
    return min(max(value, limits[0]), limits[1])
