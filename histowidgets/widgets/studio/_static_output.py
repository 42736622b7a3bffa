"""The static output of a widget: a picture of its last state, which a notebook shows when there is no kernel."""

import html
import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from histowidgets._threads import BackgroundTimer
from histowidgets.widgets.colab import comm_queue

if TYPE_CHECKING:
    from histowidgets.widgets.canvas import AnnotationCanvas
    from histowidgets.widgets.monitor import LossMonitor

#: Seconds from the last change to the update of the picture, and the longest that further changes may delay it.
QUIET_SECONDS, LONGEST_SECONDS = 3.0, 20.0

log = logging.getLogger("histowidgets")


class StaticOutput:
    """A second output under the view of a widget, which the widget's style sheet hides while it is loaded.

    A notebook stores the outputs of its cells. The view refers to a widget that is lost with its kernel. The picture is
    a separate output, updated a few seconds after the widget has changed. GitHub, nbviewer, notebooks opened without a
    kernel, and pages on which widgets do not work show it.

    Parameters
    ----------
    make_html
        Returns the picture as HTML, on any thread; its root element must have the class ``hw-still``.
    """

    def __init__(self, make_html: Callable[[], str]) -> None:
        self._make_html = make_html
        self._handle: Any = None
        self._lock = threading.Lock()
        self._timer: BackgroundTimer | None = None
        self._put_off = 0.0

    def show(self, view: dict[str, Any]) -> None:
        """Display a view, given as its MIME bundle, and the picture under it."""
        from IPython.display import HTML, DisplayHandle, display

        if self._handle is None:
            self._handle = DisplayHandle()
        display(view, raw=True)
        self._handle.display(HTML(self._make_html()))

    def changed(self) -> None:
        """Update the picture once nothing has changed for a while; on Colab, where threads cannot, `close` does it."""
        with self._lock:
            if self._handle is None or comm_queue() is not None:
                return
            if self._timer is not None:
                if self._put_off >= LONGEST_SECONDS:
                    return
                self._timer.cancel()
                self._put_off += QUIET_SECONDS
            self._timer = BackgroundTimer(QUIET_SECONDS, self._renew, "static-output")
            self._timer.start()

    def close(self, renew: bool = True) -> None:
        """Stop updating; with `renew`, update the picture one last time."""
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
            log.exception("The static output of the studio could not be updated")


def studio_html(canvas: "AnnotationCanvas", monitor: "LossMonitor") -> str:
    """Return the static output of a studio: the view, the annotation counts and the numbers of its run."""
    counts = ", ".join(f"{name} {count}" for name, count in canvas.project.count().items())
    lines = [f"Annotations: {counts}.", canvas.caption, "Run the cell to continue."]
    words = "".join(f"<p>{html.escape(line)}</p>" for line in lines if line)
    return f'<div class="hw-still">{canvas.still_html()}{words}{monitor.still_html()}</div>'
