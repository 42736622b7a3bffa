"""A stand-in for Google Colab: a `google.colab` to find, and comms that drop what any thread but the main one sends.

It is what colabtools issue 3373 describes. Colab itself is not to be had in a test.
"""

import sys
import threading
import types

import comm


class ColabPage:
    """What a page would know: the traits of each widget, from the messages that have arrived.

    Attributes
    ----------
    states : dict
        Traits by the id of the comm.
    dropped : list
        The messages of threads, which never arrive.
    custom_widgets_enabled : int
        How often the custom widget manager was turned on.
    """

    def __init__(self):
        self.states, self.dropped, self.order, self.custom_widgets_enabled = {}, [], [], 0

    def _arrived(self, comm_id, kind, data):
        self.order.append((comm_id, kind))
        if kind == "comm_open":
            self.states[comm_id] = dict(data["state"])
        elif kind == "comm_close":
            self.states.pop(comm_id, None)
        elif data.get("method") == "update":
            self.states[comm_id].update(data["state"])


def stand_in(base):
    """Put a `google.colab` among the modules, and comms of the kind `base` that drop what threads send.

    Parameters
    ----------
    base : class
        A `comm.base_comm.BaseComm`; what the main thread sends goes on to it.

    Returns
    -------
    ColabPage
    """
    page = ColabPage()

    class ColabComm(base):
        def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
            if threading.current_thread() is not threading.main_thread():
                page.dropped.append((self.comm_id, msg_type))
                return
            super().publish_msg(msg_type, data=data, metadata=metadata, buffers=buffers, **keys)
            page._arrived(self.comm_id, msg_type, data or {})

    def enable():
        page.custom_widgets_enabled += 1

    package, colab, output = (types.ModuleType(f"google{rest}") for rest in ("", ".colab", ".colab.output"))
    output.enable_custom_widget_manager = enable
    output._widgets = types.SimpleNamespace(_installed_url=None)  # anywidget looks at it
    package.colab, colab.output = colab, output
    sys.modules.update({"google": package, "google.colab": colab, "google.colab.output": output})
    comm.create_comm = ColabComm
    return page
