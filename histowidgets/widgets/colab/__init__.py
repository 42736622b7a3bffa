"""Support for Google Colab: enable custom widgets, and send messages of threads from the main thread.

This package comes before all others of `widgets`: `prepare` must run before ipycanvas opens its first connection.
"""

from histowidgets.widgets.colab._comm_queue import CommQueue
from histowidgets.widgets.colab._prepare import comm_queue, on_colab, prepare

__all__ = ["CommQueue", "comm_queue", "on_colab", "prepare"]
