"""Advice on the settings in the form, with a button to apply each piece."""

import threading
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import ipywidgets

from histowidgets.advice import (
    Action,
    Advice,
    guess_image_type,
    review_settings,
    stain_varies,
    suggest_normalization,
)
from histowidgets.annotations import Change, Project
from histowidgets.images import Region
from histowidgets.widgets.common import LatestWorker, close_tree
from histowidgets.widgets.settings._form import SettingsForm

#: Findings from the pixels: the type of the images, whether the stain varies, which normalization suits them.
Seen = tuple[str | None, bool, Advice | None]
_NOTHING: Seen = (None, False, None)


class SettingsAdvicePanel(ipywidgets.VBox):
    """A line for each piece of advice on the settings, which disappears once it is followed.

    Whether the stain differs between images is detected from the pixels. The user can tick whether the tissue is
    distorted and whether classes need context.

    Parameters
    ----------
    project
        Has the images to examine.
    form
        Has the settings to review and change.
    view
        Returns the name of the image shown, whose pixels suggest the type, and the region in view.
    """

    def __init__(self, project: Project, form: SettingsForm, view: Callable[[], tuple[str, Region]]) -> None:
        self._project, self._form, self._view = project, form, view
        # Entries come on the page's thread, tiles on the thread of the facts, and findings on the worker's thread.
        self._lock = threading.RLock()
        self._seen = _NOTHING
        self._found: tuple[Advice, ...] = ()
        self._distorted = _tick("Tissue is bent or stretched", "Training then bends tiles at random (elastic)")
        self._scales = _tick("Classes need context", "Telling them apart requires the tissue around them")
        for tick in (self._distorted, self._scales):
            tick.observe(lambda change: self.refresh(), names="value")
        ticks = ipywidgets.HBox([self._distorted, self._scales])
        ticks.add_class("hw-settings-ticks")
        self._lines = ipywidgets.VBox()
        super().__init__([ticks, self._lines])
        self.add_class("hw-settings-advice")
        self._worker: LatestWorker[None, Seen] = LatestWorker("settings", self._look, self._looked)
        self._ends = (
            form.on_change(lambda settings: self.refresh()),
            project.subscribe(self._changed),
            form.facts.on_tiles(lambda n_tiles: self.refresh()),
        )
        self.refresh()
        self._worker.request(None)

    @property
    def found(self) -> tuple[Advice, ...]:
        """The advice that is shown."""
        return self._found

    @property
    def idle(self) -> Any:
        """Set while no image is being examined."""
        return self._worker.idle

    def refresh(self) -> None:
        """Review the current settings."""
        with self._lock:
            kind, varies, normalization = self._seen
            found = review_settings(
                self._form.settings,
                n_tiles=self._form.facts.n_tiles,
                image_type=kind,
                stain_varies=varies,
                distorted=bool(self._distorted.value),
                multi_scale=bool(self._scales.value),
            )
            if normalization is not None and self._changes_something(normalization):
                found.append(normalization)
            if tuple(found) != self._found:
                self._found = tuple(found)
                old, self._lines.children = self._lines.children, [self._line(one) for one in found]
                _close(old)

    def close(self) -> None:
        """End the worker and the widgets."""
        for end in self._ends:
            end()
        self._worker.close()
        super().close()

    def _changed(self, change: Change) -> None:
        if change.kind == "images":
            self._worker.request(None)

    def _look(self, nothing: None, is_stale: Callable[[], bool]) -> Seen:
        snapshot = self._project.snapshot()
        image = snapshot.images[self._view()[0]]
        kind = guess_image_type(image).type
        return kind, stain_varies(snapshot), suggest_normalization(image, kind)

    def _looked(self, nothing: None, seen: Seen | None, error: BaseException | None) -> None:
        # An unreadable image is reported elsewhere, and other advice does not depend on it.
        self._seen = seen or _NOTHING
        self.refresh()

    def _changes_something(self, advice: Advice) -> bool:
        """Return whether the advice changes the current strategy or range."""
        wanted, settings = advice.patch or {}, self._form.settings
        names = [name for name in wanted if name != "normalization_per_channel"]
        return any(getattr(settings, name) != wanted[name] for name in names)

    def _line(self, advice: Advice) -> ipywidgets.HBox:
        tip = escape(f"{advice.detail} (guide: {advice.guide_title})", quote=True)
        words = ipywidgets.HTML(
            f'<div title="{tip}">{escape(advice.title)}. '
            f'<a href="{escape(advice.guide)}" target="_blank" rel="noopener">why</a></div>'
        )
        line = ipywidgets.HBox([words, *(self._button(action) for action in advice.actions[:1] if action.patch)])
        line.add_class("hw-settings-line")
        return line

    def _button(self, action: Action) -> ipywidgets.Button:
        patch = dict(action.patch or {})
        changes = ", ".join(f"{name.replace('_', ' ')} = {value}" for name, value in patch.items())
        button = ipywidgets.Button(description="Apply", tooltip=f"{action.label}: {changes}")
        button.add_class("hw-link")
        button.on_click(lambda _: self._form.patch(patch))
        return button


def _tick(words: str, tip: str) -> ipywidgets.Checkbox:
    return ipywidgets.Checkbox(value=False, description=words, indent=False, tooltip=tip)


def _close(widgets: Sequence[ipywidgets.Widget]) -> None:
    for widget in widgets:
        close_tree(widget)
