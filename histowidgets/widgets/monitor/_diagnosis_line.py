"""The diagnosis of the curves, with buttons to act on it, in an area of fixed height above the charts."""

from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from typing import Any

import ipywidgets

from histowidgets.advice import Action, Advice, evidence_text
from histowidgets.widgets.common import close_tree

OnAction = Callable[[Action, Advice], None]

# Number of button characters that fit side by side in the narrowest panel; other buttons are behind "more".
VISIBLE_CHARACTERS, CHARACTERS_PER_GAP = 44, 3
IDLE = "After a few epochs, this line explains the curves."


class DiagnosisLine(ipywidgets.VBox):
    """The most urgent diagnosis in plain words, with its numbers and buttons; the others are behind "more".

    Parameters
    ----------
    usable
        Returns whether an action can be carried out; other actions are shown as text behind "more".
    on_action
        Called with an action and its advice when its button was clicked, on a thread that depends on the kernel.
    """

    def __init__(self, usable: Callable[[Action], bool], on_action: OnAction) -> None:
        self._usable, self._on_action = usable, on_action
        self._idle, self._restarts = IDLE, False
        self._found: tuple[Advice, ...] = ()
        self._undo: Callable[[], None] | None = None
        self._offer: tuple[str, str, Callable[[], None]] | None = None
        self._shown: Any = None
        self._text, self._numbers, self._rest = ipywidgets.HTML(), ipywidgets.HTML(), ipywidgets.HTML()
        self._text.add_class("hw-diagnosis-text")
        self._numbers.add_class("hw-diagnosis-numbers")
        self._rest.add_class("hw-diagnosis-rest")
        self._buttons, self._more_buttons, self._undo_box = ipywidgets.HBox(), ipywidgets.HBox(), ipywidgets.HBox()
        self._buttons.add_class("hw-diagnosis-buttons")
        self._more_buttons.add_class("hw-diagnosis-more")
        self._more = ipywidgets.ToggleButton(
            description="more", tooltip="The full text, the guide, other findings and other options"
        )
        self._more.add_class("hw-small")
        self._more.observe(lambda change: self._show_rest(), names="value")
        middle = ipywidgets.HBox([self._numbers, self._undo_box, self._more])
        middle.add_class("hw-diagnosis-middle")
        super().__init__([self._text, middle, self._buttons, self._rest, self._more_buttons])
        self.add_class("hw-diagnosis")
        self._draw()

    @property
    def found(self) -> tuple[Advice, ...]:
        """The diagnoses shown, the most urgent first."""
        return self._found

    @property
    def idle(self) -> str:
        """The text while there is no diagnosis."""
        return self._idle

    @idle.setter
    def idle(self, words: str) -> None:
        self._idle = words
        self._draw()

    @property
    def restarts(self) -> bool:
        """Whether changing the settings also starts the next run, which the buttons then say."""
        return self._restarts

    @restarts.setter
    def restarts(self, value: bool) -> None:
        self._restarts = value
        self._draw()

    def show(self, found: Sequence[Advice]) -> None:
        """Show diagnoses, the most urgent first; buttons are replaced only if their actions change."""
        self._found = tuple(found)
        self._draw()

    def offer_undo(self, undo: Callable[[], None] | None) -> None:
        """Offer to undo the last change made from here; None withdraws the offer."""
        self._undo = undo
        self._draw()

    def offer(self, words: str = "", tip: str = "", act: Callable[[], None] | None = None) -> None:
        """Show a button while there is no diagnosis; without `act`, remove it."""
        self._offer = None if act is None else (words, tip, act)
        self._draw()

    def _draw(self) -> None:
        advice = self._found[0] if self._found else None
        if advice is None:
            level, body, numbers = "none", escape(self._idle), ""
        else:
            level, body = advice.severity, f"<b>{escape(advice.title)}.</b> {escape(advice.detail)}"
            numbers = escape(evidence_text(advice))
        _set(self._text, f'<div data-level="{escape(level)}" role="status">{body}</div>')
        _set(self._numbers, f'<div title="{numbers}">{numbers or "&nbsp;"}</div>')
        usable = tuple(action for action in (advice.actions if advice else ()) if self._usable(action))
        offer = self._offer if advice is None else None
        shape = (advice.id if advice else None, usable, self._undo, self._restarts, offer)
        if shape != self._shown:
            self._shown = shape
            self._replace_buttons(advice, usable)
        self._more.layout.visibility = None if advice is not None else "hidden"
        self._show_rest()

    def _replace_buttons(self, advice: Advice | None, usable: Sequence[Action]) -> None:
        made = [self._button(action, advice) for action in usable if advice is not None]
        if advice is None and self._offer is not None:
            made = [_link(*self._offer)]
        fitting = _fitting([button.description for button in made])
        tip = "Undo the settings change made from here"
        undo = [] if self._undo is None else [_link("Undo", tip, self._undo_change, icon="undo")]
        shown = (made[:fitting], made[fitting:], undo)
        for box, buttons in zip((self._buttons, self._more_buttons, self._undo_box), shown, strict=True):
            old, box.children = box.children, tuple(buttons)
            for button in old:
                close_tree(button)
        self._more.description = f"more ({len(made) - fitting})" if len(made) > fitting else "more"

    def _button(self, action: Action, advice: Advice) -> ipywidgets.Button:
        words, tip = action.label, "Stop the run now and keep its best epoch"
        if action.patch:
            changes = ", ".join(f"{name.replace('_', ' ')} = {value}" for name, value in action.patch.items())
            tip = f"Change the settings of the next run: {changes}"
            if self._restarts:
                words, tip = f"{words} and restart", f"{tip}; then start it"
        return _link(words, tip, partial(self._on_action, action, advice))

    def _undo_change(self) -> None:
        undo, self._undo = self._undo, None
        if undo is not None:
            undo()
        self._draw()

    def _show_rest(self) -> None:
        """Fill the part behind "more", if it is open."""
        opened = bool(self._more.value) and bool(self._found)
        for widget in (self._rest, self._more_buttons):
            widget.layout.display = None if opened else "none"
        (self.add_class if opened else self.remove_class)("hw-opened")
        if opened:
            _set(self._rest, _rest_html(self._found, self._usable))


def _link(words: str, tip: str, act: Callable[[], None], icon: str = "") -> ipywidgets.Button:
    button = ipywidgets.Button(description=words, tooltip=tip, icon=icon)
    button.add_class("hw-link")
    button.on_click(lambda _: act())
    return button


def _fitting(words: Sequence[str]) -> int:
    """Return how many buttons fit side by side, at least one."""
    used = 0
    for count, word in enumerate(words):
        used += len(word) + CHARACTERS_PER_GAP * (count > 0)
        if used > VISIBLE_CHARACTERS and count > 0:
            return count
    return len(words)


def _rest_html(found: Sequence[Advice], usable: Callable[[Action], bool]) -> str:
    first = found[0]
    words = []
    for action in first.actions:
        if not usable(action) and action.kind != "stop":
            code = f" <code>settings.model_copy(update={escape(repr(action.patch))})</code>" if action.patch else ""
            words.append(f"<li>{escape(action.label)}{code}</li>")
    others = [f"<li><b>{escape(one.title)}.</b> {escape(one.detail)}</li>" for one in found[1:]]
    link = f'<a href="{escape(first.guide)}" target="_blank" rel="noopener">{escape(first.guide_title)}</a>'
    html = f"<p>Guide: {link}</p>"
    html += f"<p>Other options:</p><ul>{''.join(words)}</ul>" if words else ""
    return html + (f"<p>Also found:</p><ul>{''.join(others)}</ul>" if others else "")


def _set(widget: ipywidgets.HTML, value: str) -> None:
    if widget.value != value:
        widget.value = value
