"""What a notebook keeps of a widget when there is no kernel to draw it: a picture of its last state, as HTML."""

import html
import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from histowidgets.widgets.common import outbox

if TYPE_CHECKING:
    from histowidgets.widgets.canvas import AnnotationCanvas
    from histowidgets.widgets.monitor import LossMonitor

#: Seconds after the last change until the picture is made anew, and the longest that changes may put it off.
QUIET_SECONDS, MOST_SECONDS = 3.0, 20.0

log = logging.getLogger("histowidgets")


class Still:
    """A second output under the view of a widget, hidden by the widget's own style sheet as long as that is there.

    A notebook keeps what a cell has put out. The view is a reference to a widget that is gone with its kernel; so the
    picture is an output of its own, renewed when the widget has changed and come to rest. GitHub, nbviewer, a notebook
    opened without its kernel, and a page on which widgets do not work show it.

    Parameters
    ----------
    make_html
        Makes the picture, from whichever thread; its root must have the class ``hw-still``.
    """

    def __init__(self, make_html: Callable[[], str]) -> None:
        self._make_html = make_html
        self._handle: Any = None
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._put_off = 0.0

    def show(self, view: dict[str, Any]) -> None:
        """Put out a view, as its MIME bundle, and the picture under it."""
        from IPython.display import HTML, DisplayHandle, display

        if self._handle is None:
            self._handle = DisplayHandle()
        display(view, raw=True)
        self._handle.display(HTML(self._make_html()))

    def changed(self) -> None:
        """Renew the picture once nothing has changed for a while. On Colab, where no thread may, `close` does it."""
        with self._lock:
            if self._handle is None or outbox() is not None:
                return
            if self._timer is not None:
                if self._put_off >= MOST_SECONDS:
                    return
                self._timer.cancel()
                self._put_off += QUIET_SECONDS
            self._timer = threading.Timer(QUIET_SECONDS, self._renew)
            self._timer.name, self._timer.daemon = "histowidgets-still", True
            self._timer.start()

    def close(self, renew: bool = True) -> None:
        """End the waiting; with `renew`, with a picture of how it is now."""
        with self._lock:
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            if timer is not threading.current_thread():
                timer.join(5)
        if renew and self._handle is not None:
            self._renew()
        self._handle = None

    def _renew(self) -> None:
        with self._lock:
            self._timer, self._put_off = None, 0.0
            handle = self._handle
        if handle is None:
            return
        from IPython.display import HTML

        try:
            handle.update(HTML(self._make_html()))
        except Exception:
            log.exception("The picture that stays in the notebook could not be made")


def studio_html(canvas: "AnnotationCanvas", monitor: "LossMonitor") -> str:
    """Return what stays of a studio: the picture in view, how much is annotated, and the numbers of its run."""
    counts = ", ".join(f"{name} {count}" for name, count in canvas.project.count().items())
    lines = [f"Annotations: {counts}.", canvas.caption, "Run the cell to go on."]
    words = "".join(f"<p>{html.escape(line)}</p>" for line in lines if line)
    return f'<div class="hw-still">{canvas.still_html()}{words}{monitor.still_html()}</div>'
