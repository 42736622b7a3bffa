"""The pointer layer: an anywidget over the canvas that shows at once what the hand does."""

import anywidget
import traitlets

from histowidgets.images import Image
from histowidgets.widgets.common import bundle


class PointerLayer(anywidget.AnyWidget):
    """What the page needs to know to answer the hand by itself. Written by the kernel only.

    Attributes
    ----------
    manager_id, layer_id : str
        Model ids of ipycanvas' manager and of the top layer: their work tells when a drawing is on the screen.
    canvas_ids : list of str
        Model ids of the canvases that pictures are drawn on.
    picture_ids : list of str
        Model ids of the widgets that hold the image as it was drawn last, and the time before.
    image_name : str
        A shape that is not finished ends with its image.
    stage, image_size : list of int
        Sizes in CSS pixels and in image pixels.
    pixel_size : float or None
        Micrometres an image pixel.
    view : list of float
        x, y and zoom of the view that the kernel has drawn.
    classes : list of dict
        ``name`` and ``color`` of each class; `class_index` is the one that the brush paints.
    held_out : list of list of int
        Rectangles x, y, width, height that only validation sees.
    selected : list of dict
        ``rings`` and ``color`` of each annotation that is selected.
    copied : int
        How many annotations could be pasted.
    draft : dict
        The polygon that is open, so that a page that is loaded anew has it: ``client`` that draws it, ``image_name``,
        ``points`` (float32 x and y in turn, image pixels) and ``corners`` that were clicked. Empty if none is.
    """

    _esm = bundle("canvas")

    manager_id = traitlets.Unicode().tag(sync=True)
    layer_id = traitlets.Unicode().tag(sync=True)
    canvas_ids = traitlets.List(traitlets.Unicode()).tag(sync=True)
    picture_ids = traitlets.List(traitlets.Unicode()).tag(sync=True)
    stage = traitlets.List(traitlets.Int()).tag(sync=True)
    image_name = traitlets.Unicode("").tag(sync=True)
    image_size = traitlets.List(traitlets.Int()).tag(sync=True)
    pixel_size = traitlets.Float(None, allow_none=True).tag(sync=True)
    view = traitlets.List(traitlets.Float()).tag(sync=True)
    classes = traitlets.List(traitlets.Dict()).tag(sync=True)
    class_index = traitlets.Int(0).tag(sync=True)
    tool = traitlets.Unicode("brush").tag(sync=True)
    brush_width = traitlets.Float(12.0).tag(sync=True)
    wand_tolerance = traitlets.Float(18.0).tag(sync=True)
    pen_pressure = traitlets.Bool(True).tag(sync=True)
    caption = traitlets.Unicode("").tag(sync=True)
    held_out = traitlets.List(traitlets.List(traitlets.Int())).tag(sync=True)
    selected = traitlets.List(traitlets.Dict()).tag(sync=True)
    copied = traitlets.Int(0).tag(sync=True)
    annotation_opacity = traitlets.Float(1.0).tag(sync=True)
    overlay_on = traitlets.Bool(True).tag(sync=True)
    annotations_on = traitlets.Bool(True).tag(sync=True)
    draft = traitlets.Dict().tag(sync=True)

    def show_image(self, name: str, image: Image) -> None:
        """Tell the page of another image of the project; nothing of it is held out yet."""
        self.image_name = name
        self.image_size, self.pixel_size = [image.width, image.height], image.pixel_size_um
        self.held_out = []
        self.forget_draft()

    def forget_draft(self) -> None:
        """No polygon is open any more."""
        self.draft = {}
