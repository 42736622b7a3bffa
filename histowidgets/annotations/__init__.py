"""Annotations: classes, shapes, the project with undo and its folder, label maps, GeoJSON, and splits.

Knows NumPy, SciPy, scikit-image, Pillow, shapely, tifffile and the `images` room; neither torch nor any widget.
"""

from histowidgets.annotations._annotation import Annotation
from histowidgets.annotations._blocks import class_pixels
from histowidgets.annotations._classes import MAX_CLASSES, PALETTE
from histowidgets.annotations._conflicts import Conflict, conflicts
from histowidgets.annotations._geometry import painted_area
from histowidgets.annotations._labels import UNLABELLED, rasterize
from histowidgets.annotations._project import Project, numbered_name, snapshot_of
from histowidgets.annotations._shapes import Line, Polygon, Rectangle, Shape, Stroke, shape_from_dict
from histowidgets.annotations._snapshot import ProjectSnapshot
from histowidgets.annotations._split import Split, split_project
from histowidgets.annotations._state import ROLES, Change

__all__ = [
    "MAX_CLASSES",
    "PALETTE",
    "ROLES",
    "UNLABELLED",
    "Annotation",
    "Change",
    "Conflict",
    "Line",
    "Polygon",
    "Project",
    "ProjectSnapshot",
    "Rectangle",
    "Shape",
    "Split",
    "Stroke",
    "class_pixels",
    "conflicts",
    "numbered_name",
    "painted_area",
    "rasterize",
    "shape_from_dict",
    "snapshot_of",
    "split_project",
]
