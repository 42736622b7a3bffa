"""Draw the tiles that several annotators label, and say which of them are done."""

import math
from collections.abc import Sequence

import numpy as np

from histowidgets._checks import is_within
from histowidgets.annotations.project import (
    MOST_TILES,
    AgreementTile,
    AgreementTiles,
    Project,
    ProjectSnapshot,
    snapshot_of,
)
from histowidgets.annotations.raster import UNLABELLED, rasterize
from histowidgets.annotations.shapes import drawn_by
from histowidgets.errors import HistowidgetsError, ImageError, ImageNameError, ProjectError
from histowidgets.images import Image, Region, measure_statistics

#: Draws of a place for each tile that is wanted, before there are said to be too few places.
TRIES = 200
#: A tile whose values scatter less than this part of the image's is blank, such as glass.
LEAST_STRUCTURE = 0.2


def agreement_tiles(
    project: Project,
    n: int = 20,
    *,
    size_um: float = 100.0,
    images: Sequence[str] | None = None,
    seed: int = 0,
) -> AgreementTiles:
    """Draw tiles at random that several annotators label without seeing each other's labels.

    The tiles are kept in the project, instead of earlier ones, as one step of undo. In the studio, the tab
    Project shows one after the other, and "Hide others' annotations" hides what other people drew. Afterwards,
    `compare_annotators` compares the labels in them. Two projects with the same images get the same tiles from the same
    arguments.

    Places are drawn with equal probability over the area of the images. Tiles do not overlap. Blank ones, whose values
    scatter less than a fifth as much as those of the whole image (glass, for instance), are drawn again.

    Parameters
    ----------
    project : Project
    n : int, default 20
        Number of tiles, 1 to 1000. Fewer than 20 give wide intervals.
    size_um : float, default 100
        Side of a tile, in um; in pixels on an image without a pixel size. At most that of the image.
    images : sequence of str, optional
        The images to draw on; by default all that can be read.
    seed : int, default 0

    Returns
    -------
    AgreementTiles

    Raises
    ------
    ProjectError
        If `n`, `size_um` or `seed` is not accepted, or there is not enough room for the tiles.
    ImageNameError
        If there is no image of that name.
    ImageError
        If an image that was named cannot be read, or none can.
    """
    for name, value, least, most in (("n", n, 1, MOST_TILES), ("seed", seed, 0, 2**63 - 1)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value <= most:
            raise ProjectError(f"{name} is {value!r}; expected a whole number from {least} to {most}.")
    if not (is_within(size_um, 0) and 0 < size_um < math.inf):
        raise ProjectError(f"size_um is {size_um!r}; expected a number above 0.")
    snapshot = snapshot_of(project)
    unknown = [name for name in images or () if name not in snapshot.images]
    if unknown:
        raise ImageNameError(f"There is no image named {unknown[0]!r}; the images are {', '.join(snapshot.images)}.")
    scatter = _scatter(snapshot, images)
    drawn = _draw(snapshot, scatter, int(n), float(size_um), int(seed))
    found = AgreementTiles(tuple(drawn), float(size_um), int(seed))
    project.set_agreement_tiles(found)
    return found


def _scatter(snapshot: ProjectSnapshot, images: Sequence[str] | None) -> dict[str, np.ndarray]:
    """Return the standard deviation of each channel of the images that can be read."""
    found, failed = dict[str, np.ndarray](), list[str]()
    for name in sorted(snapshot.images if images is None else set(images)):
        try:
            channels = measure_statistics([snapshot.images[name]]).channels
            found[name] = np.array([one.std for one in channels])
        except (HistowidgetsError, OSError) as error:
            if images is not None:
                raise ImageError(f"The image {name!r} cannot be read: {error}") from error
            failed.append(f"{name}: {error}")
    if not found:
        raise ImageError("The project has no image to draw tiles on. " + "; ".join(failed))
    return found


def _draw(
    snapshot: ProjectSnapshot, scatter: dict[str, np.ndarray], n: int, size_um: float, seed: int
) -> list[AgreementTile]:
    rng, names = np.random.default_rng(seed), list(scatter)
    areas = np.array([snapshot.images[name].region.area for name in names], float)
    tiles: list[AgreementTile] = []
    for _ in range(TRIES * n):
        name = names[int(rng.choice(len(names), p=areas / areas.sum()))]
        image = snapshot.images[name]
        region = _place(image, size_um, rng)
        taken = any(one.image_name == name and one.region.intersect(region) is not None for one in tiles)
        if taken or _is_blank(image, region, scatter[name]):
            continue
        tiles.append(AgreementTile(name, region))
        if len(tiles) == n:
            return tiles
    raise ProjectError(
        f"There is room for {len(tiles)} tiles of {size_um:g} um (or pixels) that show something, not for {n}. Ask for "
        "fewer or smaller ones, or add images."
    )


def _place(image: Image, size_um: float, rng: np.random.Generator) -> Region:
    side = size_um if image.pixel_size_um is None else size_um / image.pixel_size_um
    width, height = (max(1, min(round(side), length)) for length in (image.width, image.height))
    x, y = (int(rng.integers(0, free + 1)) for free in (image.width - width, image.height - height))
    return Region(x, y, width, height)


def _is_blank(image: Image, region: Region, scatter: np.ndarray) -> bool:
    step = max(1, min(region.width, region.height) // 128)
    pixels = image.read(*region, downsample=step).astype(np.float64)
    values = pixels.reshape(-1, pixels.shape[-1])
    known = values[~np.isnan(values).any(axis=1)]
    return 2 * len(known) < len(values) or bool((known.std(axis=0) < LEAST_STRUCTURE * scatter).all())


def tiles_done(project: Project | ProjectSnapshot, annotator: str) -> list[bool]:
    """Say for each of the project's tiles whether an annotator has labelled any of it."""
    snapshot = snapshot_of(project)
    if snapshot.agreement_tiles is None:
        return []
    done = []
    for tile in snapshot.agreement_tiles.tiles:
        drawn = drawn_by(snapshot.near(tile.image_name, tile.region), annotator) if _has(snapshot, tile) else []
        labels = rasterize(drawn, snapshot.class_index, tile.region)
        done.append(bool((labels != UNLABELLED).any()))
    return done


def _has(snapshot: ProjectSnapshot, tile: AgreementTile) -> bool:
    return tile.image_name in snapshot.images  # it may have been removed
