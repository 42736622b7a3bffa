"""Google Colab: its page shows custom widgets only when asked to, and accepts no messages that a thread sends."""

import sys

import anywidget
import comm
import traitlets

from histowidgets.widgets.common._assets import bundle
from histowidgets.widgets.common._colab_comm_queue import CommQueue

#: Milliseconds between two calls of the page; with each of them the messages that threads have sent since arrive.
PULSE_MS = 400

_comm_queue: CommQueue | None = None


def on_colab() -> bool:
    """Whether this kernel is one of Colab's."""
    return "google.colab" in sys.modules


def prepare_colab() -> None:
    """On Colab, turn on the custom widget manager and let the main thread send messages for others; once."""
    global _comm_queue
    if _comm_queue is not None or not on_colab():
        return
    from google.colab import output

    output.enable_custom_widget_manager()
    _comm_queue = CommQueue()
    comm.create_comm = _comm_queue.comms(comm.create_comm)
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is not None:
        shell.events.register("post_execute", _comm_queue.flush)


def comm_queue() -> CommQueue | None:
    """Return the queue that keeps the messages of threads; None where threads may send."""
    return _comm_queue


class Pulse(anywidget.AnyWidget):
    """Calls the kernel at intervals while it is on a page; shows nothing."""

    _esm = bundle("pulse")

    every_ms = traitlets.Int(PULSE_MS).tag(sync=True)


def colab_pulse() -> list[Pulse]:
    """Return a `Pulse` on Colab, and nothing elsewhere."""
    return [Pulse()] if _comm_queue is not None else []
