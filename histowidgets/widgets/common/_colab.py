"""Google Colab: its page shows other people's widgets only when told to, and takes nothing that a thread sends."""

import sys

import anywidget
import comm
import traitlets

from histowidgets.widgets.common._assets import bundle
from histowidgets.widgets.common._colab_comm_queue import Outbox

#: Milliseconds between two calls of the page, with each of which what threads have sent meanwhile arrives.
PULSE_MS = 400

_outbox: Outbox | None = None


def on_colab() -> bool:
    """Whether this kernel is one of Colab's."""
    return "google.colab" in sys.modules


def prepare() -> None:
    """On Colab, turn its custom widget manager on and let the main thread send what threads want to; once a kernel."""
    global _outbox
    if _outbox is not None or not on_colab():
        return
    from google.colab import output

    output.enable_custom_widget_manager()
    _outbox = Outbox()
    comm.create_comm = _outbox.comms(comm.create_comm)
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is not None:
        shell.events.register("post_execute", _outbox.flush)


def outbox() -> Outbox | None:
    """Return what keeps the messages of threads; None where threads may send."""
    return _outbox


class Pulse(anywidget.AnyWidget):
    """Calls the kernel now and then, as long as it is on a page; shows nothing."""

    _esm = bundle("pulse")

    every_ms = traitlets.Int(PULSE_MS).tag(sync=True)


def pulse() -> list[Pulse]:
    """Return a `Pulse` where one is needed, else nothing."""
    return [Pulse()] if _outbox is not None else []
