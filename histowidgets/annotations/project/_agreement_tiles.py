"""The tiles that several annotators label without seeing each other's labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from histowidgets.errors import ProjectError
from histowidgets.images import Region

#: Most tiles of a project.
MOST_TILES = 1_000


@dataclass(frozen=True)
class AgreementTile:
    """A place that each annotator labels.

    Attributes
    ----------
    image_name : str
    region : Region
        In full-size pixels.
    """

    image_name: str
    region: Region


@dataclass(frozen=True)
class AgreementTiles:
    """Tiles that were drawn at random, for `compare_annotators`.

    Attributes
    ----------
    tiles : tuple of AgreementTile
        In the order in which they were drawn.
    size_um : float
        Side of a tile in um; in pixels on an image without a pixel size.
    seed : int
    """

    tiles: tuple[AgreementTile, ...]
    size_um: float
    seed: int

    def __len__(self) -> int:
        return len(self.tiles)

    def __str__(self) -> str:
        images = len({one.image_name for one in self.tiles})
        return (
            f"{len(self)} tile{'' if len(self) == 1 else 's'} of {self.size_um:g} um on {images} "
            f"image{'' if images == 1 else 's'} (seed {self.seed})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        tiles = [[one.image_name, *map(int, one.region)] for one in self.tiles]
        return {"tiles": tiles, "size_um": self.size_um, "seed": self.seed}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "AgreementTiles":
        """Make tiles from the result of `to_dict` (ProjectError if they are invalid)."""
        tiles = []
        for name, *edges in values["tiles"]:
            region = Region(*(int(edge) for edge in edges))
            if region.width < 1 or region.height < 1:
                raise ProjectError(f"A tile of {region.width} x {region.height} pixels has no area.")
            tiles.append(AgreementTile(str(name), region))
        if not 0 < len(tiles) <= MOST_TILES:
            raise ProjectError(f"There are {len(tiles)} tiles; a project can have 1 to {MOST_TILES}.")
        return cls(tuple(tiles), float(values["size_um"]), int(values["seed"]))
