"""How much room the page gives to the studio, so that the picture can take what is left."""

import anywidget
import traitlets

from histowidgets.widgets._style import STATIC


class Room(anywidget.AnyWidget):
    """Measures the element it lies in; shows nothing.

    Attributes
    ----------
    size : list of int
        Width of the studio and height of what scrolls it, in CSS pixels; ``[0, 0]`` until a page has told. Written
        by the page only. With two pages the one that changed last is heard.
    """

    _esm = STATIC / "room.js"

    size = traitlets.List(traitlets.Int(), [0, 0], minlen=2, maxlen=2).tag(sync=True)
