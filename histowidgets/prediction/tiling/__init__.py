"""Tiles: which to cut, how to read them ahead, how to blend their answers."""

from histowidgets.prediction.tiling._blank_tiles import BlankTiles
from histowidgets.prediction.tiling._blend import BLENDS, blended
from histowidgets.prediction.tiling._plan import AxisPlan
from histowidgets.prediction.tiling._plan_tiles import TileNeeds, TilePlan, plan_grids, plan_tiles
from histowidgets.prediction.tiling._prefetch import read_ahead
from histowidgets.prediction.tiling._probability_map import EDGE_ROWS, ProbabilityMap, best_class, enlarged, kept_type
from histowidgets.prediction.tiling._smoothing import Bands, averaged, reach_of, smoothed
from histowidgets.prediction.tiling._tile import Tile, read_tile
from histowidgets.prediction.tiling._tta import mean_over_symmetries

__all__ = [
    "BLENDS",
    "EDGE_ROWS",
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
    "plan_grids",
    "plan_tiles",
    "reach_of",
    "read_ahead",
    "read_tile",
    "smoothed",
]
