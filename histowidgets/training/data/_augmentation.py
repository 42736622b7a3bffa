"""Augmentation of tiles: geometry, for pixels and labels, and colour, for pixels only.

torchvision's random transforms draw from torch's global generator, and use the same parameters for all tiles of a
batch. Here each tile draws its own parameters from the generator of the run, so that runs are reproducible by their
seed and no other random numbers change. All geometric changes are combined, so that the cached pixels are resampled
only once.
"""

import math
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch.nn import functional
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as transforms

from histowidgets.annotations import UNLABELLED
from histowidgets.training.settings import TrainingSettings

#: Matrix from optical densities of red, green, blue to haematoxylin, eosin, DAB (Ruifrok & Johnston 2001, as in
#: scikit-image).
HED_FROM_RGB = np.linalg.inv(np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]], dtype=np.float64))

_RGB_FROM_HED = np.linalg.inv(HED_FROM_RGB)
_DARKEST = 1.0 / 255.0
#: Standard deviation, in pixels, of the shifts of an elastic deformation at full strength.
_ELASTIC_PIXELS = 10.0
#: Largest shift, in pixels, of an elastic deformation at full strength, for all but a few pixels in a thousand.
ELASTIC_REACH = 3 * _ELASTIC_PIXELS
_ELASTIC_GRID = 8
#: Weights of red, green and blue in the luminance (ITU-R BT.601).
_GREY = np.array([0.299, 0.587, 0.114])
#: Range of the hue, in full turns, as a share of ``color_jitter``.
_HUE_SHARE = 0.2


@dataclass(frozen=True)
class Augmentation:
    """How much tiles are varied; the fields are those of `TrainingSettings`, and 0 (for `scale`, 1) changes nothing.

    Attributes
    ----------
    flip, rotate90 : bool
        Whether to flip, and to rotate by multiples of 90 degrees.
    rotation : float
        Largest rotation, in degrees.
    scale : float
        Largest factor by which tiles are enlarged or shrunk, 1 or more.
    brightness, contrast, color_jitter, stain_jitter, channel_jitter : float
        Largest fraction by which these vary; colour and stain vary only in colour brightfield images.
    elastic : float
        Strength of the elastic deformation, 0 to 1.
    blur : float
        Largest standard deviation of the blur, in pixels.
    noise : float
        Largest standard deviation of the noise, for values from 0 to 1.
    """

    flip: bool = False
    rotate90: bool = False
    rotation: float = 0.0
    scale: float = 1.0
    brightness: float = 0.0
    contrast: float = 0.0
    color_jitter: float = 0.0
    stain_jitter: float = 0.0
    channel_jitter: float = 0.0
    elastic: float = 0.0
    blur: float = 0.0
    noise: float = 0.0

    @classmethod
    def of(cls, settings: TrainingSettings) -> "Augmentation | None":
        """Return the augmentation of the settings; None if it is off."""
        if not settings.augmentation:
            return None
        return cls(**{field.name: getattr(settings, field.name) for field in fields(cls)})


@dataclass(frozen=True)
class Geometry:
    """The transformation of one tile: `zoom` above 1 enlarges; `turn` is in radians; mirroring comes first."""

    zoom: float = 1.0
    turn: float = 0.0
    mirrored: bool = False

    @property
    def is_exact(self) -> bool:
        """Whether pixels are only rearranged, by quarter turns and mirroring, without resampling."""
        quarter = self.turn / (math.pi / 2)
        return self.zoom == 1.0 and abs(quarter - round(quarter)) < 1e-9


def draw_geometry(augmentation: Augmentation, rng: np.random.Generator) -> Geometry:
    """Draw the mirroring, rotation and scale of a tile."""
    zoom = float(np.exp(rng.uniform(-1, 1) * math.log(augmentation.scale)))
    turn = math.radians(rng.uniform(-augmentation.rotation, augmentation.rotation))
    mirrored = False
    if augmentation.flip:
        mirrored = bool(rng.integers(2))
        turn += math.pi * int(rng.integers(2))  # with mirroring, a half turn gives the vertical flip
    if augmentation.rotate90:
        turn += math.pi / 2 * int(rng.integers(4))
    return Geometry(zoom, turn, mirrored)


def cut_tile(
    pixels: torch.Tensor, labels: torch.Tensor, center: tuple[float, float], size: int, geometry: Geometry
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cut one tile out of a window.

    Parameters
    ----------
    pixels : Tensor, (C, h, w), float32
        The window.
    labels : Tensor, (h, w), uint8
        Its labels.
    center : (float, float)
        x, y of the tile's centre, in pixels of the window; pixel 0 extends from 0 to 1.
    size : int
        Side of the tile.
    geometry : Geometry
        The transformation of the tile.

    Returns
    -------
    pixels : Tensor, (C, size, size)
        Mirrored outside the window.
    labels : Tensor, (size, size), uint8
        255 outside the window.
    """
    height, width = labels.shape
    left, top = round(center[0] - size / 2), round(center[1] - size / 2)
    if geometry.is_exact and 0 <= left <= width - size and 0 <= top <= height - size:
        image = pixels[:, top : top + size, left : left + size]
        mask = labels[top : top + size, left : left + size]
        if geometry.mirrored:
            image, mask = image.flip(-1), mask.flip(-1)
        quarter = round(geometry.turn / (math.pi / 2)) % 4
        return torch.rot90(image, quarter, (-2, -1)), torch.rot90(mask, quarter, (-2, -1))
    pixels, labels, center = _around(pixels, labels, center, size / geometry.zoom)
    height, width = labels.shape
    cos, sin = math.cos(geometry.turn) / geometry.zoom, math.sin(geometry.turn) / geometry.zoom
    flip = -1.0 if geometry.mirrored else 1.0
    # Maps the tile's coordinates, -1 to 1, to the window's, as affine_grid needs.
    theta = torch.tensor(
        [
            [flip * cos * size / width, -flip * sin * size / width, 2 * center[0] / width - 1],
            [sin * size / height, cos * size / height, 2 * center[1] / height - 1],
        ],
        dtype=torch.float32,
    )
    grid = functional.affine_grid(theta[None], [1, 1, size, size], align_corners=False)
    image = functional.grid_sample(pixels[None], grid, mode="bilinear", padding_mode="reflection", align_corners=False)[
        0
    ]
    # grid_sample fills with 0, so 0 temporarily means "unlabelled".
    shifted = labels[None, None].to(torch.float32) - UNLABELLED
    mask = functional.grid_sample(shifted, grid, mode="nearest", padding_mode="zeros", align_corners=False)[0, 0]
    return image, (mask + UNLABELLED).to(torch.uint8)


def _around(
    pixels: torch.Tensor, labels: torch.Tensor, center: tuple[float, float], extent: float
) -> tuple[torch.Tensor, torch.Tensor, tuple[float, float]]:
    """Crop a window to what a tile of side `extent` can touch at any angle, to convert fewer pixels."""
    reach = math.ceil(extent * math.sqrt(0.5)) + 2
    height, width = labels.shape
    left, right = max(0, int(center[0]) - reach), min(width, int(center[0]) + reach + 1)
    top, bottom = max(0, int(center[1]) - reach), min(height, int(center[1]) + reach + 1)
    return (
        pixels[:, top:bottom, left:right],
        labels[top:bottom, left:right],
        (center[0] - left, center[1] - top),
    )


def deform(
    pixels: torch.Tensor, labels: torch.Tensor, strength: float, rng: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Deform a tile elastically, by random shifts on a coarse grid (Simard et al. 2003).

    Parameters
    ----------
    pixels : Tensor, (C, size, size)
        The tile.
    labels : Tensor, (size, size), uint8
        Its labels; the result is 255 where the deformation extends beyond the tile.
    strength : float
        0 to 1; 1 means a standard deviation of ten pixels.
    rng : Generator
        Draws the shifts.
    """
    size = labels.shape[-1]
    coarse = torch.from_numpy(rng.normal(size=(1, 2, _ELASTIC_GRID, _ELASTIC_GRID)).astype(np.float32))
    smooth = functional.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=True)
    shift = smooth.permute(0, 2, 3, 1) * (strength * _ELASTIC_PIXELS * 2 / size)
    fill = pixels.mean(dim=(1, 2)).tolist()
    image = transforms.elastic(pixels, shift, interpolation=InterpolationMode.BILINEAR, fill=fill)
    shifted = labels[None].to(torch.float32) - UNLABELLED
    mask = transforms.elastic(shifted, shift, interpolation=InterpolationMode.NEAREST)[0]
    return image, (mask + UNLABELLED).to(torch.uint8)


def vary_color(
    batch: torch.Tensor, augmentation: Augmentation, rng: np.random.Generator, brightfield: bool = True
) -> torch.Tensor:
    """Vary stain, brightness, contrast, saturation and hue, or each channel, of a batch; then blur and add noise.

    Parameters
    ----------
    batch : Tensor, (N, C, H, W)
        In [0, 1]; not changed.
    augmentation : Augmentation
        How much to vary.
    rng : Generator
        Draws the parameters of each tile.
    brightfield : bool
        Whether the three channels are the colours of a stained scan; otherwise each channel varies independently.

    Returns
    -------
    Tensor
        Same shape, in [0, 1].
    """
    n, channels = batch.shape[:2]
    colors = brightfield and channels == 3
    if colors and augmentation.stain_jitter > 0:
        batch = _vary_stain(batch, augmentation.stain_jitter, rng)
    if colors:
        matrix, offset = _color_maps(n, augmentation, rng)
    else:
        matrix, offset = _channel_maps(n, channels, augmentation, rng)
    center = batch.mean(dim=(2, 3), keepdim=True)
    contrast = 1 + rng.uniform(-1, 1, n) * augmentation.contrast
    matrix = matrix * contrast[:, None, None]
    mixed = torch.einsum("nij,njhw->nihw", torch.from_numpy(matrix).to(batch), batch - center)
    shift = torch.from_numpy(offset).to(batch)[:, :, None, None]
    varied = mixed.add_(center + shift).clamp_(0, 1)
    if augmentation.blur > 0:
        varied = _blur(varied, augmentation.blur, rng)
    if augmentation.noise > 0:
        varied = _add_noise(varied, augmentation.noise, rng)
    return varied


def _blur(batch: torch.Tensor, most: float, rng: np.random.Generator) -> torch.Tensor:
    """Blur each tile by a Gaussian with a random standard deviation of up to `most` pixels."""
    blurred = []
    for tile, sigma in zip(batch, rng.uniform(0, most, len(batch)).tolist(), strict=True):
        side = 2 * math.ceil(3 * sigma) + 1
        # torchvision divides by sigma, which may be 0; a kernel of one pixel would change nothing anyway.
        blurred.append(transforms.gaussian_blur(tile, [side, side], [sigma, sigma]) if side > 1 else tile)
    return torch.stack(blurred)


def _add_noise(batch: torch.Tensor, most: float, rng: np.random.Generator) -> torch.Tensor:
    """Add Gaussian noise to each tile, with a random standard deviation of up to `most`."""
    strength = rng.uniform(0, most, (len(batch), 1, 1, 1)).astype(np.float32)
    noise = rng.standard_normal(tuple(batch.shape), dtype=np.float32) * strength
    return batch.add(torch.from_numpy(noise).to(batch)).clamp_(0, 1)


def _vary_stain(batch: torch.Tensor, amount: float, rng: np.random.Generator) -> torch.Tensor:
    """Scale and shift the three stains independently, in optical density (Tellez et al. 2018)."""
    n = len(batch)
    scale = 1 + rng.uniform(-1, 1, (n, 3)) * amount
    shift = rng.uniform(-1, 1, (n, 3)) * amount * 0.1
    # With densities as rows, density @ HED_FROM_RGB gives stains. All steps are one matrix, transposed for columns.
    matrix = np.einsum("ij,nj,jk->nki", HED_FROM_RGB, scale, _RGB_FROM_HED)
    offset = np.einsum("nj,jk->nk", shift, _RGB_FROM_HED)
    density = batch.clamp(min=_DARKEST).log_().neg_()
    mixed = torch.einsum("nij,njhw->nihw", torch.from_numpy(matrix).to(batch), density)
    mixed += torch.from_numpy(offset).to(batch)[:, :, None, None]
    return mixed.neg_().exp_().clamp_(0, 1)


def _color_maps(n: int, augmentation: Augmentation, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw matrices (n, 3, 3) for saturation and hue, and brightness offsets (n, 3)."""
    saturation = 1 + rng.uniform(-1, 1, n) * augmentation.color_jitter
    hue = rng.uniform(-1, 1, n) * augmentation.color_jitter * _HUE_SHARE * 2 * math.pi
    grey = np.broadcast_to(_GREY, (3, 3))
    # A rotation about the grey axis (1, 1, 1), by Rodrigues' formula.
    third, root = 1 / 3, math.sqrt(1 / 3)
    cross = np.array([[0, -root, root], [root, 0, -root], [-root, root, 0]])
    cos, sin = np.cos(hue)[:, None, None], np.sin(hue)[:, None, None]
    turn = cos * np.eye(3) + (1 - cos) * third + sin * cross
    saturate = saturation[:, None, None] * np.eye(3) + (1 - saturation[:, None, None]) * grey
    offset = np.repeat(rng.uniform(-1, 1, (n, 1)) * augmentation.brightness, 3, axis=1)
    return saturate @ turn, offset


def _channel_maps(
    n: int, channels: int, augmentation: Augmentation, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw diagonal matrices (n, C, C) and offsets (n, C) that vary each channel independently."""
    gain = 1 + rng.uniform(-1, 1, (n, channels)) * augmentation.channel_jitter
    offset = rng.uniform(-1, 1, (n, channels)) * augmentation.channel_jitter * 0.5
    return gain[:, :, None] * np.eye(channels), offset + rng.uniform(-1, 1, (n, 1)) * augmentation.brightness
