"""The edit that keeps the tiles for comparing annotators."""

from dataclasses import dataclass
from typing import ClassVar, Self

from histowidgets.annotations.project._agreement_tiles import AgreementTiles
from histowidgets.annotations.project._edit import Edit, image_state
from histowidgets.annotations.project._state import Change, Record, State
from histowidgets.errors import RegionError


@dataclass(frozen=True)
class SetAgreementTiles(Edit):
    """Keep tiles, instead of earlier ones."""

    op: ClassVar[str] = "agreement-tiles"
    tiles: AgreementTiles
    before: AgreementTiles | None

    @classmethod
    def make(cls, state: State, tiles: AgreementTiles) -> Self:
        """Check that the tiles lie on images of the project."""
        for tile in tiles.tiles:
            if not image_state(state, tile.image_name).image.region.contains(tile.region):
                raise RegionError(f"The tile {tile.region} is not inside image {tile.image_name!r}.")
        return cls(tiles, state.agreement_tiles)

    def to_record(self) -> Record:
        return {"op": self.op, **self.tiles.to_dict()}

    @classmethod
    def from_record(cls, record: Record, state: State) -> Self:
        return cls.make(state, AgreementTiles.from_dict(record))

    def apply(self, state: State) -> None:
        state.agreement_tiles = self.tiles

    def revert(self, state: State) -> None:
        state.agreement_tiles = self.before

    def change(self, state: State) -> Change:
        return Change("tiles")
