"""A heading that folds away what stands under it; it looks the same everywhere, which an Accordion does not."""

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets


class Disclosure(ipywidgets.VBox):
    """A button with a title, and the widgets under it that it shows or hides.

    Parameters
    ----------
    title
        Plain text.
    content
        The widgets under the title.
    tooltip
        What the fold holds, for the pointer and for screen readers.
    on_open
        Called, on an unknown thread, when it is unfolded, so that costly content can be filled in then.
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
        """The words on the button."""
        return str(self._button.description)

    @title.setter
    def title(self, words: str) -> None:
        self._button.description = words
