"""Annotations: classes, shapes, the project with undo and its folder, label maps, GeoJSON, and splits.

Depends on NumPy, SciPy, scikit-image, Pillow, shapely, tifffile and `histowidgets.images`; not on torch or widgets.
"""

from histowidgets.annotations.agreement import Agreement, AgreementEstimate, Disagreement, compare_annotators
from histowidgets.annotations.project import (
    MOST_POINTS,
    ROLES,
    AuditPoint,
    AuditRecord,
    Change,
    ImportPreview,
    Judgement,
    Project,
    ProjectSnapshot,
    enclosed_areas,
    numbered_name,
    snapshot_of,
)
from histowidgets.annotations.raster import UNLABELLED, rasterize
from histowidgets.annotations.shapes import (
    MAX_CLASSES,
    PALETTE,
    Annotation,
    Line,
    Polygon,
    Rectangle,
    Shape,
    Stroke,
    is_ignored_class,
    painted_area,
    shape_from_dict,
)
from histowidgets.annotations.split import Conflict, Split, class_pixels, conflicts, split_project

__all__ = [
    "MAX_CLASSES",
    "MOST_POINTS",
    "PALETTE",
    "ROLES",
    "UNLABELLED",
    "Agreement",
    "AgreementEstimate",
    "Annotation",
    "AuditPoint",
    "AuditRecord",
    "Change",
    "Conflict",
    "Disagreement",
    "ImportPreview",
    "Judgement",
    "Line",
    "Polygon",
    "Project",
    "ProjectSnapshot",
    "Rectangle",
    "Shape",
    "Split",
    "Stroke",
    "class_pixels",
    "compare_annotators",
    "conflicts",
    "enclosed_areas",
    "is_ignored_class",
    "numbered_name",
    "painted_area",
    "rasterize",
    "shape_from_dict",
    "snapshot_of",
    "split_project",
]
