"""Google Colab: its page shows custom widgets only when asked to, and accepts no messages that a thread sends."""

import sys

import comm

from histowidgets.widgets.colab._comm_queue import CommQueue

_comm_queue: CommQueue | None = None


def on_colab() -> bool:
    """Whether this kernel is one of Colab's."""
    return "google.colab" in sys.modules


def prepare() -> None:
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
