"""The project: images, classes and annotations, with undo, and its folder on disk."""

from histowidgets.annotations.project._add_image import numbered_name
from histowidgets.annotations.project._agreement_tiles import MOST_TILES, AgreementTile, AgreementTiles
from histowidgets.annotations.project._audit import (
    FEWEST_POINTS,
    MOST_POINTS,
    USUAL_POINTS,
    AuditPoint,
    AuditRecord,
    Judgement,
)
from histowidgets.annotations.project._enclosed import enclosed_areas
from histowidgets.annotations.project._exchange import ImportPreview
from histowidgets.annotations.project._project import Project, snapshot_of
from histowidgets.annotations.project._snapshot import ProjectSnapshot
from histowidgets.annotations.project._state import ROLES, Change

__all__ = [
    "FEWEST_POINTS",
    "MOST_POINTS",
    "MOST_TILES",
    "ROLES",
    "USUAL_POINTS",
    "AgreementTile",
    "AgreementTiles",
    "AuditPoint",
    "AuditRecord",
    "Change",
    "ImportPreview",
    "Judgement",
    "Project",
    "ProjectSnapshot",
    "enclosed_areas",
    "numbered_name",
    "snapshot_of",
]
