"""Prepare for Google Colab, which shows custom widgets only on request and accepts no messages from threads."""

import sys

import comm

from histowidgets.widgets.colab._comm_queue import CommQueue

_comm_queue: CommQueue | None = None


def on_colab() -> bool:
    """Return whether this kernel runs on Colab."""
    return "google.colab" in sys.modules


def prepare() -> None:
    """On Colab, enable the custom widget manager and let the main thread send messages for others (only once)."""
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
    """Return the queue that keeps the messages of threads, or None if threads may send."""
    return _comm_queue
