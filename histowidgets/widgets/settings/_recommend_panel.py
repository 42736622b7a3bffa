"""Recommended settings for a project with their reasons, and buttons to apply and undo them."""

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets

from histowidgets.advice import IMAGE_TYPES, Recommendation, guess_image_type, recommend
from histowidgets.annotations import Project
from histowidgets.errors import HistowidgetsError
from histowidgets.images import Region
from histowidgets.widgets.common import LatestWorker, close_tree, style_widget
from histowidgets.widgets.settings._form import SettingsForm
from histowidgets.widgets.settings._setting_text import differing, label, value_words

TYPE_WORDS = {"he": "H&E", "brightfield": "other brightfield", "fluorescence": "fluorescence"}
#: The first choice: detect the type from the pixels.
AUTOMATIC = ""
_IDLE = "Recommends settings for these images and labels, with reasons."


class RecommendPanel(ipywidgets.VBox):
    """A button that recommends settings, and the recommendation with its reasons.

    Parameters
    ----------
    project
        Has the images and labels to examine.
    form
        Where the recommendation is applied and undone.
    view
        Returns the name of the image shown, whose pixels suggest the type, and the region in view.
    """

    def __init__(self, project: Project, form: SettingsForm, view: Callable[[], tuple[str, Region]]) -> None:
        self._project, self._form, self._view = project, form, view
        self._found: Recommendation | None = None
        self._patch: dict[str, Any] = {}
        self._applied: int | None = None
        self._ask_button = ipywidgets.Button(
            description="Recommend", icon="magic", tooltip="Recommend settings for these images and labels"
        )
        self._ask_button.on_click(lambda _: self.ask())
        self._type = ipywidgets.Dropdown(
            options=[("detect from the pixels", AUTOMATIC), *((TYPE_WORDS[name], name) for name in IMAGE_TYPES)],
            description="Images",
            tooltip="Type of the images; overrides what the pixels suggest",
        )
        self._type.observe(lambda change: self._type_chosen(), names="value")
        row = ipywidgets.HBox([self._ask_button, self._type])
        row.add_class("hw-recommend-row")
        self._words = ipywidgets.HTML(f"<p class='hw-quiet'>{_IDLE}</p>")
        self._apply_button = ipywidgets.Button(description="Apply", tooltip="Apply the recommended settings below")
        self._undo_button = ipywidgets.Button(description="Undo", icon="undo", tooltip="Restore the earlier settings")
        self._apply_button.on_click(lambda _: self.apply())
        self._undo_button.on_click(lambda _: self.undo())
        self._clicks = ipywidgets.HBox([self._apply_button, self._undo_button], layout={"display": "none"})
        self._clicks.add_class("hw-recommend-clicks")
        super().__init__([style_widget("recommend/style"), row, self._words, self._clicks])
        self.add_class("hw-recommend")
        self._worker: LatestWorker[str, Recommendation] = LatestWorker("recommend", self._work, self._answered)
        self._unsubscribe = form.on_change(lambda settings: self._show_clicks())

    # -- public -------------------------------------------------------------------------------

    @property
    def recommendation(self) -> Recommendation | None:
        """The last recommendation."""
        return self._found

    @property
    def idle(self) -> Any:
        """Set while no recommendation is being made."""
        return self._worker.idle

    def ask(self) -> None:
        """Make a recommendation in the background."""
        self._ask_button.disabled = True
        self._words.value = "<p class='hw-quiet' role='status'>Examining images and labels…</p>"
        self._worker.request(self._type.value)

    def apply(self) -> None:
        """Change the settings of the form as recommended."""
        if self._patch and self._applied is None:
            self._applied = self._form.patch(self._patch)
            self._show_clicks()

    def undo(self) -> None:
        """Restore the earlier settings of the form."""
        if self._applied is not None:
            applied, self._applied = self._applied, None
            if self._form.can_undo(applied):
                self._form.undo_patch()
            self._show_clicks()

    def close(self) -> None:
        """End the worker and the widgets."""
        self._unsubscribe()
        self._worker.close()
        close_tree(self)

    # -- the work -------------------------------------------------------------------------------

    def _type_chosen(self) -> None:
        if self._found is not None:
            self.ask()

    def _work(self, chosen: str, is_stale: Callable[[], bool]) -> Recommendation:
        snapshot = self._project.snapshot()
        image = snapshot.images[self._view()[0]]
        told = "You chose the type of the images."
        if chosen == AUTOMATIC:
            guess = guess_image_type(image)
            chosen, told = guess.type, f"The pixels suggest {TYPE_WORDS[guess.type]}: {guess.reason}"
        n_tiles, gigabytes = self._measured(snapshot)
        found = recommend(n_tiles, chosen, len(image.channel_names), gigabytes, image.pixel_size_um)
        return Recommendation(found.settings, [found.reasons[0], told, *found.reasons[1:]], found.advice)

    def _measured(self, snapshot: Any) -> tuple[int, float | None]:
        """Return the number of labelled tiles, and the memory of the GPU in GB (None without one)."""
        from histowidgets.training import estimate

        try:
            found = estimate(snapshot, self._form.settings, measure=False)
        except HistowidgetsError:
            return 0, None  # too little is painted, so there are no tiles yet
        return found.n_tiles, None if found.gpu_free.total is None else found.gpu_free.total / 1e9

    def _answered(self, chosen: str, found: Recommendation | None, error: BaseException | None) -> None:
        self._ask_button.disabled = False
        if found is None:
            self._found, self._patch = None, {}
            self._words.value = f"<p class='hw-quiet' role='alert'>No recommendation: {escape(str(error))}</p>"
            self._show_clicks()
            return
        self._found, self._applied = found, None
        self._patch = differing(found.settings, self._form.settings)
        first, *reasons = found.reasons
        lines = [escape(one) for one in reasons] + [f"{escape(a.title)}. {escape(a.detail)}" for a in found.advice]
        self._words.value = (
            f"<div role='status'><b>{escape(first)}</b></div><ul>{''.join(f'<li>{one}</li>' for one in lines)}</ul>"
            f"<div class='hw-quiet'>{self._changes()}</div>"
        )
        self._show_clicks()

    def _changes(self) -> str:
        if not self._patch:
            return "The current settings already match."
        words = ", ".join(f"{label(name).lower()} {value_words(value)}" for name, value in self._patch.items())
        return f"Changes {len(self._patch)} setting{'s' if len(self._patch) > 1 else ''}: {escape(words)}."

    def _show_clicks(self) -> None:
        if self._applied is not None and not self._form.can_undo(self._applied):
            self._applied = None  # another change was made since, which the form would undo first
        self._clicks.layout.display = None if self._patch else "none"
        self._apply_button.disabled = self._applied is not None
        self._undo_button.disabled = self._applied is None
