"""A text field with a button beside it that does something with the text."""

from collections.abc import Callable

import ipywidgets


class Entry(ipywidgets.HBox):
    """A text field and its button.

    Parameters
    ----------
    label, placeholder
        Before the field, and in it while it is empty.
    button, tip
        The words on the button, and what it does.
    action
        Called with the text.
    """

    def __init__(self, label: str, placeholder: str, button: str, tip: str, action: Callable[[str], None]) -> None:
        self.text = ipywidgets.Text(description=label, placeholder=placeholder, tooltip=tip)
        self.button = ipywidgets.Button(description=button, tooltip=tip)
        self.button.on_click(lambda _: action(self.text.value))
        super().__init__([self.text, self.button])
        self.add_class("hw-entry")
