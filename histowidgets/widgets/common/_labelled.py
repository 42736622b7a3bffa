"""Fields that fill the width of a panel, with their labels in one column."""

from typing import TypeVar

import ipywidgets

Field = TypeVar("Field", bound=ipywidgets.DOMWidget)


def wide(field: Field) -> Field:
    """Return a field that fills the width of its panel."""
    field.add_class("hw-wide")
    return field
