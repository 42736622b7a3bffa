"""A button with a changing label, which does what the label said when it was clicked."""

from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from histowidgets.widgets.common._assets import bundle, style_sheet


class ActionButton(anywidget.AnyWidget):
    """A button whose label and action change together, as from "Pause" to "Train more".

    The page is always a little behind the kernel. So a click comes with the action of the label that was clicked, and
    `on_click` passes it on: a user who clicks "Pause" just as the run ends must not start the next one.

    Attributes
    ----------
    description, icon, tooltip, button_style, disabled
        As those of `ipywidgets.Button`.
    action : str
        What a click on the present label means.
    classes : str
        Further CSS classes of the button.
    """

    _esm = bundle("action_button")
    _css = style_sheet("action_button/style")

    description = traitlets.Unicode("").tag(sync=True)
    icon = traitlets.Unicode("").tag(sync=True)
    tooltip = traitlets.Unicode("").tag(sync=True)
    button_style = traitlets.Unicode("").tag(sync=True)
    disabled = traitlets.Bool(False).tag(sync=True)
    action = traitlets.Unicode("").tag(sync=True)
    classes = traitlets.Unicode("").tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self._callbacks: list[Callable[[str], object]] = []
        super().__init__(**traits)
        self.on_msg(self._on_message)

    def show(self, **traits: Any) -> None:
        """Change several traits in one message, so that label and action never differ on the page."""
        with self.hold_sync():
            for name, value in traits.items():
                setattr(self, name, value)

    def on_click(self, callback: Callable[[str], object]) -> None:
        """Call `callback` with the action of the label that was clicked."""
        self._callbacks.append(callback)

    def click(self) -> None:
        """Do what a click on the present label does."""
        self._clicked(self.action)

    def _on_message(self, widget: Any, content: Any, buffers: Any) -> None:
        if isinstance(content, dict) and content.get("kind") == "click" and isinstance(content.get("action"), str):
            self._clicked(content["action"])

    def _clicked(self, action: str) -> None:
        for callback in list(self._callbacks):
            callback(action)
