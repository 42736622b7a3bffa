"""Labels that the user confirmed in a review, kept in the folder of the project."""

import json
import logging
import threading
from pathlib import Path

from histowidgets.advice import ReviewTile
from histowidgets.annotations import Project

VERSION = 1
FILE_NAME = "review.json"

log = logging.getLogger("histowidgets")


class ReviewMarks:
    """Remember confirmed tiles by their place and labels, so that a mark expires when the labels change.

    Parameters
    ----------
    project
        ``review.json`` is written to its folder; without one, or if it is read-only, the marks stay in memory.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._lock = threading.Lock()
        self._right: dict[str, str] = self._read()

    def is_right(self, tile: ReviewTile) -> bool:
        """Return whether the user marked the current labels of the tile as right."""
        with self._lock:
            return self._right.get(_key(tile)) == tile.fingerprint

    def mark(self, tile: ReviewTile, right: bool) -> None:
        """Remember, or forget, that the labels of the tile are right; saved before this returns.

        Raises
        ------
        OSError
            If the file cannot be written; the mark then lasts until the kernel ends.
        """
        with self._lock:
            if right:
                self._right[_key(tile)] = tile.fingerprint
            else:
                self._right.pop(_key(tile), None)
            path = self._path
            if path is None:
                return
            beside = path.with_name(f".{FILE_NAME}.new")
            beside.write_text(json.dumps({"version": VERSION, "right": self._right}, indent=1), encoding="utf-8")
            beside.replace(path)

    @property
    def _path(self) -> Path | None:
        folder = self._project.folder
        return None if folder is None or self._project.read_only else Path(folder) / FILE_NAME

    def _read(self) -> dict[str, str]:
        path = self._path
        if path is None or not path.is_file():
            return {}
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if found["version"] > VERSION:
                raise ValueError(f"version {found['version']}")
            return {str(key): str(value) for key, value in found["right"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            # Marks are a convenience: without them the review still works.
            log.warning("%s could not be read and is ignored: %s", path, error)
            return {}


def _key(tile: ReviewTile) -> str:
    return f"{tile.image_name}:{','.join(map(str, tile.region))}"
