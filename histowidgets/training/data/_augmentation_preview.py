"""Pictures of what augmentation does to a tile."""

import numpy as np
import torch

from histowidgets.annotations import Project, ProjectSnapshot, Split, snapshot_of
from histowidgets.errors import SettingsError, TrainingDataError
from histowidgets.training.data._augmentation import Augmentation
from histowidgets.training.data._channels import with_channels
from histowidgets.training.data._normalization import normalization_of
from histowidgets.training.data._pixel_size import at_common_pixel_size
from histowidgets.training.data._sampling import plan_sampling
from histowidgets.training.data._tiles import TrainingTiles
from histowidgets.training.settings import TrainingSettings

#: Largest number of variations.
MOST = 64


def preview_augmentation(
    project: Project | ProjectSnapshot, settings: TrainingSettings | None = None, n: int = 6, seed: int = 0
) -> list[np.ndarray]:
    """Show the effect of augmentation on a real tile: the original, and `n` variations as in training.

    Parameters
    ----------
    project : Project or ProjectSnapshot
        Must have at least one annotation, around which the tile is cut.
    settings : TrainingSettings, optional
        Tile size, downsample, normalization and augmentation; the defaults if left out.
    n : int
        Variations, 1 to 64.
    seed : int
        0 or more; determines the tile and the variations. With other settings, the same seed shows the same tile.

    Returns
    -------
    list of ndarray, each (T, T, 3), uint8
        The tile, normalized as for the network, then its variations. Three channels are shown as red, green and blue,
        one as grey; of other numbers the first three are shown.

    Raises
    ------
    TrainingDataError
        Nothing is painted.
    SettingsError
        `n` or `seed` is out of range.
    """
    settings = settings if settings is not None else TrainingSettings()
    if not 1 <= n <= MOST:
        raise SettingsError(f"n is {n}; expected 1 to {MOST} variations.")
    if seed < 0:
        raise SettingsError(f"seed is {seed}; expected 0 or more.")
    snapshot = snapshot_of(project)
    snapshot = with_channels(snapshot, settings.channels)
    snapshot = at_common_pixel_size(snapshot, settings.pixel_size_um).snapshot
    tiles_of = settings.tile_size, settings.downsample, settings.tile_overlap, settings.seed
    plan = plan_sampling(snapshot, Split({}), *tiles_of)
    if not plan.samples:
        raise TrainingDataError("Nothing is painted yet. Paint a stroke: the preview shows the tile around it.")
    images = [snapshot.images[name] for name in snapshot.annotated_names()]
    normalization = normalization_of(settings).fitted(images)

    def variations(augmentation: Augmentation | None, number: int) -> list[torch.Tensor]:
        tiles = TrainingTiles(
            plan,
            snapshot,
            normalization,
            tile_size=settings.tile_size,
            downsample=settings.downsample,
            batch_size=settings.batch_size,
            augmentation=augmentation,
            seed=settings.seed,
        )
        return tiles.variations(number, seed)

    before, after = variations(None, 1), variations(Augmentation.of(settings), n)
    return [_picture(tile) for tile in (*before, *after)]


def _picture(tile: torch.Tensor) -> np.ndarray:
    """Convert a tile (C, T, T) in [0, 1] to a picture (T, T, 3), uint8."""
    pixels = tile.permute(1, 2, 0).numpy()
    if pixels.shape[2] == 1:
        pixels = np.repeat(pixels, 3, axis=2)
    shown = np.zeros((*pixels.shape[:2], 3), np.float32)
    shown[..., : min(3, pixels.shape[2])] = pixels[..., :3]
    return np.round(shown.clip(0, 1) * 255).astype(np.uint8)
