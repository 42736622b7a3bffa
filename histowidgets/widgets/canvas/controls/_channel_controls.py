"""The controls of each channel: switch, colour, and range over a histogram."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anywidget
import traitlets

from histowidgets.widgets.common import bundle, style_sheet


class ChannelControls(anywidget.AnyWidget):
    """A row per channel, or one row for all three channels of an RGB image; reports the user's changes.

    Attributes
    ----------
    image_name : str
        Sent with each message, so that a late message cannot change another image.
    rows : list of dict
        ``name``, ``color``, ``visible``, ``low``, ``high``, ``gamma``, ``least``, ``most`` (ends of the slider, in the
        image's units) and ``histogram`` (heights from 0 to 1).
    joint : bool
        Whether the single row stands for all channels: without colour and switch, but with a gamma.
    whole : bool
        Whether values are integers.
    """

    _esm = bundle("channel_controls")
    _css = style_sheet("channel_controls/style")

    image_name = traitlets.Unicode("").tag(sync=True)
    rows = traitlets.List(traitlets.Dict()).tag(sync=True)
    joint = traitlets.Bool(False).tag(sync=True)
    whole = traitlets.Bool(True).tag(sync=True)

    def __init__(self, on_change: Callable[[int, Mapping[str, Any]], None]) -> None:
        super().__init__()
        self._on_change = on_change
        self.on_msg(self._receive)

    def show(self, image_name: str, rows: Sequence[Mapping[str, Any]], joint: bool, whole: bool) -> None:
        """Show the channels of an image, in a single update."""
        fresh = [dict(row) for row in rows]
        with self.hold_sync():
            self.image_name, self.joint, self.whole = image_name, joint, whole
            if fresh != self.rows:
                self.rows = fresh

    def _receive(self, _: Any, content: Any, buffers: Any) -> None:
        if not isinstance(content, dict) or content.get("image") != self.image_name:
            return
        index, change = content.get("index"), content.get("change")
        if isinstance(index, int) and 0 <= index < len(self.rows) and isinstance(change, dict):
            self._on_change(index, change)
