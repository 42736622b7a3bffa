"""A line with a button that starts a job, one that stops it, and the bar of its progress."""

import ipywidgets


class JobRow(ipywidgets.HBox):
    """The buttons and the bar of a job in the background, of which the panel around it says more.

    Parameters
    ----------
    start, stop
        Its buttons. Only one of them is enabled at a time.
    """

    def __init__(self, start: ipywidgets.Button, stop: ipywidgets.Button) -> None:
        self._start, self._stop = start, stop
        self.bar = ipywidgets.FloatProgress(min=0.0, max=1.0, layout=ipywidgets.Layout(visibility="hidden"))
        self.bar.add_class("hw-predict-bar")
        super().__init__([start, stop, self.bar])
        self.add_class("hw-run-buttons")

    def show_share(self, share: float) -> None:
        """Show how much is done, 0 to 1."""
        self.bar.value = share

    def show_busy(self, busy: bool) -> None:
        """Show whether the job runs, with nothing done yet."""
        self._start.disabled, self._stop.disabled = busy, not busy
        self.bar.value = 0.0
        self.bar.layout.visibility = "visible" if busy else "hidden"
