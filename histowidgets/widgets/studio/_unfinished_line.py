"""A line about a run that broke off, with a button that goes on with it; not there where there is none."""

import threading
from collections.abc import Callable
from html import escape

import ipywidgets

from histowidgets.annotations import Project
from histowidgets.training import UnfinishedRun, find_unfinished_run


class UnfinishedLine(ipywidgets.HBox):
    """Looks for a run that broke off, on a thread of its own, and offers to go on with it.

    Parameters
    ----------
    project
        Only one with a folder can have such a run.
    go_on
        Called with the run, on an unknown thread, when the person wants that.
    """

    def __init__(self, project: Project, go_on: Callable[[UnfinishedRun], None]) -> None:
        self._project, self._go_on = project, go_on
        self.found: UnfinishedRun | None = None
        self._words = ipywidgets.HTML()
        button = ipywidgets.Button(
            description="Go on", icon="play", tooltip="Train on from the last epoch that is safe on disk"
        )
        button.on_click(lambda _: self.go_on())
        super().__init__([self._words, button], layout={"display": "none"})
        self.add_class("hw-unfinished")
        self._thread = threading.Thread(target=self._look, name="histowidgets-unfinished", daemon=True)
        if project.folder is not None:
            self._thread.start()

    def _look(self) -> None:
        found = find_unfinished_run(self._project)
        if found is None:
            return
        self.found = found
        self._words.value = f'<span role="status">A run broke off after epoch {found.epoch} of {found.epochs}.</span>'
        if found.changed:
            what = escape(", ".join(found.changed))
            self._words.value += f" <span>Since then changed: {what}; a new run trains on from its best weights.</span>"
        self.layout.display = None

    def go_on(self) -> None:
        """Go on with the run that was found."""
        found = self.found
        if found is not None:
            self.hide()
            self._go_on(found)

    def hide(self) -> None:
        """Offer nothing any more."""
        self.found = None
        self.layout.display = "none"

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it has looked."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
