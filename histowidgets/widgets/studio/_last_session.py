"""What an earlier session left in the folder of the project: its last run, its predictions, and what was in view."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, FiniteFloat, ValidationError

from histowidgets._threads import BackgroundThread
from histowidgets.annotations import Project
from histowidgets.widgets.canvas import AnnotationCanvas
from histowidgets.widgets.common import LatestWorker

if TYPE_CHECKING:  # it needs torch
    from histowidgets.training import LoadedRun

FILE_NAME = "view.json"
#: Seconds without a change until it is written.
REST = 1.0

log = logging.getLogger("histowidgets")


class SavedView(BaseModel):
    """What was in view, and the class to paint; in image pixels, as in `View`."""

    model_config = ConfigDict(extra="ignore")

    image_name: str
    whole: bool
    x: FiniteFloat
    y: FiniteFloat
    zoom: FiniteFloat
    class_name: str


class ViewFile:
    """Keeps what a canvas shows in the folder of its project, so that the next session begins there.

    Parameters
    ----------
    canvas
        Of a project; without a folder, or if it is read-only, nothing is kept.
    """

    def __init__(self, canvas: AnnotationCanvas) -> None:
        self._canvas = canvas
        project = canvas.project
        self._path = None if project.folder is None else Path(project.folder) / FILE_NAME
        self._worker: LatestWorker[None, None] = LatestWorker("view-file", self._work, lambda *_: None, rest=REST)

    def restore(self) -> None:
        """Show what the last session showed, as far as it is still there."""
        saved = self._read()
        if saved is None:
            return
        canvas = self._canvas
        if saved.image_name in canvas.project.image_names:
            if saved.image_name != canvas.image_name:
                canvas.show_image(saved.image_name)
            if not saved.whole:
                canvas.look(canvas.view.look(saved.x, saved.y, saved.zoom))
        if saved.class_name in canvas.project.classes:
            canvas.class_name = saved.class_name

    def changed(self) -> None:
        """Write soon what is shown now; returns at once."""
        if self._path is not None and not self._canvas.project.read_only:
            self._worker.request(None)

    def close(self) -> None:
        """Write what is shown now, and end the worker."""
        self._worker.close()
        if not self._canvas.project.closed:
            self._write()

    def _work(self, _: None, is_stale: Callable[[], bool]) -> None:
        self._write()

    def _write(self) -> None:
        if self._path is None or self._canvas.project.read_only:
            return
        canvas, view = self._canvas, self._canvas.view
        saved = SavedView(
            image_name=canvas.image_name,
            whole=view == view.fitted(),
            x=view.x,
            y=view.y,
            zoom=view.zoom,
            class_name=canvas.class_name,
        )
        beside = self._path.with_name(f".{FILE_NAME}.new")
        try:
            beside.write_text(saved.model_dump_json(indent=1), encoding="utf-8")
            beside.replace(self._path)
        except OSError as error:  # a convenience: all else works without it
            log.warning("What is in view was not kept: %s", error)

    def _read(self) -> SavedView | None:
        if self._path is None or not self._path.is_file():
            return None
        try:
            return SavedView.model_validate_json(self._path.read_text(encoding="utf-8"))
        except (OSError, ValidationError, ValueError) as error:
            log.warning("%s is not read: %s", self._path, error)
            return None


class LastRun:
    """Looks on a thread for the last run that ended in the project's folder.

    Parameters
    ----------
    project
        Nothing is looked for where it has no folder.
    wanted
        Called on that thread before loading: whether the run is still wanted.
    found
        Called with the run, on that thread.
    """

    def __init__(self, project: Project, wanted: Callable[[], bool], found: "Callable[[LoadedRun], Any]") -> None:
        self._project, self._wanted, self._found = project, wanted, found
        self._thread = BackgroundThread(self._look, "last-run")

    def look(self) -> None:
        """Begin to look; returns at once."""
        folder = self._project.folder
        if folder is not None and any(Path(folder).glob("runs/*/run.json")):
            self._thread.start()

    def _look(self) -> None:
        if not self._wanted():
            return
        try:
            from histowidgets.training import load_last_run  # it loads torch

            run = load_last_run(self._project)
            if run is not None and self._wanted():
                self._found(run)
        except Exception:
            # The boundary of a thread: the studio works without what was there before.
            log.exception("The last run could not be shown")

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the search is over."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
