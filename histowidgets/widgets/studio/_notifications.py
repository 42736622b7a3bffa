"""The line in which the studio reports to the user, and the log."""

import time
from collections import deque
from html import escape

import ipywidgets

from histowidgets.widgets.common import Disclosure

LEVELS = ("info", "good", "warning", "error")
_ICONS = {"info": "info-circle", "good": "check-circle", "warning": "exclamation-triangle", "error": "times-circle"}
LOG_LINES = 200


class Notice(ipywidgets.HTML):
    """A line of plain text with a level, read aloud by screen readers; an empty one keeps its height."""

    def __init__(self) -> None:
        super().__init__()
        self.add_class("hw-notice")
        self.clear()

    def show(self, text: str, level: str = "info") -> None:
        """Show `text`, which is escaped, at one of `LEVELS`."""
        if level not in LEVELS:
            raise ValueError(f"level must be one of {LEVELS}, got {level!r}")
        role = "alert" if level == "error" else "status"
        self.value = (
            f'<div class="hw-notice-line" data-level="{level}" role="{role}">'
            f'<i class="fa fa-{_ICONS[level]}" aria-hidden="true"></i><span>{escape(text)}</span></div>'
        )

    def clear(self) -> None:
        """Show nothing."""
        self.value = '<div class="hw-notice-line" role="status">&nbsp;</div>'


class LogPanel(Disclosure):
    """All messages, the newest last, with the time of day; folded at first."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=LOG_LINES)
        self._text = ipywidgets.HTML("<pre class='hw-log'>Nothing yet.</pre>")
        super().__init__("Log", [self._text], tooltip="All messages of the studio, with the tracebacks of errors")
        self.add_class("hw-log-panel")

    @property
    def text(self) -> str:
        """All lines, as plain text."""
        return "\n".join(self._lines)

    def add(self, text: str) -> None:
        """Add `text`, of one line or several."""
        self._lines.append(f"{time.strftime('%H:%M:%S')}  {text}")
        self._text.value = f"<pre class='hw-log' tabindex='0'>{escape(self.text)}</pre>"
