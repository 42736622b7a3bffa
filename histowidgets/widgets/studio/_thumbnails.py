"""Thumbnails of the project's images, made on a thread for the images that are visible."""

import io
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable

import PIL.Image

from histowidgets.annotations import Project
from histowidgets.errors import HistowidgetsError
from histowidgets.images import thumbnail
from histowidgets.widgets.common import LatestWorker

#: Pixels of the longest side: sharp on a screen with two pixels to a CSS pixel.
SIDE = 144
JPEG_QUALITY = 82


class Thumbnails:
    """Makes the requested thumbnails, the latest request first, and keeps them.

    Parameters
    ----------
    project
        Has the images.
    deliver
        Called on the worker's thread with a name, the bytes of the JPEG (empty if there is none) and, if the image
        cannot be read, the reason.
    """

    def __init__(self, project: Project, deliver: Callable[[str, bytes, str], None]) -> None:
        self._project, self._deliver = project, deliver
        self._lock = threading.Lock()
        self._wanted: OrderedDict[str, None] = OrderedDict()
        self._made: dict[str, tuple[object, bytes]] = {}
        self._worker = LatestWorker("thumbnails", self._work, lambda payload, answer, error: None)

    def request(self, names: Iterable[str]) -> None:
        """Request the thumbnails of some images; returns at once."""
        with self._lock:
            for name in names:
                self._wanted[name] = None
                self._wanted.move_to_end(name)
        self._worker.request(None)

    @property
    def idle(self) -> threading.Event:
        """Set while no request waits."""
        return self._worker.idle

    @property
    def made(self) -> list[str]:
        """Names of the images whose thumbnail is kept."""
        with self._lock:
            return list(self._made)

    def close(self) -> None:
        """End the worker."""
        self._worker.close()

    def _work(self, _: None, is_stale: Callable[[], bool]) -> None:
        while not is_stale():  # a newer request continues with the same names
            with self._lock:
                if not self._wanted:
                    return
                name, _ = self._wanted.popitem()
            self._answer(name)

    def _answer(self, name: str) -> None:
        if name not in self._project.image_names:
            return
        image = self._project.image(name)
        with self._lock:
            kept = self._made.get(name)
        if kept is not None and kept[0] is image:
            self._deliver(name, kept[1], "")
            return
        try:
            buffer = io.BytesIO()
            PIL.Image.fromarray(thumbnail(image, SIDE)).save(buffer, "JPEG", quality=JPEG_QUALITY)
        except (HistowidgetsError, OSError) as error:  # not kept, since the file may come back
            self._deliver(name, b"", str(error))
            return
        with self._lock:
            self._made[name] = (image, buffer.getvalue())
        self._deliver(name, buffer.getvalue(), "")
