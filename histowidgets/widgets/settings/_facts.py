"""Facts that follow from the settings in the form: the groups that can be frozen, what is trained, time and memory.

A worker thread computes them, since that requires building a network; the form shows what is known so far.
"""

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import PIL.Image

from histowidgets._durations import roughly
from histowidgets.advice import balanced_weights
from histowidgets.annotations import Change, Project, ProjectSnapshot
from histowidgets.errors import HistowidgetsError
from histowidgets.models import EARLY_GROUPS
from histowidgets.training import TrainingSettings, with_channels
from histowidgets.widgets.common import LatestWorker, listen, picture_url

Facts = dict[str, Any]
Show = Callable[[Facts], None]

#: Seconds to wait for further changes after an entry, and after a stroke.
_REST, _LONG_REST = 0.25, 1.5
#: Labels are counted at a size of at most this many pixels per side.
_SIDE = 2048
#: Number of variations of a tile to show, and the side of each in pixels: sharp at two pixels per CSS pixel.
_VARIATIONS, _STRIP_SIDE = 5, 144


def short_count(number: int) -> str:
    """Abbreviate a number of parameters: "4.6 M", "310 k"."""
    if number >= 1_000_000:
        return f"{number / 1e6:.1f} M"
    return f"{number / 1e3:.0f} k" if number >= 1000 else str(number)


def class_areas(snapshot: ProjectSnapshot) -> dict[str, float]:
    """Return the labelled area, in full-size pixels, of each class that has any."""
    total = np.zeros(256)
    for name in snapshot.annotated_names():
        image = snapshot.images[name]
        downsample = max(1, -(-max(image.width, image.height) // _SIDE))
        labels = snapshot.labels(name, downsample=downsample)
        total += np.bincount(labels.ravel(), minlength=256) * downsample**2
    return {name: float(total[i]) for i, name in enumerate(snapshot.classes) if total[i] > 0}


class FormFacts:
    """Computes facts about the newest settings in two steps: estimated, then measured.

    Parameters
    ----------
    project
        The project to train on, if known.
    settings
        Returns the current settings.
    show
        Called, on the worker's thread only, with all known facts.

    Attributes
    ----------
    n_tiles : int or None
        Number of training tiles, once counted.
    """

    def __init__(self, project: Project | None, settings: Callable[[], TrainingSettings], show: Show) -> None:
        self._project, self._settings, self._show = project, settings, show
        self._wanted = self._closed = False
        self._making = threading.Lock()
        self._seed: int | None = None
        self.busy = False
        self.n_tiles: int | None = None
        self._tiles_callbacks: list[Callable[[int], None]] = []
        self._known: Facts = {}
        # Started when the form is first shown on a page, since a form in a script needs no thread.
        self._worker: LatestWorker[None, None] | None = None
        self._nothing = threading.Event()
        self._nothing.set()
        self._unsubscribe = project.subscribe(self._project_changed) if project is not None else lambda: None

    @property
    def idle(self) -> threading.Event:
        """Set while nothing is being computed."""
        return self._nothing if self._worker is None else self._worker.idle

    def _request(self, rest: float) -> None:
        with self._making:
            if self._closed:
                return
            if self._worker is None:
                self._worker = LatestWorker("form", self._work, lambda nothing, answer, error: None)
            self._worker.request(None, rest)

    def seen(self, is_seen: bool) -> None:
        """Set whether the form is visible; nothing is computed while it is not."""
        if is_seen and not self._wanted:
            self._request(0.0)
        self._wanted = is_seen

    def on_tiles(self, callback: Callable[[int], None]) -> Callable[[], None]:
        """Call `callback`, on the worker's thread, whenever the number of training tiles changes.

        Returns
        -------
        callable
            Unsubscribes.
        """
        return listen(self._tiles_callbacks, callback)

    def show_tiles(self, seed: int | None) -> None:
        """Show augmented variations of the tile that `seed` picks; None stops that."""
        self._seed = seed
        if seed is not None and self._project is not None:
            self._request(0.0)

    def settings_changed(self) -> None:
        """Compute again after a pause in the entries."""
        if self._wanted:
            self._request(_REST)

    def _project_changed(self, change: Change) -> None:
        if self._wanted and change.kind in ("annotations", "classes", "images"):
            self._request(_LONG_REST)

    def close(self) -> None:
        """End the worker."""
        self._unsubscribe()
        with self._making:
            self._closed = True
        if self._worker is not None:
            self._worker.close()

    # -- on the worker's thread -------------------------------------------------------------------

    def _work(self, nothing: None, is_stale: Callable[[], bool]) -> None:
        for step in (self._of_network, self._of_classes, self._of_tiles, self._of_run):
            if is_stale():
                return
            try:
                self._tell(**step(self._settings(), is_stale))
            except HistowidgetsError as error:
                self._tell(summary=str(error), level="warning")
                return
            except Exception as error:  # noqa: BLE001 - the boundary of a thread: the user must see it
                self._tell(summary=f"The estimate failed: {type(error).__name__}: {error}", level="warning")
                return

    def _tell(self, **facts: Any) -> None:
        self._known = {**self._known, **facts}
        self._show(dict(self._known))

    def _of_network(self, settings: TrainingSettings, is_stale: Callable[[], bool]) -> Facts:
        from histowidgets.training import network_size

        n_channels, n_classes = 3, 2
        if self._project is not None:
            snapshot = with_channels(self._project.snapshot(), settings.channels)
            n_classes = max(2, len(snapshot.classes))
            names = snapshot.annotated_names() or list(snapshot.images)
            n_channels = len(snapshot.images[names[0]].channel_names) if names else 3
        size = network_size(settings, n_channels, n_classes)
        return {
            "groups": [
                {"name": name, "count": short_count(count), "frozen": name in size.frozen}
                for name, count in size.groups.items()
            ],
            "trained": f"{short_count(size.trained)} of {short_count(size.total)} parameters are trained",
            "summary": f"{short_count(size.trained)} of {short_count(size.total)} parameters are trained.",
            "level": "info",
        }

    def _of_classes(self, settings: TrainingSettings, is_stale: Callable[[], bool]) -> Facts:
        if self._project is None:
            return {"classes": [], "balanced": {}}
        snapshot = self._project.snapshot()
        areas = class_areas(snapshot)
        return {"classes": list(snapshot.classes), "balanced": balanced_weights(areas) if len(areas) > 1 else {}}

    def _of_tiles(self, settings: TrainingSettings, is_stale: Callable[[], bool]) -> Facts:
        if self._project is None or self._seed is None:
            return {}
        from histowidgets.training import preview_augmentation

        try:
            tiles = preview_augmentation(self._project.snapshot(), settings, _VARIATIONS, self._seed)
        except HistowidgetsError as error:
            return {"tiles": [], "tilesSay": str(error)}
        return {"tiles": [_picture(tile) for tile in tiles], "tilesSay": ""}

    def _of_run(self, settings: TrainingSettings, is_stale: Callable[[], bool]) -> Facts:
        if self._project is None:
            return {}
        from histowidgets.training import estimate

        snapshot = self._project.snapshot()
        tell = partial(_summary, trained=str(self._known["trained"]))
        found = estimate(snapshot, settings, measure=False)
        if found.n_tiles != self.n_tiles:
            self.n_tiles = found.n_tiles
            for callback in list(self._tiles_callbacks):
                callback(found.n_tiles)
        if not found.fits:
            return {"summary": found.text(), "level": "warning"}
        if settings.max_seconds is not None:
            return {"summary": tell(found, f"at most {roughly(settings.max_seconds)}"), "level": "info"}
        if self.busy or is_stale():
            return {"summary": tell(found, "its time is measured while no run is active"), "level": "info"}
        self._tell(summary=tell(found, "measuring the time…"), level="info")
        measured = estimate(snapshot, settings, measure=True)
        words = "time unknown" if measured.seconds is None else f"about {roughly(measured.seconds)}"
        return {"summary": tell(measured, words), "level": "info"}


def _picture(tile: np.ndarray) -> str:
    """Return a tile as the data URL of a small JPEG."""
    small = PIL.Image.fromarray(tile)
    small.thumbnail((_STRIP_SIDE, _STRIP_SIDE))
    return picture_url(np.asarray(small), quality=85)


def _summary(found: Any, time: str, trained: str) -> str:
    free = "" if found.free.free is None else f" of {found.free.free / 1e9:.1f} GB free"
    tiles = f"{found.n_tiles} tiles{_resampled(found)}"
    return (
        f"{tiles} · {found.settings.epochs} epochs of {found.steps_per_epoch} steps · {time} · "
        f"{trained} · about {found.memory_bytes / 1e9:.1f} GB{free}"
    )


def _resampled(found: Any) -> str:
    """Return to which pixel size how many images are resampled, as text; "" if none are."""
    if not found.n_resampled:
        return ""
    images = "1 image" if found.n_resampled == 1 else f"{found.n_resampled} images"
    return f" at {found.pixel_size_um:.3g} µm per pixel ({images} resampled)"


def freeze_value(chosen: Mapping[str, bool]) -> str | tuple[str, ...]:
    """Return the value of ``freeze`` for the checked groups, as its short name if it has one."""
    names = tuple(name for name, checked in chosen.items() if checked)
    if not names:
        return "none"
    if len(names) == len(chosen):
        return "encoder"
    return "early" if names == EARLY_GROUPS else names
