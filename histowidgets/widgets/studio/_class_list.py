"""The list of classes: the one that the brush paints, and the number of annotations that each needs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anywidget
import traitlets

from histowidgets.widgets.common import bundle, style_sheet


class ClassList(anywidget.AnyWidget):
    """A row for each class: digit key, colour, name, and a progress bar of the annotations that it needs.

    Each row has a menu to rename, recolour, merge and delete the class, and the last line adds a class. These requests
    are passed to the callbacks of `on_edit`.

    Attributes
    ----------
    rows : list of dict
        ``name``, ``color`` (``"#rrggbb"``), ``count``, ``goal`` (the least it needs; 0 for none), ``good`` (what is
        recommended), and optionally ``locked`` (why the class cannot be deleted) and ``pattern`` (the URL of its
        hatching). Written from Python only.
    editable : bool
        Whether classes can be changed on the page.
    selected : str
        Name of the class that the brush paints. Written by the page and by Python.
    """

    _esm = bundle("class_list")
    _css = style_sheet("common/popup", "class_list/style")

    rows = traitlets.List(traitlets.Dict()).tag(sync=True)
    selected = traitlets.Unicode("").tag(sync=True)
    editable = traitlets.Bool(False).tag(sync=True)

    def __init__(self) -> None:
        self._edit_callbacks: list[Callable[[Mapping[str, Any]], None]] = []
        super().__init__()
        self.on_msg(self._on_message)

    @traitlets.validate("selected")
    def _known(self, proposal: Any) -> str:
        names = [row["name"] for row in self.rows]
        if names and proposal["value"] not in names:
            raise traitlets.TraitError(f"There is no class {proposal['value']!r}; the classes are {names}.")
        return str(proposal["value"])

    def show(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Replace the rows, and keep the selected class if it still exists."""
        fresh = [dict(row) for row in rows]
        if fresh != self.rows:
            self.rows = fresh
        names = [row["name"] for row in fresh]
        if names and self.selected not in names:
            self.selected = names[0]

    def on_select(self, callback: Callable[[str], None]) -> None:
        """Call `callback` with the name whenever another class is selected."""
        self.observe(lambda change: callback(change["new"]), names="selected")

    def on_edit(self, callback: Callable[[Mapping[str, Any]], None]) -> None:
        """Call `callback` with each request of the user.

        The request is a dict with ``kind`` ("add", "rename", "recolor", "merge" or "delete"), ``name``, and ``to``,
        ``color`` or ``into``.
        """
        self._edit_callbacks.append(callback)

    def say(self, text: str, level: str = "good") -> None:
        """Show the result of a request under the list, at level "good" or "error"."""
        self.send({"kind": "said", "text": text, "level": level})

    def _on_message(self, _: Any, content: Any, buffers: Any) -> None:
        if isinstance(content, dict):
            for callback in list(self._edit_callbacks):
                callback(content)
