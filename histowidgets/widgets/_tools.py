"""The column of tools beside the picture, and the bar of sliders above it."""

from collections.abc import Callable, Mapping

import ipywidgets

MOST_BRUSH_WIDTH = 200

# name, FontAwesome icon, tooltip; None is a gap
_BUTTONS: tuple[tuple[str, str, str] | None, ...] = (
    ("pan", "hand-paper", "Hand: move the picture (H, or hold Space)"),
    ("brush", "paint-brush", "Brush: paint the chosen class (B)"),
    ("eraser", "eraser", "Eraser (E, or the right button)"),
    ("line", "minus", "Line of the brush's width (L; Shift: 45° steps)"),
    ("rectangle", "square-o", "Rectangle (R)"),
    ("polygon", "draw-polygon", "Polygon (P; double click or Enter closes it)"),
    None,
    ("undo", "undo", "Undo (Z)"),
    ("redo", "redo", "Redo (Shift+Z)"),
    None,
    ("zoom-in", "search-plus", "Zoom in (+, or the wheel)"),
    ("zoom-out", "search-minus", "Zoom out (−, or the wheel)"),
    ("fit", "expand", "Fit the picture (F)"),
    None,
    ("help", "question", "Keys (?)"),
)
TOOLS = ("pan", "brush", "eraser", "line", "rectangle", "polygon")


class ToolColumn(ipywidgets.VBox):
    """Icon buttons, one under the other; each with its key in the tooltip.

    Parameters
    ----------
    actions
        What each button does, by name.
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
            button.on_click(lambda _, action=actions[name]: action())
            self.buttons[name] = button
            children.append(button)
        super().__init__(children)
        self.add_class("hw-tools")

    def show(self, tool: str, can_undo: bool, can_redo: bool) -> None:
        """Mark the tool in use, and what undo and redo can do now."""
        for name in TOOLS:
            (self.buttons[name].add_class if name == tool else self.buttons[name].remove_class)("hw-on")
        self.buttons["undo"].disabled = not can_undo
        self.buttons["redo"].disabled = not can_redo


class CanvasBar(ipywidgets.HBox):
    """Sliders for brush width and the two opacities, and the zoom as text.

    The sliders' values are observed and set by the canvas.
    """

    def __init__(self) -> None:
        # Whole numbers: the page would answer 18.0 with 17.999999999999996, which looks like the person's choice.
        self.brush = ipywidgets.IntSlider(
            12,
            min=1,
            max=int(MOST_BRUSH_WIDTH),
            description="Brush",
            tooltip="Width of the brush in image pixels ([ and ])",
        )
        self.brush.add_class("hw-brush")
        self.prediction = _opacity("Prediction", "Opacity of the prediction; O hides and shows it")
        self.annotations = _opacity("Annotations", "Opacity of the annotations")
        self.zoom = ipywidgets.HTML()
        self.zoom.add_class("hw-zoom")
        super().__init__([self.brush, self.prediction, self.annotations, self.zoom])
        self.add_class("hw-bar")

    def show_view(self, zoom: float, pixel_size: float | None) -> None:
        """Say how large the picture is shown."""
        text = f"{zoom:.0%}"
        if pixel_size:
            text += f" · {pixel_size:.3g} µm/px"
        if self.zoom.value != text:
            self.zoom.value = text


def _opacity(name: str, tooltip: str) -> ipywidgets.FloatSlider:
    return ipywidgets.FloatSlider(
        1.0, min=0.0, max=1.0, step=0.01, description=name, tooltip=tooltip, readout_format=".0%"
    )
