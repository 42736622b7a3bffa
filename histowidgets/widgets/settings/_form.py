"""The form with every field of `TrainingSettings`, the most important on top."""

import itertools
import logging
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from html import escape
from typing import Any

import anywidget
import traitlets

from histowidgets.annotations import Project
from histowidgets.errors import SettingsError, WidgetError
from histowidgets.training import TrainingSettings
from histowidgets.widgets.common import StaticOutput, bundle, close_tree, listen, style_sheet
from histowidgets.widgets.settings._facts import FormFacts, freeze_value
from histowidgets.widgets.settings._field import Field
from histowidgets.widgets.settings._setting_text import as_python, differing, label, nearest_preset

log = logging.getLogger("histowidgets")

#: The most important fields; the others are folded by section.
SHORT_VIEW = ("backbone", "tile_size", "downsample", "epochs", "max_seconds", "learning_rate", "augmentation")

#: Fields that have an effect only if another field has one of the given values.
_NEEDS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "normalization_low": ("normalization", ("fixed_range",)),
    "normalization_high": ("normalization", ("fixed_range",)),
    "focal_gamma": ("loss", ("focal", "focal_dice")),
    "encoder_lr_ratio": ("pretrained", (True,)),
    "early_stopping_patience": ("early_stopping_metric", ("miou", "val_loss")),
}

Listener = Callable[[TrainingSettings], None]


class SettingsForm(anywidget.AnyWidget):
    """A form for `TrainingSettings`, whose `settings` are always valid.

    An invalid entry is marked in its field, and the last valid value stays in force. Values that are only possible
    together (a fixed range and its two ends) are applied once the last of them is entered.

    Parameters
    ----------
    settings
        Initial settings; the preset "cpu" by default.
    project
        If given, the form shows the number of tiles, the time and the memory that training needs, and a weight for
        each class.

    Attributes
    ----------
    facts : FormFacts
        Computes facts about the settings while the form is visible.
    """

    _esm = bundle("settings_form")
    _css = style_sheet("common/panels", "common/still", "settings_form/style")

    # All are written from Python only; the page answers with messages.
    _fields = traitlets.List(traitlets.Dict()).tag(sync=True)
    _presets: Any = traitlets.List().tag(sync=True)
    _state = traitlets.Dict().tag(sync=True)
    # Written only by the worker of the facts.
    _facts = traitlets.Dict().tag(sync=True)

    _closed = True  # until it is built: Python also closes a widget whose construction failed

    def __init__(self, settings: TrainingSettings | None = None, project: Project | None = None) -> None:
        # Guards all attributes below. Entries arrive on a thread that depends on the kernel's version.
        self._lock = threading.RLock()
        self._disabled = False
        self._settings = TrainingSettings.preset("cpu") if settings is None else _checked(settings)
        self._preset = nearest_preset(self._settings)
        self._by_name = {name: Field(name) for name in TrainingSettings.model_fields}
        self._typed: dict[str, Any] = {}
        self._pending: dict[str, Any] = {}
        self._invalid: dict[str, str] = {}
        self._patches: list[tuple[int, dict[str, Any], str]] = []  # number, old values, the preset they came from
        self._numbers = itertools.count(1)
        self._listeners: list[Listener] = []
        super().__init__(
            _fields=[self._by_name[name].for_page(short=True) for name in SHORT_VIEW]
            + [field.for_page(short=False) for name, field in self._by_name.items() if name not in SHORT_VIEW],
            _presets=[[_preset_words(name), name] for name in TrainingSettings.preset_names()],
            _state=self._for_page(),
        )
        self.facts = FormFacts(project, lambda: self._settings, lambda facts: setattr(self, "_facts", facts))
        self.on_msg(self._message)
        self._static_output = StaticOutput("SettingsForm", self.still_html, "form")
        self._closed = False

    # -- public -------------------------------------------------------------------------------

    @property
    def settings(self) -> TrainingSettings:
        """The current settings: the last valid value of each field."""
        return self._settings

    @property
    def invalid(self) -> dict[str, str]:
        """The fields with invalid entries, with the problem of each."""
        with self._lock:
            return dict(self._invalid)

    @property
    def preset(self) -> str:
        """The preset that the settings are based on, followed by ``" (changed)"`` if they differ from it."""
        with self._lock:
            return self._preset + (" (changed)" if self._changes() else "")

    def set_settings(self, settings: TrainingSettings) -> None:
        """Set all fields, and discard invalid entries.

        Raises
        ------
        WidgetError
            If `settings` is not a `TrainingSettings`.
        """
        settings = _checked(settings)
        with self._lock:
            before = self._settings
            self._settings = settings
            self._preset = nearest_preset(settings, self._preset)
            self._forget(self._by_name)
            self._patches.clear()
            self._show()
        self._tell(before)

    def patch(self, changes: Mapping[str, Any]) -> int:
        """Change some fields, as advice does; `undo_patch` reverts this.

        Returns
        -------
        int
            A number for `undo_patch` and `can_undo`.

        Raises
        ------
        SettingsError
            If a field is unknown or its value impossible; nothing is changed then.
        """
        return self._change(dict(changes), None)

    def choose_preset(self, name: str) -> int:
        """Switch all fields to a preset, as the user does; `undo_patch` reverts this.

        Raises
        ------
        SettingsError
            If there is no such preset.
        """
        wanted = TrainingSettings.preset(name)
        changes = differing(wanted, self._settings)
        return self._change(changes, name) if changes else 0

    def _change(self, changes: dict[str, Any], preset: str | None) -> int:
        with self._lock:
            before, number = self._settings, next(self._numbers)
            self._settings = before.model_copy(update=changes)
            self._patches.append((number, {name: getattr(before, name) for name in changes}, self._preset))
            self._preset = self._preset if preset is None else preset
            self._forget(changes)
            self._show()
        self._tell(before)
        return number

    def can_undo(self, number: int) -> bool:
        """Return whether the patch with this number is the latest one in force."""
        with self._lock:
            return bool(self._patches) and self._patches[-1][0] == number

    def undo_patch(self) -> None:
        """Restore the fields of the last patch or preset to their earlier values; other fields are not changed."""
        with self._lock:
            if not self._patches:
                return
            before, (_, old, self._preset) = self._settings, self._patches.pop()
            self._settings = before.model_copy(update=old)
            self._forget(old)
            self._show()
        self._tell(before)

    def on_change(self, callback: Listener) -> Callable[[], None]:
        """Call `callback` with the settings whenever they change, on the thread that changed them.

        Returns
        -------
        callable
            Unsubscribes.
        """
        return listen(self._listeners, callback)

    @property
    def disabled(self) -> bool:
        """Whether the user cannot change the form."""
        return self._disabled

    @disabled.setter
    def disabled(self, value: bool) -> None:
        with self._lock:
            self._disabled = bool(value)
            self._show()

    @property
    def python_code(self) -> str:
        """Python code that makes the current settings."""
        with self._lock:
            return as_python(self._settings, self._preset)

    def still_html(self) -> str:
        """Return the most important settings, and those that differ from the preset, as HTML that needs no kernel."""
        with self._lock:
            settings, preset = self._settings, self.preset
            fields = [self._by_name[name] for name in dict.fromkeys([*SHORT_VIEW, *self._changes()])]
        rows = [("Preset", preset), *((label(one.name), one.words(getattr(settings, one.name))) for one in fields)]
        cells = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{escape(words)}</td></tr>' for name, words in rows)
        return f"<table><caption>Training settings</caption><tbody>{cells}</tbody></table>"

    def _ipython_display_(self, **kwargs: Any) -> None:
        self._static_output.show(self._repr_mimebundle_(**kwargs))

    def close(self) -> None:
        """Remove the form from the page, and stop all callbacks."""
        if self._closed:
            return
        self._closed = True
        with self._lock:
            self._listeners.clear()
        self._static_output.close()
        self.facts.close()
        close_tree(self)

    def enter(self, name: str, entry: str | bool) -> None:
        """Enter a value into a field, as if it were typed on the page.

        Parameters
        ----------
        name
            Name of the field.
        entry
            The text as typed, the text of a choice, or a bool for a checkbox. An invalid entry is marked (see
            `invalid`) and changes nothing.

        Raises
        ------
        WidgetError
            If there is no such field.
        """
        if name not in self._by_name:
            raise WidgetError(f"The form has no field {name!r}; its fields are {', '.join(self._by_name)}.")
        with self._lock:
            before = self._settings
            self._forget([name])
            self._typed[name] = entry
            try:
                self._pending[name] = self._by_name[name].value(entry)
            except ValueError as error:
                self._invalid[name] = self._explained(name, str(error))
            self._take_pending()
            self._show()
        self._tell(before)

    # -- messages of the page ---------------------------------------------------------------------

    def _message(self, widget: Any, content: Any, buffers: Any) -> None:
        if isinstance(content, dict) and content.get("kind") == "seen":
            self.facts.seen(bool(content.get("seen")))
        elif isinstance(content, dict) and content.get("kind") == "tiles":
            seed = content.get("seed")
            self.facts.show_tiles(seed if isinstance(seed, int) and seed >= 0 else None)
        if self._disabled or not isinstance(content, dict):
            return
        name = str(content.get("name"))
        if content.get("kind") == "enter" and name in self._by_name:
            self.enter(name, content.get("entry", ""))
        elif content.get("kind") == "preset" and name in TrainingSettings.preset_names():
            self.choose_preset(name)
        elif content.get("kind") == "undo":
            self.undo_patch()
        elif content.get("kind") == "freeze" and isinstance(content.get("groups"), dict):
            self.freeze({str(name): bool(checked) for name, checked in content["groups"].items()})
        elif content.get("kind") == "balance":
            self.balance_classes()

    def freeze(self, groups: Mapping[str, bool]) -> None:
        """Freeze the encoder groups that are True; all groups must be given."""
        self.enter("freeze", self._by_name["freeze"].entry(freeze_value(groups)))

    def balance_classes(self) -> None:
        """Set the weight of each class, from 0.1 to 10, by the labelled areas; `undo_patch` reverts this.

        The weights depend only on the areas, so that repeating this changes nothing.
        """
        weights = self._facts.get("balanced")
        if weights and weights != self._settings.class_weights:
            self.patch({"class_weights": dict(weights)})

    def _take_pending(self) -> None:
        """Apply all entries together or, if that is impossible, as many as possible."""
        try:
            self._settings = self._settings.model_copy(update=self._pending)
        except SettingsError:
            for name, value in list(self._pending.items()):
                self._take_one(name, value)
            return
        self._forget(self._pending)

    def _take_one(self, name: str, value: Any) -> None:
        try:
            self._settings = self._settings.model_copy(update={name: value})
        except SettingsError as error:
            self._invalid[name] = self._explained(name, str(error))
        else:
            self._forget([name])

    def _forget(self, names: Iterable[str]) -> None:
        for name in list(names):
            for entries in (self._typed, self._pending, self._invalid):
                entries.pop(name, None)

    def _explained(self, name: str, error: str) -> str:
        """Return an error as a line for the field: what is possible, and which value is kept."""
        allowed = self._by_name[name].range
        out_of_range = f"it takes {allowed}" in error or error.endswith(" is not a number.")
        if out_of_range and allowed[:1].isdigit():
            unit = self._by_name[name].unit
            reason = f"Use {allowed} {unit}." if unit and " " not in unit else f"Use {allowed}."
        else:
            reason = error.rsplit(": ", 1)[-1] if error.startswith(f"{name} is ") else error
            # Users know fields by their labels.
            for other in self._by_name:
                reason = re.sub(rf"\b{other}\b(?!')", label(other), reason)
        kept = self._by_name[name].entry(getattr(self._settings, name))
        return f"{reason} {kept if kept != '' else 'The empty field'} is kept."

    def _tell(self, before: TrainingSettings) -> None:
        # Without the lock, since a listener may wait for another thread that reads the form.
        with self._lock:
            now, listeners = self._settings, list(self._listeners)
        if now == before:
            return
        self.facts.settings_changed()
        for listener in listeners:
            try:
                listener(now)
            except Exception:
                log.exception("A listener of the settings form failed")

    # -- state for the page --------------------------------------------------------------------

    def _changes(self) -> dict[str, Any]:
        return differing(self._settings, TrainingSettings.preset(self._preset))

    def _show(self) -> None:
        self._state = self._for_page()
        self._static_output.changed()

    def _for_page(self) -> dict[str, Any]:
        """Return the state for the page; a field with an invalid entry keeps that entry."""
        entered = {**{name: getattr(self._settings, name) for name in self._by_name}, **self._pending}
        return {
            "entries": {
                name: self._typed[name] if name in self._invalid else field.entry(getattr(self._settings, name))
                for name, field in self._by_name.items()
            },
            "errors": dict(self._invalid),
            "changed": list(self._changes()),
            "idle": [name for name, field in self._by_name.items() if not _matters(field, entered)],
            "preset": self._preset,
            "disabled": self._disabled,
            "weights": dict(self._settings.class_weights),
            "canUndo": bool(self._patches),
            "code": as_python(self._settings, self._preset),
            "json": self._settings.to_json(),
        }


def _checked(settings: TrainingSettings) -> TrainingSettings:
    if not isinstance(settings, TrainingSettings):
        raise WidgetError(f"SettingsForm shows a TrainingSettings, not {settings!r}; use hw.TrainingSettings().")
    return settings


def _preset_words(name: str) -> str:
    return "CPU" if name == "cpu" else name.replace("-", " ").capitalize()


def _matters(field: Field, entered: Mapping[str, Any]) -> bool:
    if field.section == "Augmentation" and field.name != "augmentation":
        return bool(entered["augmentation"])
    other, values = _NEEDS.get(field.name, ("", ()))
    return not other or entered[other] in values
