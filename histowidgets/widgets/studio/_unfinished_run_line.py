"""A line about a run that was interrupted, with a button that resumes it; hidden where there is none."""

from collections.abc import Callable
from html import escape

import ipywidgets

from histowidgets._threads import BackgroundThread
from histowidgets.annotations import Project
from histowidgets.training import UnfinishedRun, find_unfinished_run


class UnfinishedRunLine(ipywidgets.HBox):
    """Look for an interrupted run on a thread, and offer to resume it.

    Parameters
    ----------
    project
        Only a project with a folder can have such a run.
    resume
        Called with the run when the user asks for it, on whichever thread the message from the page comes.
    """

    def __init__(self, project: Project, resume: Callable[[UnfinishedRun], None]) -> None:
        self._project, self._resume = project, resume
        self.found: UnfinishedRun | None = None
        self._words = ipywidgets.HTML()
        button = ipywidgets.Button(
            description="Resume", icon="play", tooltip="Resume training from the last epoch that was saved"
        )
        button.on_click(lambda _: self.resume())
        super().__init__([self._words, button], layout={"display": "none"})
        self.add_class("hw-unfinished")
        self._thread = BackgroundThread(self._look, "unfinished")
        if project.folder is not None:
            self._thread.start()

    def _look(self) -> None:
        found = find_unfinished_run(self._project)
        if found is None:
            return
        self.found = found
        self._words.value = (
            f'<span role="status">A run was interrupted after epoch {found.epoch} of {found.epochs}.</span>'
        )
        if found.changed:
            what = escape(", ".join(found.changed))
            self._words.value += f" <span>Since then changed: {what}; a new run trains on from its best weights.</span>"
        self.layout.display = None

    def resume(self) -> None:
        """Resume the run that was found."""
        found = self.found
        if found is not None:
            self.hide()
            self._resume(found)

    def hide(self) -> None:
        """Withdraw the offer."""
        self.found = None
        self.layout.display = "none"

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the search is over."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
