"""Find an interrupted run, and offer to resume it."""

from collections.abc import Callable

from histowidgets._threads import BackgroundThread
from histowidgets.annotations import Project
from histowidgets.training import UnfinishedRun, find_unfinished_run
from histowidgets.widgets.common import listen


class UnfinishedRunOffer:
    """Looks for an interrupted run on a thread, and offers to resume it.

    Parameters
    ----------
    project
        Only a project with a folder can have such a run.
    resume
        Called with the run when the user resumes it, on the thread that handles the page's message.

    Attributes
    ----------
    found : UnfinishedRun or None
        The run that is offered, if any.
    """

    def __init__(self, project: Project, resume: Callable[[UnfinishedRun], None]) -> None:
        self._project, self._resume = project, resume
        self._callbacks: list[Callable[[], None]] = []
        self.found: UnfinishedRun | None = None
        self._thread = BackgroundThread(self._look, "unfinished")
        if project.folder is not None:
            self._thread.start()

    @property
    def text(self) -> str:
        """The offer as a sentence; "" if there is none."""
        found = self.found
        if found is None:
            return ""
        words = f"A run was interrupted after epoch {found.epoch} of {found.epochs}"
        if found.changed:
            what = " and ".join(found.changed)
            return f"{words}, and the {what} changed since: a new run can continue from its best weights."
        return f"{words}."

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback`, on any thread, when the offer comes or goes; return a function that unsubscribes."""
        return listen(self._callbacks, callback)

    def _look(self) -> None:
        self._set(find_unfinished_run(self._project))

    def _set(self, found: UnfinishedRun | None) -> None:
        if found is self.found:
            return
        self.found = found
        for callback in list(self._callbacks):
            callback()

    def resume(self) -> None:
        """Resume the run that was found."""
        found = self.found
        if found is not None:
            self.withdraw()
            self._resume(found)

    def withdraw(self) -> None:
        """Withdraw the offer."""
        self._set(None)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the search is over."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
