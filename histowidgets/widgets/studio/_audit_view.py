"""Show the point of an audit on the canvas, with everything hidden that could tell its class."""

from typing import Any

from histowidgets.annotations import AuditPoint
from histowidgets.images import Region
from histowidgets.widgets.canvas import AnnotationCanvas
from histowidgets.widgets.common import observe
from histowidgets.widgets.studio._state import StudioState

#: Side of the area around the first point, which the person may then zoom; the later points keep the zoom.
SIDE_UM, SIDE_PX = 120.0, 240
#: What the canvas shows during an audit: neither prediction nor annotations, and no tool that paints.
_HIDDEN: dict[str, Any] = {"overlay_on": False, "annotations_on": False, "tool": "pan"}


class AuditView:
    """Puts the canvas into the state for judging, and back.

    Parameters
    ----------
    state
        Has the project and the image that is shown.
    canvas
        The canvas of the studio.
    """

    def __init__(self, state: StudioState, canvas: AnnotationCanvas) -> None:
        self._state, self._canvas = state, canvas
        self._before: dict[str, Any] = {}
        self._stops = [observe(canvas, name, self._keep_hidden) for name in _HIDDEN]

    @property
    def on(self) -> bool:
        """Whether a point is shown."""
        return bool(self._before)

    def show(self, point: AuditPoint | None) -> None:
        """Show a point; None brings back what was shown before the first one."""
        canvas = self._canvas
        if point is None:
            before, self._before = self._before, {}
            canvas.show_cross(None)
            for name, value in before.items():
                setattr(canvas, name, value)
            return
        first, zoom = not self.on, canvas.view.zoom
        if first:
            canvas.mark(None)
            self._before = {name: getattr(canvas, name) for name in _HIDDEN}
            for name, value in _HIDDEN.items():
                setattr(canvas, name, value)
        self._state.image_name = point.image_name
        if first:
            canvas.go_to(self._around(point))
            zoom = canvas.view.zoom
        canvas.look(canvas.view.look(point.x + 0.5, point.y + 0.5, zoom))
        canvas.show_cross((point.x, point.y))

    def _around(self, point: AuditPoint) -> Region:
        image = self._state.project.image(point.image_name)
        side = SIDE_PX if image.pixel_size_um is None else max(8, round(SIDE_UM / image.pixel_size_um))
        return Region(point.x - side // 2, point.y - side // 2, side, side)

    def _keep_hidden(self, change: Any) -> None:
        """Hide again what a key or a button of the canvas shows."""
        if self.on and change["new"] != _HIDDEN[change["name"]]:
            setattr(self._canvas, change["name"], _HIDDEN[change["name"]])

    def close(self) -> None:
        """Stop observing the canvas."""
        for stop in self._stops:
            stop()
