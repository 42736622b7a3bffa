"""Restore what an earlier session left in the project's folder: its last run and its view."""

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
#: Seconds without a change before the view is written.
REST = 1.0

log = logging.getLogger("histowidgets")


class SavedView(BaseModel):
    """The view, in image pixels as in `View`, and the chosen class."""

    model_config = ConfigDict(extra="ignore")

    image_name: str
    whole: bool
    x: FiniteFloat
    y: FiniteFloat
    zoom: FiniteFloat
    class_name: str


class ViewFile:
    """Saves a canvas' view in the folder of its project, so that the next session starts with it.

    Parameters
    ----------
    canvas
        Nothing is saved if its project has no folder or is read-only.
    """

    def __init__(self, canvas: AnnotationCanvas) -> None:
        self._canvas = canvas
        self._worker: LatestWorker[None, None] = LatestWorker("view-file", self._work, lambda *_: None, rest=REST)

    @property
    def _path(self) -> Path | None:
        folder = self._canvas.project.folder
        return None if folder is None else Path(folder) / FILE_NAME

    def restore(self) -> None:
        """Restore the view of the last session, as far as its image and class still exist."""
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
        """Schedule saving the view; returns at once."""
        if self._path is not None and not self._canvas.project.read_only:
            self._worker.request(None)

    def close(self) -> None:
        """Save the view, and end the worker."""
        self._worker.close()
        if not self._canvas.project.closed:
            self._write()

    def _work(self, _: None, is_stale: Callable[[], bool]) -> None:
        self._write()

    def _write(self) -> None:
        path = self._path
        if path is None or self._canvas.project.read_only:
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
        beside = path.with_name(f".{FILE_NAME}.new")
        try:
            beside.write_text(saved.model_dump_json(indent=1), encoding="utf-8")
            beside.replace(path)
        except OSError as error:  # a convenience that nothing else depends on
            log.warning("The view could not be saved: %s", error)

    def _read(self) -> SavedView | None:
        path = self._path
        if path is None or not path.is_file():
            return None
        try:
            return SavedView.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, ValidationError, ValueError) as error:
            log.warning("%s could not be read and is ignored: %s", path, error)
            return None


class LastRun:
    """Loads, on a thread, the last finished run from the project's folder.

    Parameters
    ----------
    project
        Without a folder, there is nothing to load.
    wanted
        Called on that thread, before and after loading; returns whether the run is still wanted.
    found
        Called with the run, on that thread.
    """

    def __init__(self, project: Project, wanted: Callable[[], bool], found: "Callable[[LoadedRun], Any]") -> None:
        self._project, self._wanted, self._found = project, wanted, found
        self._thread = BackgroundThread(self._look, "last-run")

    def look(self) -> None:
        """Start looking; returns at once."""
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
            # The boundary of a thread: the studio works without the last run.
            log.exception("The last run could not be shown")

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the search is over."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
