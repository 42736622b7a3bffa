"""Split labelled regions into training and validation, and find labels that contradict each other."""

from histowidgets.annotations.split._blocks import annotated_blocks, class_pixels
from histowidgets.annotations.split._conflicts import Conflict, conflicts
from histowidgets.annotations.split._split import Split, split_project

__all__ = [
    "Conflict",
    "Split",
    "annotated_blocks",
    "class_pixels",
    "conflicts",
    "split_project",
]
