"""The project: images, classes, annotations, undo, and the journal on disk."""

from histowidgets.annotations.project._project import Project, numbered_name, snapshot_of
from histowidgets.annotations.project._snapshot import ProjectSnapshot
from histowidgets.annotations.project._state import ROLES, Change

__all__ = [
    "ROLES",
    "Change",
    "Project",
    "ProjectSnapshot",
    "numbered_name",
    "snapshot_of",
]
