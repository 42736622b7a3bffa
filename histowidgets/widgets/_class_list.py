"""The list of classes: which one the brush paints, and how many annotations each still needs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anywidget
import traitlets

from histowidgets.widgets._style import STATIC

LEVELS = ("none", "red", "amber", "green")


class ClassList(anywidget.AnyWidget):
    """One row a class: its digit key, colour, name, and a bar from the first annotation to the recommended number.

    Attributes
    ----------
    rows : list of dict
        ``name``, ``color`` (``"#rrggbb"``), ``count``, ``recommended`` (0 for no target) and ``level``
        (one of `LEVELS`). Written from Python only.
    selected : str
        Name of the class that the brush paints. Written by the page and by Python.
    """

    _esm = STATIC / "class_list.js"
    _css = STATIC / "class_list.css"

    rows = traitlets.List(traitlets.Dict()).tag(sync=True)
    selected = traitlets.Unicode("").tag(sync=True)

    @traitlets.validate("selected")
    def _known(self, proposal: Any) -> str:
        names = [row["name"] for row in self.rows]
        if names and proposal["value"] not in names:
            raise traitlets.TraitError(f"no class is called {proposal['value']!r}; there are {names}")
        return str(proposal["value"])

    def show(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Replace the rows, and keep the selected class where it is still there."""
        fresh = [dict(row) for row in rows]
        if fresh != self.rows:
            self.rows = fresh
        names = [row["name"] for row in fresh]
        if names and self.selected not in names:
            self.selected = names[0]

    def on_select(self, callback: Callable[[str], None]) -> None:
        """Call `callback` with the name whenever another class is selected."""
        self.observe(lambda change: callback(change["new"]), names="selected")
