"""The widgets around the image (toolbar, sliders, classes, status line), and the stage that holds the image."""

from collections.abc import Callable
from functools import partial

import ipywidgets
import traitlets

from histowidgets.errors import HistowidgetsError
from histowidgets.widgets.canvas.controls._palette import ClassPalette
from histowidgets.widgets.canvas.controls._status import StatusLine
from histowidgets.widgets.canvas.controls._toolbar import CanvasBar, ToolColumn
from histowidgets.widgets.canvas.drawing import CanvasViewer, legend_html
from histowidgets.widgets.canvas.editing import CanvasEditor
from histowidgets.widgets.canvas.pointer import PointerLayer
from histowidgets.widgets.canvas.state import TOOLS, CanvasState, View
from histowidgets.widgets.common import SerialQueue, close_tree, link_slider, style_widget

ZOOM_STEP = 1.25


class CanvasFrame:
    """The widgets of an annotation canvas other than the image; `children` are those of the canvas box.

    Parameters
    ----------
    state, editor, viewer
        The state, editor and viewer that the controls act on.
    picture, pointer
        The canvas that the kernel draws on, and the pointer layer over it.
    queue
        The queue of the canvas.
    palette, status
        Whether to show the row of classes and the status line.
    """

    def __init__(
        self,
        state: CanvasState,
        editor: CanvasEditor,
        viewer: CanvasViewer,
        picture: ipywidgets.DOMWidget,
        pointer: PointerLayer,
        queue: SerialQueue,
        *,
        palette: bool,
        status: bool,
    ) -> None:
        self._state, self._editor, self._viewer, self._pointer = state, editor, viewer, pointer
        self.tools = ToolColumn(_actions(state, editor, viewer, pointer))
        self.bar, self.status = CanvasBar(), StatusLine()
        self.palette = ClassPalette(self._choose_class) if palette else None
        self._legend: ipywidgets.HTML | None = None
        #: The image whose notes were shown last.
        self._noted = ""
        # Both lie in the same grid cell (canvas.css).
        self.stage = ipywidgets.Box([picture, pointer])
        self.stage.add_class("hw-stage")
        self.eye_panel = ipywidgets.VBox(layout={"display": "none"})
        self.eye_panel.add_class("hw-eye-panel")
        column = ipywidgets.VBox([self.bar, self.eye_panel, self.stage])
        column.add_class("hw-canvas-column")
        row = ipywidgets.HBox([self.tools, column])
        row.add_class("hw-canvas-row")
        below = [part for part in (self.palette, self.status if status else None) if part is not None]
        self.children = [style_widget("canvas/style", "common/still"), row, *below]
        for slider, name in (
            (self.bar.brush, "brush_width"),
            (self.bar.tolerance, "wand_tolerance"),
            (self._opacity("Prediction", "Opacity of the prediction; O shows or hides it"), "prediction_opacity"),
            (self._opacity("Annotations", "Opacity of the annotations; A shows or hides them"), "annotation_opacity"),
        ):
            link_slider(slider, state, name)
        self.bar.eye.observe(self._eye_pressed, names="value")
        traitlets.link((state, "pen_pressure"), (self.bar.pen, "value"))
        state.observe(lambda _: queue.submit(self.refresh), names=["class_name", "tool", "patterns"])
        state.observe(lambda change: self.status.show_place(change["new"]), names="hovered")
        state.observe(lambda _: self.bar.offer_pen(state.tool), names="has_pen")
        state.observe(lambda change: self._show_legend(change["new"]), names="shows_uncertainty")
        viewer.on_drawn(self._show_view)
        self.resize()

    def _opacity(self, name: str, tooltip: str) -> ipywidgets.FloatSlider:
        slider = ipywidgets.FloatSlider(
            1.0, min=0.0, max=1.0, step=0.01, description=name, tooltip=tooltip, readout_format=".0%"
        )
        self.eye_panel.children = [*self.eye_panel.children, slider]
        return slider

    def on_eye(self, callback: Callable[[], object]) -> None:
        """Call `callback` whenever the eye menu is opened."""
        self.bar.eye.observe(lambda change: callback() if change["new"] else None, names="value")

    def _eye_pressed(self, change: dict[str, bool]) -> None:
        self.eye_panel.layout.display = None if change["new"] else "none"

    def resize(self) -> None:
        """Give the stage the size of the view that is drawn."""
        view = self._viewer.drawn_view
        width, height = view.stage_width, view.stage_height
        self.stage.layout.width, self.stage.layout.height = f"{width}px", f"{height}px"
        self._pointer.stage = [width, height]

    def refresh(self) -> None:
        """Update classes, counts and buttons from project and state; called inside the queue."""
        state, project = self._state, self._state.project
        state.follow_classes()
        colors, hatched = project.colors, state.patterns
        self._pointer.show_classes(colors, state.class_name, self._viewer.scale if hatched else None)
        if self.palette is not None:
            self.palette.show(colors, state.class_name, hatched=hatched)
        self.bar.show_tool(state.tool)
        writable = not project.read_only
        self.tools.show(state.tool, project.can_undo and writable, project.can_redo and writable)
        self.status.show_saved(project, self._viewer.drawn_image_name)

    def _show_view(self, view: View) -> None:
        image = self._state.project.image(self._viewer.drawn_image_name)
        self.bar.show_view(view.zoom, image.pixel_size_yx_um)
        if self._viewer.drawn_image_name != self._noted:
            self._noted = self._viewer.drawn_image_name
            self.status.show_saved(self._state.project, self._viewer.drawn_image_name)
            if image.notes:
                self.say(" ".join(image.notes))

    def _show_legend(self, on: bool) -> None:
        """Show or hide the legend of the uncertainty."""
        if self._legend is None:
            self._legend = ipywidgets.HTML(legend_html())
            self._legend.add_class("hw-legend-box")
            self.stage.children = [*self.stage.children, self._legend]
        self._legend.layout.display = None if on else "none"

    def _choose_class(self, class_name: str) -> None:
        try:
            self._editor.choose_class(class_name)
        except (HistowidgetsError, OSError) as error:
            self.say(str(error), "error")

    def say(self, text: str, level: str = "info") -> None:
        """Show a message at level "info" or "error" in the status line, where screen readers announce it."""
        self.status.say(text, level)
        self._pointer.send({"kind": "say", "text": text})

    def close(self) -> None:
        """Close the widgets that closing the canvas box does not reach; the picture is only taken out."""
        self.stage.children = []
        close_tree(self._pointer)
        if self._legend is not None:
            close_tree(self._legend)
        close_tree(self.status)  # a hidden status line is in no box


def _actions(
    state: CanvasState, editor: CanvasEditor, viewer: CanvasViewer, pointer: PointerLayer
) -> dict[str, Callable[[], object]]:
    return {
        **{tool: partial(setattr, state, "tool", tool) for tool in TOOLS},
        "undo": editor.undo,
        "redo": editor.redo,
        "zoom-in": partial(viewer.zoom, ZOOM_STEP),
        "zoom-out": partial(viewer.zoom, 1 / ZOOM_STEP),
        "fit": viewer.fit,
        "help": partial(pointer.send, {"kind": "help"}),
    }
