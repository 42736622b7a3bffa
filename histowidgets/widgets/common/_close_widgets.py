"""Close a widget and all widgets that it refers to, since widgets live in the kernel until closed."""

from collections.abc import Iterator
from typing import Any

import ipywidgets


def _inside(value: Any) -> Iterator[ipywidgets.Widget]:
    if isinstance(value, ipywidgets.Widget):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _inside(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _inside(item)


def widget_tree(widget: ipywidgets.Widget) -> list[ipywidgets.Widget]:
    """Return a widget and all that its synced traits refer to, including layouts, styles, marks and scales."""
    found: dict[int, ipywidgets.Widget] = {}
    waiting = [widget]
    while waiting:
        one = waiting.pop()
        if id(one) in found:
            continue
        found[id(one)] = one
        for name in one.keys:
            waiting.extend(_inside(getattr(one, name)))
    return list(found.values())


def close_tree(widget: ipywidgets.Widget) -> None:
    """Close a widget and every widget that it refers to."""
    for one in widget_tree(widget):
        ipywidgets.Widget.close(one)
