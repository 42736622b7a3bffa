"""Labels that the user confirmed in a review, kept in the folder of the project."""

import json
import logging
import threading
from pathlib import Path

from histowidgets.advice import ReviewTile

VERSION = 1
FILE_NAME = "review.json"

log = logging.getLogger("histowidgets")


class ReviewMarks:
    """Remember confirmed tiles by their place and labels, so that a mark expires when the labels change.

    Parameters
    ----------
    folder
        Folder of the project, where ``review.json`` is written; None keeps the marks in memory.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / FILE_NAME
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
            if self._path is None:
                return
            beside = self._path.with_name(f".{FILE_NAME}.new")
            beside.write_text(json.dumps({"version": VERSION, "right": self._right}, indent=1), encoding="utf-8")
            beside.replace(self._path)

    def _read(self) -> dict[str, str]:
        if self._path is None or not self._path.is_file():
            return {}
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            if found["version"] > VERSION:
                raise ValueError(f"version {found['version']}")
            return {str(key): str(value) for key, value in found["right"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            # Marks are a convenience: without them the review still works.
            log.warning("%s could not be read and is ignored: %s", self._path, error)
            return {}


def _key(tile: ReviewTile) -> str:
    return f"{tile.image_name}:{','.join(map(str, tile.region))}"
