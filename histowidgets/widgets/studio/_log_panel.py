"""The log: all messages of the studio."""

import time
from collections import deque
from html import escape

import ipywidgets

from histowidgets.widgets.common import Disclosure

LOG_LINES = 200


class LogPanel(Disclosure):
    """All messages with the time of day, the newest last; initially folded."""

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
        """Add a text of one or more lines."""
        self._lines.append(f"{time.strftime('%H:%M:%S')}  {text}")
        self._text.value = f"<pre class='hw-log' tabindex='0'>{escape(self.text)}</pre>"
