"""The annotation canvas: one image of a project, painted on."""

import math
import threading
from collections.abc import Callable
from typing import Any

import ipywidgets
import traitlets

from histowidgets.annotations import Change, Project
from histowidgets.errors import ClassNameError, HistowidgetsError, ImageNameError, WidgetError
from histowidgets.images import Region
from histowidgets.widgets.canvas._display import CanvasDisplay
from histowidgets.widgets.canvas._state import MOST_BRUSH_WIDTH, TOOLS
from histowidgets.widgets.canvas._viewport import View
from histowidgets.widgets.canvas.controls import CanvasFrame
from histowidgets.widgets.canvas.drawing import Drawing, Layers
from histowidgets.widgets.canvas.editing import CanvasWand
from histowidgets.widgets.canvas.pointer import PlainMouse, PointerLayer, PointerMessages
from histowidgets.widgets.common import SerialQueue, close_tree, listen, static_html


class AnnotationCanvas(CanvasWand, CanvasDisplay, ipywidgets.VBox):
    """Shows an image of a project and lets a person paint on it.

    What the hand does is shown by the browser at once; each stroke then becomes an annotation of the project,
    and edits made elsewhere, from Python too, appear here. Methods may be called from any thread.

    Parameters
    ----------
    project
        With at least one image.
    image_name
        The image to show first; the project's first by default.
    width, height
        Size of the picture's area on the page, in CSS pixels.
    palette, status
        Whether the row of classes and the status line are shown; the studio has its own classes.

    Attributes
    ----------
    tool : str
        "pan", "select", "brush", "eraser", "line", "rectangle", "polygon" or "wand".
    selection : tuple of str
        Ids of the annotations that are selected, of the image that is shown.
    class_name : str
        The class that the brush paints and the shapes get.
    brush_width : float
        In image pixels, 1 to 200.
    pen_pressure : bool
        Whether a pen that is pressed less paints and erases narrower, down to 0.3 of the brush.
    wand_tolerance : float
        How far a colour may be from that under the wand, 1 to 100.
    prediction_opacity, uncertainty_opacity, annotation_opacity : float
        0 to 1; the uncertainty is one minus the probability of the likeliest class.
    overlay_on, annotations_on : bool
        Whether prediction and uncertainty, and the annotations, are shown at all.
    patterns, prediction_patterns : bool
        Whether each class has its own hatching beside its colour, on annotations and palette, and on predictions.
    image_name : str
        The image that is shown; `show_image` changes it.

    Raises
    ------
    ImageNameError
        If the project has no image, or none of that name.

    Examples
    --------
    >>> import histowidgets as hw
    >>> project = hw.Project(["Tumour", "Stroma"])
    >>> project.add_image(hw.samples.colon_ihc())
    'colon_ihc'
    >>> canvas = hw.AnnotationCanvas(project)
    >>> canvas.close()
    """

    tool = traitlets.Enum(TOOLS, "brush")
    class_name = traitlets.Unicode()
    brush_width = traitlets.Float(12.0, min=1.0, max=float(MOST_BRUSH_WIDTH))
    pen_pressure = traitlets.Bool(True)
    image_name = traitlets.Unicode(read_only=True)
    _closed = True  # until it is built: an object that failed to be is closed too when it is collected

    def __init__(
        self,
        project: Project,
        image_name: str | None = None,
        width: int = 760,
        height: int = 600,
        *,
        palette: bool = True,
        status: bool = True,
    ) -> None:
        if not isinstance(project, Project):
            raise WidgetError(
                f"The canvas shows a Project, not a {type(project).__name__}: "
                "project = hw.Project(classes=[…]); project.add_image(…)."
            )
        if not project.image_names:
            raise ImageNameError("the project has no image yet: project.add_image(…) first")
        self.project = project
        self._queue = SerialQueue()
        self._view_callbacks: list[Callable[[], None]] = []
        self._display_callbacks = []
        name = project.image_names[0] if image_name is None else image_name
        image = project.image(name)
        self._layers = Layers(width, height)
        self._view = View.fit(image.width, image.height, width, height)
        self._state = threading.RLock()  # of what is to be shown; `_drawing` has what is drawn
        self._drawing = Drawing(project, self._layers, name, self._view)
        self._pointer = PointerLayer(
            manager_id=self._layers.manager_id,
            layer_id=self._layers.top_id,
            canvas_ids=self._layers.canvas_ids,
            picture_ids=list(self._layers.pictures),
        )
        self._pointer.layout.grid_area = "1 / 1 / 2 / 2"
        self._frame = CanvasFrame(self, self._layers.canvas, self._pointer, palette=palette, status=status)
        self._frame.resize(width, height)
        super().__init__(self._frame.children)
        self.add_class("hw-canvas")
        if palette:
            self.add_class("hw-alone")
        self.set_trait("image_name", name)
        self.class_name = project.classes[0]
        self._closed = False
        self._messages = PointerMessages(self, self._pointer, self._queue)
        self._plain_mouse = PlainMouse(self, self._layers)
        self._layers.canvas.on_client_ready(self.redraw)
        self._pointer.show_image(name, image)
        self._show_project()
        self._set_opacity()
        self._unsubscribe = self.project.subscribe(self._changed)

    # -- looking ------------------------------------------------------------------------------------

    @property
    def view(self) -> View:
        """What is to be in view: x, y (the image point in the middle), zoom, region. It is drawn at once, or soon."""
        return self._view

    @property
    def drawn_view(self) -> View:
        """The view that was drawn last."""
        return self._drawing.view

    def show_image(self, name: str) -> None:
        """Show another image of the project, all of it (ImageNameError if there is none of that name)."""
        image = self.project.image(name)
        view = View.fit(image.width, image.height, self._view.stage_width, self._view.stage_height)
        self.selection = ()
        with self._state:
            self._view = view
            self.set_trait("image_name", name)

        def job() -> None:
            self._drawing.image_name, self._drawing.view = name, view
            self._pointer.show_image(name, image)
            self._show_caption()
            self._show_project()
            self._draw(self._drawing.everything)

        self._queue.submit(job)

    def fit(self) -> None:
        """Show the whole image."""
        self.look(self.view.fitted())

    def zoom(self, factor: float) -> None:
        """Zoom by a factor about the middle of what is in view."""
        self.look(self.view.zoomed(factor))

    def go_to(self, region: Region) -> None:
        """Show a region of the image in the middle, as large as is useful."""
        self.look(self.view.on(region))

    def look(self, view: View, answering: tuple[str, int] | None = None) -> None:
        """Show another view of the image, such as ``canvas.view.look(x, y, zoom)``.

        Parameters
        ----------
        view
            Made from `view`.
        answering
            The page and the number of the request that this answers.
        """
        with self._state:
            name = self.image_name
            self._view = looked = self._view.look(view.x, view.y, view.zoom)

        def job() -> None:
            if answering is not None:
                self._messages.answered_view = answering
            if name == self._drawing.image_name:
                self._drawing.view = looked
            self._draw(self._drawing.everything)

        self._queue.submit(job)

    def resize(self, width: int, height: int) -> None:
        """Give the picture's area another size, in CSS pixels."""
        self._reshape(width, height, self._drawing.scale)

    def redraw(self) -> None:
        """Draw everything again, as when a page has been loaded anew."""
        self._queue.submit(lambda: self._draw(self._drawing.everything))

    def check_pictures(self, lengths: list[int]) -> None:
        """Draw again for a page whose pictures, of these lengths in bytes, are not those drawn last."""

        def job() -> None:
            if lengths != list(self._layers.pictures.values()):
                self._draw(self._drawing.everything)

        self._queue.submit(job)

    def use_scale(self, scale: float) -> None:
        """Draw this many pixels a CSS pixel, as the screen has."""
        if abs(scale - self._drawing.scale) > 1e-6:
            self._reshape(self._view.stage_width, self._view.stage_height, scale)

    def _reshape(self, width: int, height: int, scale: float) -> None:
        with self._state:
            self._view = self._view.on_stage(width, height)

        def job() -> None:
            self._drawing.scale = scale
            self._drawing.view = self._drawing.view.on_stage(width, height)
            self._frame.resize(width, height)
            self._layers.resize(width, height, scale)
            self._show_project()  # the hatching has other pixels
            self._draw(self._drawing.everything)

        self._queue.submit(job)

    def _draw(self, draw: Callable[[], None]) -> None:
        """Draw, within the queue; what goes wrong is said, and the page is told what it sees."""
        if self._closed:
            return
        try:
            draw()
        except (HistowidgetsError, OSError) as error:
            self.say(str(error), "error")
        view = self._drawing.view
        self._frame.bar.show_view(view.zoom, self._drawing.image.pixel_size_um)
        moved = self._pointer.view != [view.x, view.y, view.zoom]
        self._pointer.view = [view.x, view.y, view.zoom]
        self._messages.tell_drawn(view)
        if moved:
            for callback in list(self._view_callbacks):
                callback()

    def on_view(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` each time another view has been drawn; it must return at once. Returns what ends that."""
        return listen(self._view_callbacks, callback)

    # -- classes, tool and brush ---------------------------------------------------------------------

    def _show_project(self) -> None:
        """Bring classes, counts and buttons up to date with the project."""
        classes = self.project.classes
        if self.class_name not in classes:  # it has another name now
            self.class_name = classes[min(self._pointer.class_index, len(classes) - 1)]
        hatch_scale = self._drawing.scale if self._drawing.patterns else None
        self._frame.show_project(self.project, self._drawing.image_name, self.class_name, self.tool, hatch_scale)

    @traitlets.validate("class_name")
    def _known_class(self, proposal: Any) -> str:
        if proposal["value"] not in self.project.classes:
            raise ClassNameError(
                f"The project has no class {proposal['value']!r}; it has {', '.join(self.project.classes)}."
            )
        return str(proposal["value"])

    @traitlets.observe("class_name", "tool")
    def _chosen(self, _: Any) -> None:
        self._queue.submit(self._show_project)

    def show_pen(self) -> None:
        """Offer what only a person with a pen has use for."""
        self._frame.bar.offer_pen(self.tool)

    @traitlets.validate("brush_width", "wand_tolerance")
    def _is_number(self, proposal: Any) -> float:
        if math.isnan(proposal["value"]):  # which is neither below the least nor above the most
            raise traitlets.TraitError(f"{proposal['trait'].name} is {proposal['value']}; a number is wanted.")
        return float(proposal["value"])

    @traitlets.observe("brush_width", "wand_tolerance", "pen_pressure")
    def _brush_changed(self, change: Any) -> None:
        name = change["name"]
        self._queue.submit(lambda: setattr(self._pointer, name, getattr(self, name)))

    # -- what others edit ---------------------------------------------------------------------------

    def _changed(self, change: Change) -> None:
        """Show an edit of the project; comes on the thread that made it."""

        def job() -> None:
            if self._closed or self._leave_removed_image():
                return
            self._frame.status.say("")  # what was wrong before is over
            self._show_project()
            self._show_selection()
            if change.kind == "classes":
                self._draw(self._drawing.everything)
            elif change.kind == "annotations" and change.image_name in (None, self._drawing.image_name):
                self._draw(lambda: self._drawing.annotations_in(change.region))

        self._queue.submit(job)

    # -- saying ----------------------------------------------------------------------------------------

    def say(self, text: str, level: str = "info") -> None:
        """Put a line of text, at level "info" or "error", in the status line and read it to a screen reader."""
        self._frame.status.say(text, level)
        self._pointer.send({"kind": "say", "text": text})

    def hover(self, x: float, y: float) -> str:
        """Say what is at an image point, in the status line; return it."""
        text = self._drawing.describe(x, y)
        self._frame.status.show_place(text)
        return text

    # -- coming and going ------------------------------------------------------------------------------

    def resume(self, earlier: "AnnotationCanvas") -> None:
        """Show what an earlier canvas of the same project showed.

        That is the image, the place and the zoom, its display, opacities, the tool and its settings, what is
        selected, what was copied, and a polygon that is open.
        """
        self.take_display(earlier)
        if earlier.image_name not in self.project.image_names:
            return
        view, draft = earlier.view, earlier._pointer.draft
        self.resize(view.stage_width, view.stage_height)
        self.show_image(earlier.image_name)
        self.look(view)
        self.take_selection(earlier)
        self._queue.submit(lambda: self._pointer.set_trait("draft", draft))

    # -- the page ----------------------------------------------------------------------------------------

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Add the static picture to what a notebook keeps of this widget, for readers without a kernel."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if isinstance(bundle, dict):
            bundle["text/html"] = self.still_html()
        return bundle

    @property
    def caption(self) -> str:
        """What is written over the picture: which prediction is shown, and how good it is."""
        return str(self._pointer.caption)

    def still_html(self) -> str:
        """Return what is in view as an HTML image that needs no kernel."""
        prediction_opacity = self.prediction_opacity if self.overlay_on else 0.0
        annotation_opacity = self.annotation_opacity if self.annotations_on else 0.0
        return static_html(self._drawing.static_picture(prediction_opacity, annotation_opacity), self.image_name)

    def close(self) -> None:
        """Close the canvas and all its parts; the project stays as it is."""
        if self._closed:
            return
        self._closed = True
        self._unsubscribe()
        self._layers.canvas.on_client_ready(self.redraw, remove=True)
        # ipycanvas' manager is the kernel's, and hangs on the canvas: that one is taken out first.
        self._frame.stage.children = []
        close_tree(self._pointer)
        self._close_legend()
        self._layers.close()
        close_tree(self._frame.status)  # may hang on nothing
        close_tree(self)
