"""What stands around the picture: tools, sliders, classes and the status line, and the stage that holds it."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import ipywidgets
import traitlets

from histowidgets.annotations import Project
from histowidgets.errors import HistowidgetsError
from histowidgets.widgets.canvas._state import TOOLS
from histowidgets.widgets.canvas.controls._palette import ClassPalette
from histowidgets.widgets.canvas.controls._status import StatusLine
from histowidgets.widgets.canvas.controls._toolbar import CanvasBar, ToolColumn
from histowidgets.widgets.canvas.drawing import hatch_of
from histowidgets.widgets.canvas.pointer import PointerLayer
from histowidgets.widgets.common import link_slider, style_widget

if TYPE_CHECKING:
    from histowidgets.widgets.canvas._canvas import AnnotationCanvas

ZOOM_STEP = 1.25


class CanvasFrame:
    """The widgets of an annotation canvas other than the picture; `children` is what the canvas box holds.

    Parameters
    ----------
    canvas
        What the buttons, sliders and chips act on.
    picture, pointer
        What the kernel draws, and the pointer layer over it.
    palette, status
        Whether classes and status line are shown.
    """

    def __init__(
        self,
        canvas: "AnnotationCanvas",
        picture: ipywidgets.DOMWidget,
        pointer: PointerLayer,
        *,
        palette: bool,
        status: bool,
    ) -> None:
        self._pointer = pointer
        self.tools, self.bar, self.status = ToolColumn(_actions(canvas, pointer)), CanvasBar(), StatusLine()
        self.palette = ClassPalette(partial(_said, canvas, canvas.choose_class)) if palette else None
        # Both lie in the one cell of a grid (canvas.css).
        self.stage = ipywidgets.Box([picture, pointer])
        self.stage.add_class("hw-stage")
        row = ipywidgets.HBox([self.tools, ipywidgets.VBox([self.bar, self.stage])])
        row.add_class("hw-canvas-row")
        below = [part for part in (self.palette, self.status if status else None) if part is not None]
        self.children = [style_widget("canvas/style"), row, *below]
        for slider, name in (
            (self.bar.brush, "brush_width"),
            (self.bar.tolerance, "wand_tolerance"),
            (self.bar.prediction, "prediction_opacity"),
            (self.bar.annotations, "annotation_opacity"),
        ):
            link_slider(slider, canvas, name)
        traitlets.link((canvas, "pen_pressure"), (self.bar.pen, "value"))

    def resize(self, width: int, height: int) -> None:
        """Give the stage a size in CSS pixels."""
        self.stage.layout.width, self.stage.layout.height = f"{width}px", f"{height}px"
        self._pointer.stage = [width, height]

    def show_project(
        self, project: Project, image_name: str, class_name: str, tool: str, hatch_scale: float | None
    ) -> None:
        """Bring classes, counts and buttons up to date; classes are hatched for so many drawn pixels a CSS pixel."""
        colors = project.colors
        hatches = [hatch_of(i, c, hatch_scale) if hatch_scale else None for i, c in enumerate(colors.values())]
        self._pointer.classes = [
            {"name": name, "color": color, "hatch": hatch}
            for (name, color), hatch in zip(colors.items(), hatches, strict=True)
        ]
        self._pointer.class_index = list(colors).index(class_name)
        self._pointer.tool = tool
        if self.palette is not None:
            self.palette.show(colors, class_name, hatched=hatch_scale is not None)
        self.bar.show_tool(tool)
        writable = not project.read_only
        self.tools.show(tool, project.can_undo and writable, project.can_redo and writable)
        self.status.show_saved(project, image_name)


def _said(canvas: "AnnotationCanvas", act: Callable[..., object], *arguments: object) -> None:
    """Do what a button asks for, and say so if that cannot be."""
    try:
        act(*arguments)
    except (HistowidgetsError, OSError) as error:
        canvas.say(str(error), "error")


def _actions(canvas: "AnnotationCanvas", pointer: PointerLayer) -> dict[str, Callable[[], object]]:
    return {
        **{tool: partial(setattr, canvas, "tool", tool) for tool in TOOLS},
        "undo": canvas.undo,
        "redo": canvas.redo,
        "zoom-in": partial(canvas.zoom, ZOOM_STEP),
        "zoom-out": partial(canvas.zoom, 1 / ZOOM_STEP),
        "fit": canvas.fit,
        "help": partial(pointer.send, {"kind": "help"}),
    }
