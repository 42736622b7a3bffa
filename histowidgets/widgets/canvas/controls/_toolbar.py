"""The column of tools beside the picture, and the bar of sliders above it."""

from collections.abc import Callable, Mapping

import ipywidgets

from histowidgets.widgets.canvas.state import MAX_BRUSH_WIDTH, MAX_TOLERANCE, TOOLS

# Name, icon and tooltip; None is a gap. An icon has the name of Font Awesome 4, which nbclassic has and later versions
# know as well; only the polygon, which version 4 lacks, is drawn by the style sheet.
_BUTTONS: tuple[tuple[str, str, str] | None, ...] = (
    ("pan", "hand-paper-o", "Hand: move the image (H, or hold Space)"),
    ("select", "mouse-pointer", "Select: click or drag a box, then move, copy, delete or change the class (V)"),
    ("brush", "paint-brush", "Brush: paint the chosen class (B)"),
    ("eraser", "eraser", "Eraser (E, or the right button)"),
    ("line", "minus", "Line, as wide as the brush (L; Shift: 45° steps)"),
    ("rectangle", "square-o", "Rectangle (R)"),
    ("polygon", "draw-polygon", "Polygon (P; double-click or Enter closes it)"),
    ("wand", "magic", "Wand: fill a region of similar colour; drag to change the tolerance (W)"),
    None,
    ("undo", "undo", "Undo (Z)"),
    ("redo", "rotate-right", "Redo (Shift+Z)"),
    None,
    ("zoom-in", "search-plus", "Zoom in (+, or the wheel)"),
    ("zoom-out", "search-minus", "Zoom out (−, or the wheel)"),
    ("fit", "expand", "Fit the image (F)"),
    None,
    ("help", "question", "Keyboard shortcuts (?)"),
)


class ToolColumn(ipywidgets.VBox):
    """A column of icon buttons, each with its key in the tooltip.

    Parameters
    ----------
    actions
        The function of each button, by name.
    """

    def __init__(self, actions: Mapping[str, Callable[[], object]]) -> None:
        self.buttons: dict[str, ipywidgets.Button] = {}
        children: list[ipywidgets.Widget] = []
        for entry in _BUTTONS:
            if entry is None:
                gap = ipywidgets.HTML()
                gap.add_class("hw-gap")
                children.append(gap)
                continue
            name, icon, tooltip = entry
            button = ipywidgets.Button(icon=icon, tooltip=tooltip)
            button.add_class("hw-tool")
            button.add_class(f"hw-tool-{name}")
            button.on_click(lambda _, action=actions[name]: action())
            self.buttons[name] = button
            children.append(button)
        super().__init__(children)
        self.add_class("hw-tools")

    def show(self, tool: str, can_undo: bool, can_redo: bool) -> None:
        """Mark the tool in use, and enable undo and redo."""
        for name in TOOLS:
            (self.buttons[name].add_class if name == tool else self.buttons[name].remove_class)("hw-on")
        self.buttons["undo"].disabled = not can_undo
        self.buttons["redo"].disabled = not can_redo


class CanvasBar(ipywidgets.HBox):
    """The slider of the tool in use, the zoom as text, and the eye button that opens the display menu.

    `CanvasFrame` links the sliders to the state.
    """

    def __init__(self) -> None:
        # Integers, since the page would return 18.0 as 17.999999999999996, as if the user had chosen that.
        self.brush = ipywidgets.IntSlider(
            12,
            min=1,
            max=MAX_BRUSH_WIDTH,
            description="Brush",
            tooltip="Width of the brush in image pixels ([ and ])",
        )
        self.brush.add_class("hw-brush")
        self.pen = ipywidgets.ToggleButton(
            True,
            icon="pencil",
            description="Pressure",
            tooltip="Pen pressure: a lighter touch paints a narrower stroke",
            layout=ipywidgets.Layout(width="auto", display="none"),
        )
        self.pen.add_class("hw-pen")
        self._has_pen = False
        self.tolerance = ipywidgets.IntSlider(
            18,
            min=1,
            max=MAX_TOLERANCE,
            description="Tolerance",
            tooltip="Largest difference from the colour under the wand, 1 to 100 ([ and ])",
        )
        self.tolerance.add_class("hw-tolerance")
        self.zoom = ipywidgets.HTML()
        self.zoom.add_class("hw-zoom")
        self.eye = ipywidgets.ToggleButton(icon="eye", tooltip="Display: opacity, hatching, channels")
        self.eye.add_class("hw-eye")
        super().__init__([self.brush, self.pen, self.tolerance, self.zoom, self.eye])
        self.add_class("hw-bar")

    def show_tool(self, tool: str) -> None:
        """Show the slider of the tool: the tolerance for the wand, otherwise the brush width."""
        self.tolerance.layout.display = None if tool == "wand" else "none"
        self.brush.layout.display = "none" if tool == "wand" else None
        self.pen.layout.display = None if self._has_pen and tool in ("brush", "eraser") else "none"

    def offer_pen(self, tool: str) -> None:
        """Show the pressure switch from now on, which only pens need."""
        self._has_pen = True
        self.show_tool(tool)

    def show_view(self, zoom: float, pixel_size_yx_um: tuple[float, float] | None) -> None:
        """Show the zoom and, if known, the pixel size; width x height if pixels are not square."""
        text = f"{zoom:.0%}"
        if pixel_size_yx_um:
            height, width = (f"{side:.3g}" for side in pixel_size_yx_um)
            text += f" · {width} µm/px" if height == width else f" · {width} x {height} µm/px"
        if self.zoom.value != text:
            self.zoom.value = text
