"""Tiles: planning and reading them, and blending the outputs for them into a probability map."""

from histowidgets.prediction.tiling._blank_tiles import BlankTiles
from histowidgets.prediction.tiling._blend import BLENDS, blended
from histowidgets.prediction.tiling._plan import AxisPlan, TileNeeds, TilePlan, plan_axis, plan_grids, plan_tiles
from histowidgets.prediction.tiling._prefetch import read_ahead
from histowidgets.prediction.tiling._probability_map import (
    BAND_ROWS,
    EDGE_ROWS,
    AxisPlace,
    ProbabilityMap,
    best_class,
    enlarged,
    kept_type,
)
from histowidgets.prediction.tiling._smoothing import Bands, averaged, reach_of, smoothed
from histowidgets.prediction.tiling._tile import Tile
from histowidgets.prediction.tiling._tta import mean_over_symmetries

__all__ = [
    "BAND_ROWS",
    "BLENDS",
    "EDGE_ROWS",
    "AxisPlace",
    "AxisPlan",
    "Bands",
    "BlankTiles",
    "ProbabilityMap",
    "Tile",
    "TileNeeds",
    "TilePlan",
    "averaged",
    "best_class",
    "blended",
    "enlarged",
    "kept_type",
    "mean_over_symmetries",
    "plan_axis",
    "plan_grids",
    "plan_tiles",
    "reach_of",
    "read_ahead",
    "smoothed",
]
