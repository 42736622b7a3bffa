"""The pointer layer: an anywidget over the canvas that responds to the pointer without the kernel."""

from collections.abc import Mapping

import anywidget
import traitlets

from histowidgets.images import Image
from histowidgets.widgets.canvas.drawing import hatch_of
from histowidgets.widgets.canvas.state import CanvasState
from histowidgets.widgets.common import SerialQueue, bundle

# Traits with the same name in the state.
_SETTINGS = [
    "tool",
    "brush_width",
    "wand_tolerance",
    "pen_pressure",
    "annotation_opacity",
    "overlay_on",
    "annotations_on",
]


class PointerLayer(anywidget.AnyWidget):
    """The state that the page needs to respond to the pointer by itself. Written by the kernel only.

    Attributes
    ----------
    manager_id, layer_id : str
        Model ids of ipycanvas' manager and of the top layer, from which the page knows when a drawing is shown.
    canvas_ids : list of str
        Model ids of the canvases that pictures are drawn on.
    picture_ids : list of str
        Model ids of the widgets that hold the two latest pictures of the image.
    image_name : str
        The image shown; an unfinished shape is discarded when it changes.
    is_drawn : bool
        Whether the image has been drawn; until then the page shows that it is being opened, and ignores the pointer.
    stage, image_size : list of int
        Sizes in CSS pixels and in image pixels.
    pixel_size : float or None
        Micrometres per image pixel, from left to right.
    view : list of float
        x, y and zoom of the view that the kernel has drawn.
    classes : list of dict
        ``name``, ``color`` and ``hatch`` of each class; `class_index` is the index of the one that the brush paints.
    held_out : list of list of int
        Rectangles x, y, width, height that are held out for validation.
    marked : list of int
        Rectangle x, y, width, height of the marked place; empty for none.
    cross : list of int
        The pixel x, y under the cross; empty for none.
    selected : list of dict
        ``rings`` and ``color`` of each selected annotation.
    copied : int
        Number of annotations that can be pasted.
    draft : dict
        The open polygon, which survives a reload of the page: the ``client`` that draws it, ``image_name``,
        ``points`` (alternating float32 x and y, image pixels) and the indices of the clicked ones, ``corners``.
        Empty if no polygon is open.
    """

    _esm = bundle("canvas")

    manager_id = traitlets.Unicode().tag(sync=True)
    layer_id = traitlets.Unicode().tag(sync=True)
    canvas_ids = traitlets.List(traitlets.Unicode()).tag(sync=True)
    picture_ids = traitlets.List(traitlets.Unicode()).tag(sync=True)
    stage = traitlets.List(traitlets.Int()).tag(sync=True)
    image_name = traitlets.Unicode("").tag(sync=True)
    is_drawn = traitlets.Bool(False).tag(sync=True)
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
    marked = traitlets.List(traitlets.Int()).tag(sync=True)
    cross = traitlets.List(traitlets.Int()).tag(sync=True)
    selected = traitlets.List(traitlets.Dict()).tag(sync=True)
    copied = traitlets.Int(0).tag(sync=True)
    annotation_opacity = traitlets.Float(1.0).tag(sync=True)
    overlay_on = traitlets.Bool(True).tag(sync=True)
    annotations_on = traitlets.Bool(True).tag(sync=True)
    draft = traitlets.Dict().tag(sync=True)

    def follow(self, state: CanvasState, queue: SerialQueue) -> None:
        """Keep the traits in step with a state; traits that may change on any thread are written inside the queue."""

        def copy(name: str) -> None:
            queue.submit(lambda: setattr(self, name, getattr(state, name)))

        for name in _SETTINGS:
            setattr(self, name, getattr(state, name))
        self.view = [state.view.x, state.view.y, state.view.zoom]  # a page may be opened before the first drawing
        state.observe(lambda change: copy(change["name"]), names=_SETTINGS)
        state.observe(lambda change: setattr(self, "caption", change["new"]), names="caption")
        state.observe(lambda change: setattr(self, "selected", change["new"]), names="outlines")
        state.observe(lambda change: setattr(self, "draft", change["new"]), names="draft")
        state.observe(lambda change: setattr(self, "copied", len(change["new"])), names="clipboard")

    def send_again(self) -> None:
        """Send all traits, except for the script, to every page; a page that has them changes nothing."""
        self.send_state([name for name in self.keys if not name.startswith("_")])

    def show_image(self, name: str, image: Image) -> None:
        """Announce another image, not drawn yet and without held-out regions and marks, to the page."""
        self.image_name, self.is_drawn = name, False
        size = image.pixel_size_yx_um
        self.image_size, self.pixel_size = [image.width, image.height], None if size is None else size[1]
        self.held_out, self.marked, self.cross = [], [], []

    def show_classes(self, colors: Mapping[str, str], class_name: str, hatch_scale: float | None) -> None:
        """Send the classes, name to ``"#rrggbb"``, and the chosen class to the page.

        `hatch_scale` is the number of drawn pixels per CSS pixel in their hatching; None for no hatching.
        """
        self.classes = [
            {"name": name, "color": color, "hatch": hatch_of(index, color, hatch_scale) if hatch_scale else None}
            for index, (name, color) in enumerate(colors.items())
        ]
        self.class_index = list(colors).index(class_name)
