"""The static output of a widget: a picture of its last state, which a notebook shows when there is no kernel."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

from histowidgets._threads import BackgroundTimer
from histowidgets.widgets.colab import comm_queue

#: Seconds from the last change to the update of the picture, and the longest that further changes may delay it.
QUIET_SECONDS, LONGEST_SECONDS = 3.0, 20.0

log = logging.getLogger("histowidgets")


class StaticOutput:
    """A second output under the view of a widget, which `static/common/still.css` hides while it is not needed.

    A notebook stores the outputs of its cells. The view refers to a widget that is lost with its kernel. The picture is
    a separate output, updated a few seconds after the widget has changed. GitHub, nbviewer, exported HTML, notebooks
    opened without a kernel, and pages on which widgets do not work show it.

    Parameters
    ----------
    name
        Name of the widget for users.
    make_html
        Returns the picture as HTML, on any thread.
    kind
        What hides the picture: the widget itself, for one that shows its last state also without a kernel; or, for
        "picture", an image that a kernel draws.
    """

    def __init__(
        self, name: str, make_html: Callable[[], str], kind: Literal["picture", "chart", "form", "folds"]
    ) -> None:
        self._name, self._make_html, self._kind = name, make_html, kind
        self._handle: Any = None
        self._lock = threading.Lock()
        self._timer: BackgroundTimer | None = None
        self._first_change = self._last_change = 0.0

    def show(self, view: Any) -> None:
        """Display a view, given as its MIME bundle or a pair of that and its metadata, and the picture under it."""
        from IPython.display import HTML, DisplayHandle, display

        if self._handle is None:
            self._handle = DisplayHandle()
        # Where the view cannot be shown, its text is, instead of the representations of all parts.
        data, metadata = view if isinstance(view, tuple) else (view, {})
        words = {"text/plain": f"{self._name}: run this cell to use it."}
        display({**data, **words}, metadata=metadata, raw=True)
        self._handle.display(HTML(self._html()))

    def changed(self) -> None:
        """Update the picture once nothing has changed for a while; on Colab, where threads cannot, `close` does it."""
        with self._lock:
            if self._handle is None or comm_queue() is not None:
                return
            self._last_change = time.monotonic()
            if self._timer is None:
                self._first_change = self._last_change
                self._start(QUIET_SECONDS)

    def close(self, renew: bool = True) -> None:
        """Stop updating; with `renew`, update the picture one last time."""
        with self._lock:
            handle, self._handle = self._handle, None
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            if timer is not threading.current_thread():
                timer.join(5)
        if renew and handle is not None:
            self._renew(handle)

    def _start(self, seconds: float) -> None:
        self._timer = BackgroundTimer(seconds, self._due, "static-output")
        self._timer.start()

    def _due(self) -> None:
        """Update the picture, or wait on if there were changes meanwhile."""
        with self._lock:
            handle, self._timer = self._handle, None
            if handle is None:
                return
            end = min(self._last_change + QUIET_SECONDS, self._first_change + LONGEST_SECONDS)
            left = end - time.monotonic()
            if left > 0:
                self._start(left)
                return
        self._renew(handle)

    def _renew(self, handle: Any) -> None:
        from IPython.display import HTML

        try:
            handle.update(HTML(self._html()))
        except Exception:
            log.exception("The static output of the %s could not be updated", self._name)

    def _html(self) -> str:
        return f'<div class="hw-still hw-still-{self._kind}">{self._make_html()}</div>'
