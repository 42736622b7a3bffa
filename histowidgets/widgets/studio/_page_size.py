"""How much room the page gives to the studio, so that the picture can take what is left."""

import anywidget
import traitlets

from histowidgets.widgets.common import bundle

# CSS pixels. Below FOLD_WIDTH the side goes under the picture.
FOLD_WIDTH = 900
SIDE_WIDTH = 372
TOOLS_WIDTH = 48
STAGE_WIDTHS = (280, 1500)
STAGE_HEIGHTS = (320, 960)
# What stands on the screen with the picture; the strip with one image, and with more.
NOTICE_HEIGHT, BAR_HEIGHT, STATUS_HEIGHT, BORDERS = 31, 36, 31, 4
STRIP_HEIGHTS = (34, 82)


class Room(anywidget.AnyWidget):
    """Measures the element it lies in; shows nothing.

    Attributes
    ----------
    size : list of int
        Width of the studio and height of what scrolls it, in CSS pixels; ``[0, 0]`` until a page has told. Written
        by the page only. With two pages the one that changed last is heard.
    """

    _esm = bundle("page_size")

    size = traitlets.List(traitlets.Int(), [0, 0], minlen=2, maxlen=2).tag(sync=True)

    @property
    def is_known(self) -> bool:
        """Whether a page has told."""
        return bool(self.size[0])

    def shared_out(self, images: int) -> tuple[int, int, str]:
        """Share the room between picture and side, so that all can be seen without scrolling.

        Parameters
        ----------
        images
            How many there are in the strip.

        Returns
        -------
        tuple
            Width and height of the stage, in CSS pixels, and the CSS height of the side: that of the picture with its
            furniture, inside of which it scrolls, or "auto" under the picture.
        """
        width, height = self.size
        beside = width >= FOLD_WIDTH
        around = BAR_HEIGHT + STATUS_HEIGHT + STRIP_HEIGHTS[images > 1]
        stage_width = width - TOOLS_WIDTH - (SIDE_WIDTH if beside else 0) - 4
        stage_height = _within(height - around - NOTICE_HEIGHT - BORDERS, STAGE_HEIGHTS)
        return _within(stage_width, STAGE_WIDTHS), stage_height, f"{stage_height + around}px" if beside else "auto"


def _within(value: int, limits: tuple[int, int]) -> int:
    return min(max(value, limits[0]), limits[1])
