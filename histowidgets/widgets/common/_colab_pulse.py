"""Make a Google Colab page call the kernel regularly, so that messages of threads can be sent."""

import anywidget
import traitlets

from histowidgets.widgets.colab import comm_queue
from histowidgets.widgets.common._assets import bundle

#: Milliseconds between two calls of the page; each delivers the messages that threads have sent since the last.
PULSE_MS = 400


class Pulse(anywidget.AnyWidget):
    """Calls the kernel at intervals while it is on a page; shows nothing."""

    _esm = bundle("pulse")

    every_ms = traitlets.Int(PULSE_MS).tag(sync=True)


def colab_pulse() -> list[Pulse]:
    """Return a `Pulse` on Colab, and nothing elsewhere."""
    return [Pulse()] if comm_queue() is not None else []
