"""Small controls of several panels: a fold with a heading, a text field with a button, full-width fields."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import ipywidgets

Field = TypeVar("Field", bound=ipywidgets.DOMWidget)


def full_width(field: Field) -> Field:
    """Make a field as wide as its panel, with its label in the common column, and return it."""
    field.add_class("hw-wide")
    return field


def offer(field: ipywidgets.Dropdown, options: Sequence[str]) -> None:
    """Replace the options of a field, and keep what is chosen if it is still among them; otherwise choose the first."""
    if list(field.options) == list(options):
        return
    chosen = field.value
    field.options = tuple(options)  # this chooses the first
    if chosen in options:
        field.value = chosen


class TextEntry(ipywidgets.HBox):
    """A text field with a button that acts on the text.

    Parameters
    ----------
    label, placeholder
        Text before the field, and in the field while it is empty.
    button, tip
        Text of the button, and its tooltip.
    action
        Called with the text.
    """

    def __init__(self, label: str, placeholder: str, button: str, tip: str, action: Callable[[str], None]) -> None:
        self.text = ipywidgets.Text(description=label, placeholder=placeholder, tooltip=tip)
        self.button = ipywidgets.Button(description=button, tooltip=tip)
        self.button.on_click(lambda _: action(self.text.value))
        super().__init__([self.text, self.button])
        self.add_class("hw-entry")


class Disclosure(ipywidgets.VBox):
    """A title that unfolds the widgets under it; unlike an Accordion, it looks the same on every page.

    Parameters
    ----------
    title
        Plain text.
    content
        The widgets under the title.
    tooltip
        Description of the content, also for screen readers.
    on_open
        Called when it is unfolded, on the thread that handles the page's message, so that costly content can be
        filled in only then.
    """

    def __init__(
        self,
        title: str,
        content: Sequence[ipywidgets.Widget],
        tooltip: str = "",
        on_open: Callable[[], None] | None = None,
    ) -> None:
        self._on_open = on_open
        self._button = ipywidgets.ToggleButton(description=title, tooltip=tooltip or title)
        self._button.add_class("hw-fold")
        self._body = ipywidgets.VBox(list(content))
        self._body.add_class("hw-fold-body")
        self._button.observe(self._folded, names="value")
        super().__init__([self._button, self._body])
        self._show(False)

    def _show(self, unfolded: bool) -> None:
        self._button.icon = "caret-down" if unfolded else "caret-right"
        self._body.layout.display = None if unfolded else "none"

    def _folded(self, change: dict[str, Any]) -> None:
        self._show(change["new"])
        if change["new"] and self._on_open:
            self._on_open()

    @property
    def unfolded(self) -> bool:
        """Whether the content is shown."""
        return bool(self._button.value)

    @unfolded.setter
    def unfolded(self, value: bool) -> None:
        self._button.value = value

    @property
    def title(self) -> str:
        """The text on the button."""
        return str(self._button.description)

    @title.setter
    def title(self, words: str) -> None:
        self._button.description = words
