"""The annotation canvas, which shows an image of a project to paint on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets
import traitlets

from histowidgets.annotations import Annotation, Change, Project, Shape
from histowidgets.errors import WidgetError
from histowidgets.images import ChannelDisplay, Image, Region
from histowidgets.widgets.canvas.controls import CanvasFrame
from histowidgets.widgets.canvas.drawing import CanvasViewer, Layers, OutlinedObject, Renderer
from histowidgets.widgets.canvas.editing import CanvasEditor, WandRegion
from histowidgets.widgets.canvas.pointer import MouseFallback, PointerDispatcher, PointerLayer
from histowidgets.widgets.canvas.state import CanvasState, View
from histowidgets.widgets.common import SerialQueue, StaticOutput, close_tree, static_html

if TYPE_CHECKING:  # prediction imports torch
    from histowidgets.prediction import PredictedObject, PredictionResults


class _StateTrait(traitlets.TraitType[Any, Any]):
    """A trait that reads, writes and validates the trait of the same name in the canvas' state."""

    default_value = None

    def get(self, obj: Any, cls: Any = None) -> Any:
        return getattr(obj._state, str(self.name))

    def set(self, obj: Any, value: Any) -> None:
        obj._state.set_trait(str(self.name), value)  # the canvas then forwards the change of its state to its observers


class AnnotationCanvas(ipywidgets.VBox):
    """Shows an image of a project and lets the user annotate it.

    The browser draws strokes immediately, and each becomes an annotation of the project. Edits made elsewhere, for
    instance in Python, appear here. Methods may be called from any thread.

    The public interface is the attributes and methods below, in addition to those of every ipywidgets box.

    Parameters
    ----------
    project
        The project, with at least one image.
    image_name
        The image to show first; by default the project's first image.
    width, height
        Size of the image area on the page, in CSS pixels.
    palette, status
        Whether to show the row of classes and the status line.

    Attributes
    ----------
    tool : str
        "pan", "select", "brush", "eraser", "line", "rectangle", "polygon" or "wand". Like the traits below, it
        can be set and observed.
    class_name : str
        The class that the brush paints and new shapes get.
    selection : tuple of str
        Ids of the selected annotations, all on the image shown.
    brush_width : float
        In image pixels, 1 to 200.
    pen_pressure : bool
        Whether less pressure of a pen makes the brush and the eraser narrower, down to 0.3 of their width.
    wand_tolerance : float
        Largest colour difference (CIE 1976) from the colour under the wand, 1 to 100.
    prediction_opacity, uncertainty_opacity, annotation_opacity : float
        0 to 1. The uncertainty is one minus the probability of the likeliest class.
    overlay_on, annotations_on : bool
        Whether the prediction (with its uncertainty) and the annotations are shown at all.
    others_hidden : bool
        Whether annotations by people other than ``project.annotator`` are neither shown nor edited. The eraser then
        only erases what this annotator drew.
    patterns, prediction_patterns : bool
        Whether classes are hatched in addition to their colour: on annotations and palette, and on predictions.
    disagreement : bool
        Whether to colour annotations by how far the prediction contradicts them, instead of by class.
    image_name : str
        Name of the image shown. It can be observed; `show_image` changes it.
    project : Project
        The project that is annotated.
    view : View
        The part of the image in view: `x`, `y` (the image point in the middle), `zoom` and `region`. `look` and
        others change it.
    caption : str
        The text over the image: which prediction is shown, and how good it is.
    display : tuple of ChannelDisplay
        How each channel of the image is shown; `set_display` changes it.

    Raises
    ------
    WidgetError
        If `project` is not a project.
    ImageNameError
        If the project has no image, or none with that name.

    Examples
    --------
    >>> import histowidgets as hw
    >>> project = hw.Project(["Tumour", "Stroma"])
    >>> project.add_image(hw.samples.colon_ihc())
    'colon_ihc'
    >>> canvas = hw.AnnotationCanvas(project)
    >>> canvas.close()
    """

    tool = _StateTrait()
    class_name = _StateTrait()
    selection = _StateTrait()
    brush_width = _StateTrait()
    pen_pressure = _StateTrait()
    wand_tolerance = _StateTrait()
    prediction_opacity = _StateTrait()
    uncertainty_opacity = _StateTrait()
    annotation_opacity = _StateTrait()
    overlay_on = _StateTrait()
    annotations_on = _StateTrait()
    others_hidden = _StateTrait()
    patterns = _StateTrait()
    prediction_patterns = _StateTrait()
    disagreement = _StateTrait()
    image_name = _StateTrait(read_only=True)
    _closed = True  # until it is built: an object whose construction failed is also closed when it is collected

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
        self.project = project
        self._state = state = CanvasState(project, image_name, width, height)
        self._queue = queue = SerialQueue()
        self._layers = layers = Layers(width, height)
        self._renderer = renderer = Renderer(state, layers)
        self._pointer = pointer = PointerLayer(
            manager_id=layers.manager_id,
            layer_id=layers.top_id,
            canvas_ids=layers.canvas_ids,
            picture_ids=list(layers.pictures),
        )
        pointer.layout.grid_area = "1 / 1 / 2 / 2"
        pointer.follow(state, queue)
        self._viewer = viewer = CanvasViewer(state, renderer, layers, queue, self.say)
        self._editor = editor = CanvasEditor(state, renderer, queue, self.say)
        self._dispatcher = PointerDispatcher(pointer, state, editor, viewer, queue, self.say)
        self._mouse_fallback = MouseFallback(layers, state, editor, viewer, self.say)
        self._frame = CanvasFrame(state, editor, viewer, layers.canvas, pointer, queue, palette=palette, status=status)
        super().__init__(self._frame.children)
        self.add_class("hw-canvas")
        if palette:
            self.add_class("hw-alone")
        self._static_output = StaticOutput("AnnotationCanvas", self.still_html, "picture")
        self._closed = False
        viewer.on_drawn(lambda _: self._static_output.changed())
        viewer.on_image(self._show_drawn_image)
        viewer.on_stage(self._show_stage)
        state.observe(self._forward)
        self._show_drawn_image(state.image_name, project.image(state.image_name))
        queue.submit(viewer.show_opacities)
        self._unsubscribe = project.subscribe(self._project_changed)

    # -- keeping the parts in step ------------------------------------------------------------------

    def _forward(self, change: Any) -> None:
        """Notify the observers of the canvas of a change of its state."""
        if self.has_trait(change["name"]):
            self.notify_change(traitlets.Bunch({**change, "owner": self}))

    def _show_drawn_image(self, name: str, image: Image) -> None:
        self._pointer.show_image(name, image)
        self._frame.refresh()

    def _show_stage(self) -> None:
        self._frame.resize()
        self._frame.refresh()  # the hatching depends on the scale

    def _project_changed(self, change: Change) -> None:
        """Show an edit of the project; called on the thread that made it."""

        def job() -> None:
            if self._closed or self._viewer.leave_removed_image():
                return
            self._frame.status.say("")  # the last message no longer applies
            self._frame.refresh()
            self._editor.refresh_selection()
            self._viewer.show_change(change)

        self._queue.submit(job)

    # -- image and view -----------------------------------------------------------------------------

    @property
    def view(self) -> View:
        """The part of the image in view: `x`, `y` (the image point in the middle), `zoom` and `region`; drawn soon."""
        return self._state.view  # type: ignore[no-any-return]

    def show_image(self, name: str) -> None:
        """Show all of another image of the project (ImageNameError if unknown)."""
        self._viewer.show_image(name)

    def fit(self) -> None:
        """Show the whole image."""
        self._viewer.fit()

    def zoom(self, factor: float) -> None:
        """Zoom by a factor around the middle of the view."""
        self._viewer.zoom(factor)

    def go_to(self, region: Region) -> None:
        """Centre a region of the image, zoomed so that its surroundings stay visible."""
        self._viewer.look(self.view.on(region))

    def look(self, view: View) -> None:
        """Show another view, derived from the current one: ``canvas.look(canvas.view.look(x, y, zoom))``."""
        self._viewer.look(view)

    def resize(self, width: int, height: int) -> None:
        """Change the size of the image area, in CSS pixels."""
        self._viewer.resize(width, height)

    def redraw(self) -> None:
        """Draw everything again."""
        self._viewer.redraw()

    def on_view(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback`, which must return at once, after each change of view; return a function to unsubscribe."""
        return self._viewer.on_view(callback)

    # -- overlays and display -------------------------------------------------------------------------

    @property
    def caption(self) -> str:
        """The text over the image: which prediction is shown, and how good it is."""
        return str(self._state.caption)

    def show_prediction(self, prediction: PredictionResults | None, caption: str = "") -> None:
        """Show a prediction over its image; None removes the prediction of the image shown.

        Parameters
        ----------
        prediction
            Kept for its image, and shown whenever the image is.
        caption
            Text at the top left, such as ``"Prediction: quick learner · mIoU 0.81 on held-out strokes"``.
        """
        self._viewer.show_prediction(prediction, caption)

    def show_outlines(self, objects: Sequence[PredictedObject] | None, image_name: str | None = None) -> None:
        """Outline predicted objects in the colours of their classes, while the prediction is shown; None removes them.

        Parameters
        ----------
        objects
            Such as ``prediction.objects(split="distance")``.
        image_name
            The image that they belong to, by default the image shown. Only one image has outlines at a time.
        """
        name = self._state.image_name if image_name is None else image_name
        outlined = None if objects is None else [OutlinedObject(one.polygon, one.class_name) for one in objects]
        self._viewer.show_outlines(name, outlined)

    def show_held_out(self, regions: Sequence[Region]) -> None:
        """Outline the rectangles of the image shown that are held out for validation."""
        self._pointer.held_out = [[int(edge) for edge in region] for region in regions]

    def mark(self, region: Region | None) -> None:
        """Mark a place of the image shown for the user to look at; None removes the mark."""
        marked = [] if region is None else [int(edge) for edge in region]
        self._queue.submit(lambda: setattr(self._pointer, "marked", marked))

    def show_cross(self, pixel: tuple[int, int] | None) -> None:
        """Mark the pixel (x, y) of the image shown by a cross; None removes it."""
        point = [] if pixel is None else [int(pixel[0]), int(pixel[1])]
        self._queue.submit(lambda: setattr(self._pointer, "cross", point))

    @property
    def display(self) -> tuple[ChannelDisplay, ...]:
        """How each channel of the image is shown; `set_display` changes it."""
        return self._viewer.display

    def set_display(self, displays: Sequence[ChannelDisplay] | None, image_name: str | None = None) -> None:
        """Set how the channels of an image are shown. Training never sees it.

        Parameters
        ----------
        displays
            One per channel, in the image's own units; None restores the default, which depends on the pixels.
        image_name
            By default the image shown. Each image has its own display.

        Raises
        ------
        ImageNameError
            If there is no image of that name.
        ImageError
            If there is not one display per channel, a colour is not ``#RRGGBB``, or a number is not finite.
        """
        self._viewer.set_display(displays, image_name)

    def copy_display(self) -> list[str]:
        """Apply the current display to all images with as many channels; return their names."""
        return self._viewer.copy_display()

    def on_display(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Call `callback` with the name of each image whose display changes; return a function to unsubscribe."""
        return self._viewer.on_display(callback)

    # -- editing --------------------------------------------------------------------------------------

    def draw(self, shape: Shape, class_name: str | None, image_name: str | None = None) -> str:
        """Add a shape to an image, as the tools do.

        Parameters
        ----------
        shape
            A stroke, line, polygon or rectangle, in image pixels.
        class_name
            A class of the project; None erases.
        image_name
            By default the image shown.

        Returns
        -------
        str
            The id of the annotation; "" for what is erased while others' annotations are hidden.

        Raises
        ------
        ShapeError, ClassNameError, ImageNameError, ReadOnlyError
            As for `Project.annotate`.
        """
        return self._editor.draw(shape, class_name, image_name)

    def undo(self) -> bool:
        """Undo the project's last edit; return whether there was one."""
        return self._editor.undo()

    def fill_ring(self) -> list[str]:
        """Fill what the last annotation encloses, with its class; return the ids of the new annotations.

        Several strokes of the class can form the ring together; labels inside it stay. One step of undo. If nothing is
        enclosed, the status line says so.
        """
        return self._editor.fill_ring()

    def redo(self) -> bool:
        """Redo the edit undone last; return whether there was one."""
        return self._editor.redo()

    def find_similar(self, x: float, y: float, tolerance: float | None = None, view: View | None = None) -> WandRegion:
        """Find the region of similar displayed colours around an image point.

        Parameters
        ----------
        x, y
            Image point in full-size pixels, in view.
        tolerance
            Colour difference (CIE 1976), 1 to 100; by default `wand_tolerance`.
        view
            Pixels outside this view are ignored; by default the current view.

        Raises
        ------
        ShapeError
            If the point is not on the image.
        """
        return self._editor.find_similar(x, y, tolerance, view)

    def fill_similar(
        self,
        x: float,
        y: float,
        class_name: str | None = None,
        tolerance: float | None = None,
        view: View | None = None,
    ) -> str:
        """Annotate the region that `find_similar` finds, by default with the chosen class; return the annotation's id.

        One step of undo. The region is cut at the edge of the view, in which case the status line says so.

        Raises
        ------
        ShapeError, ClassNameError, ReadOnlyError
            As for `find_similar` and `draw`.
        """
        return self._editor.fill_similar(x, y, class_name, tolerance, view)

    def pick(self, x: float, y: float, tolerance: float = 0, *, add: bool = False) -> bool:
        """Select the topmost annotation at an image point, or clear the selection if there is none.

        Parameters
        ----------
        x, y
            Full-size pixels.
        tolerance
            Largest distance of the annotation from the point, in full-size pixels.
        add
            Keep the rest of the selection; an annotation that is already selected is removed from it.

        Returns
        -------
        bool
            Whether the annotation at the point is now selected.
        """
        return self._editor.pick(x, y, tolerance, add=add)

    def select_in(self, region: Region, *, add: bool = False) -> None:
        """Select the annotations that lie entirely in a region, or add them to the selection."""
        self._editor.select_in(region, add=add)

    def select_all(self) -> None:
        """Select all annotations of the image, except erasers."""
        self._editor.select_all()

    def selected_annotations(self) -> tuple[Annotation, ...]:
        """Return the selected annotations, in the order of drawing."""
        return self._editor.selected_annotations()

    def move_selection(self, dx: float, dy: float) -> None:
        """Move the selection to the right and down, in full-size pixels. One step of undo."""
        self._editor.move_selection(dx, dy)

    def delete_selection(self) -> None:
        """Delete the selection. One step of undo."""
        self._editor.delete_selection()

    def choose_class(self, class_name: str) -> None:
        """Choose the class to paint with, and assign it to the selection. One step of undo."""
        self._editor.choose_class(class_name)

    def copy(self) -> None:
        """Copy the selection to the clipboard."""
        self._editor.copy()

    def cut(self) -> None:
        """Copy the selection, and delete it. One step of undo."""
        self._editor.cut()

    def paste(self) -> None:
        """Paste the clipboard on the image shown, and select what was pasted. One step of undo.

        Annotations are pasted where they were copied, or in the middle of the view if that place is not in view. If
        the original is still there, the copy is offset a little to the right and down.
        """
        self._editor.paste()

    def duplicate(self) -> None:
        """Copy the selection a little to the right and down, and select the copies. One step of undo."""
        self._editor.duplicate()

    def put_in_eye_menu(self, panel: ipywidgets.Widget, on_open: Callable[[], object] = lambda: None) -> None:
        """Show a panel in the eye menu above the image, in place of the opacity sliders.

        `on_open` is called whenever the menu is opened.
        """
        old, self._frame.eye_panel.children = self._frame.eye_panel.children, [panel]
        for slider in old:
            close_tree(slider)
        self._frame.on_eye(on_open)

    # -- the page -------------------------------------------------------------------------------------

    def say(self, text: str, level: str = "info") -> None:
        """Show a message at level "info" or "error" in the status line, where screen readers announce it."""
        self._frame.say(text, level)

    def still_html(self) -> str:
        """Return the view as an HTML image that needs no kernel."""
        prediction_opacity = self.prediction_opacity if self.overlay_on else 0.0
        annotation_opacity = self.annotation_opacity if self.annotations_on else 0.0
        picture = self._renderer.static_picture(prediction_opacity, annotation_opacity)
        return static_html(picture, f"{self.image_name} with its annotations; run the cell to paint")

    def _ipython_display_(self, **kwargs: Any) -> None:
        self._static_output.show(super()._repr_mimebundle_(**kwargs))

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Add a static picture, for programs that show one output only and cannot show the widget."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if isinstance(bundle, dict):
            bundle["text/html"] = self.still_html()
        return bundle

    def resume(self, earlier: AnnotationCanvas) -> None:
        """Take over the state of an earlier canvas of the same project.

        This includes the image, view and displays, the opacities, the tool and its settings, the selection, the
        clipboard and an open polygon.
        """
        self._viewer.resume(earlier._viewer)
        self._queue.submit(lambda: self._state.restore(earlier._state))

    def close(self) -> None:
        """Close the canvas and all its parts; the project is not changed."""
        if self._closed:
            return
        self._closed = True
        self._static_output.close()
        self._unsubscribe()
        # ipycanvas' manager belongs to the kernel but hangs on the picture, so the frame takes the picture out first.
        self._frame.close()
        self._viewer.close()
        close_tree(self)
