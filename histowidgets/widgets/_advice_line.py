"""One piece of advice at a time, with its evidence and the clicks that follow it."""

from collections.abc import Callable
from functools import partial
from html import escape
from typing import Any

import ipywidgets

from histowidgets.advice import Action, Advice

# More buttons than this are a menu, not an advice.
MOST_ACTIONS = 2


def _evidence(advice: Advice) -> str:
    parts = []
    for name, value in advice.evidence.items():
        number = f"{value:.3g}" if isinstance(value, float) else str(value)
        parts.append(f"{escape(str(name).replace('_', ' '))} {escape(number)}")
    return " · ".join(parts)


class AdviceLine(ipywidgets.VBox):
    """A coloured line with an advice, and a row of buttons for what can be done about it.

    Parameters
    ----------
    idle
        What stands there while there is no advice, so that nothing moves when one comes.
    on_apply, on_undo
        Called with a patch, a dict of settings, when the person applies it, and when they take it back.
    on_stop
        Called when the person follows the advice to end the run.
    on_show
        Called with the advice when the person asks where on the image it is.
    numbers
        Whether the evidence stands under the words; else it is in their tooltip.
    """

    def __init__(
        self,
        idle: str = "",
        on_apply: Callable[[dict[str, Any]], None] | None = None,
        on_undo: Callable[[], None] | None = None,
        on_stop: Callable[[], None] | None = None,
        on_show: Callable[[Advice], None] | None = None,
        numbers: bool = True,
    ) -> None:
        self._idle, self._numbers = idle, numbers
        self._on_apply, self._on_undo, self._on_stop, self._on_show = on_apply, on_undo, on_stop, on_show
        self._advice: Advice | None = None
        self._text = ipywidgets.HTML()
        self._buttons = ipywidgets.HBox([])
        self._buttons.add_class("hw-advice-buttons")
        super().__init__([self._text, self._buttons])
        self.add_class("hw-advice")
        self._show_text()

    @property
    def idle(self) -> str:
        """What stands there while there is no advice; setting it takes an advice away."""
        return self._idle

    @idle.setter
    def idle(self, words: str) -> None:
        self._idle = words
        self.show(None)
        self._show_text()

    @property
    def advice(self) -> Advice | None:
        """The advice that is shown."""
        return self._advice

    def show(self, advice: Advice | None) -> None:
        """Show `advice`, or the idle words for None; the buttons change only when what they do changes."""
        if advice == self._advice:
            return
        before, self._advice = self._advice, advice
        self._show_text()
        if before is None or advice is None or before.actions != advice.actions or before.region != advice.region:
            self._replace_buttons(self._make_buttons())

    def _show_text(self) -> None:
        advice = self._advice
        if advice is None:
            body = f'<div class="hw-advice-line" data-level="info">{escape(self._idle)}</div>'
        else:
            evidence, rule = _evidence(advice), f"Guide: {escape(advice.rule)}"
            tip = rule if self._numbers else f"{evidence} ({rule})"
            numbers = f'<span class="hw-advice-evidence">{evidence}</span>' if self._numbers else ""
            body = (
                f'<div class="hw-advice-line" data-level="{escape(advice.severity)}" role="status" title="{tip}">'
                f"<b>{escape(advice.title)}.</b> {escape(advice.detail)}{numbers}</div>"
            )
        self._text.value = body

    def _make_buttons(self) -> list[ipywidgets.Button]:
        advice = self._advice
        if advice is None:
            return []
        buttons = [button for action in advice.actions if (button := self._button_for(action)) is not None]
        buttons = buttons[:MOST_ACTIONS]
        on_show = self._on_show
        if advice.region is not None and on_show is not None:
            show = ipywidgets.Button(description="Show me where", tooltip="Move the picture to the place this is about")
            show.on_click(lambda _: on_show(advice))
            buttons.append(show)
        for button in buttons:
            button.add_class("hw-link")
        return buttons

    def _button_for(self, action: Action) -> ipywidgets.Button | None:
        act: Callable[[], object]
        if action.patch and self._on_apply is not None:
            changes = ", ".join(f"{name.replace('_', ' ')} = {value}" for name, value in action.patch.items())
            tip, act = f"Change the settings of the next run: {changes}", partial(self._apply, dict(action.patch))
        elif action.kind == "stop" and self._on_stop is not None:
            tip, act = "End the run now and keep its best epoch", self._on_stop
        else:
            return None
        button = ipywidgets.Button(description=action.label, tooltip=tip)
        button.on_click(lambda _: act())
        return button

    def _apply(self, patch: dict[str, Any]) -> None:
        if self._on_apply is None:
            return
        self._on_apply(patch)
        if self._on_undo is not None:
            undo = ipywidgets.Button(description="Undo", icon="undo", tooltip="Take the change of settings back")
            undo.on_click(lambda _: self._undo())
            undo.add_class("hw-link")
            self._replace_buttons([undo])

    def _undo(self) -> None:
        if self._on_undo is not None:
            self._on_undo()
        self._replace_buttons(self._make_buttons())

    def _replace_buttons(self, buttons: list[ipywidgets.Button]) -> None:
        old = self._buttons.children
        self._buttons.children = tuple(buttons)
        for button in old:
            button.close()
