"""Decide what the stored samples of a file mean, and convert them to the channels of an image."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from histowidgets.errors import ImageOpenError
from histowidgets.images.readers._layout import over_white

#: What is stored, and what it becomes; shown as a table in docs/reference/file-formats.md.
MEANINGS = (
    ("gray, black is 0 (MINISBLACK)", "one channel of the stored values; 1 bit becomes 0 and 255"),
    ("gray, white is 0 (MINISWHITE)", "one channel, taken from the largest value of its bits: 255, 4095, 65535"),
    ("red, green, blue (RGB)", "three channels of the stored values"),
    ("palette (PALETTE)", "red, green and blue of 8 bits; ImageJ's palettes are for display alone: the stored values"),
    ("YCbCr", "red, green and blue, by the coefficients and the reference of the file"),
    ("cyan, magenta, yellow, black (SEPARATED)", "red, green and blue; other inks: one channel each"),
    ("CIE L*a*b* (CIELAB, ICCLAB)", "red, green and blue of sRGB"),
    ("transparency, beside colours or gray", "laid over white; left out where it is the same everywhere"),
    ("transparency by default tags, which is none", "a channel: such files are stacks of two or four channels"),
    ("other extra samples", "one channel each"),
    ("raw camera data (CFA), LogLuv", "refused: convert them first"),
)

#: Number of colour samples per pixel, by the name of the colour space in a TIFF.
_COLOURS = {"RGB": 3, "YCBCR": 3, "CIELAB": 3, "ICCLAB": 3, "SEPARATED": 4, "PALETTE": 1}
_REFUSED = {
    "CFA": "raw data of a camera. Develop it to RGB",
    "LOGL": "LogLuv colours. Convert it to RGB",
    "LOGLUV": "LogLuv colours. Convert it to RGB",
    "ITULAB": "ITU L*a*b* colours. Convert it to RGB",
    "DEPTH_MAP": "a depth map. Convert it to gray",
    "SEMANTIC_MASK": "a mask of another picture. Convert it to gray",
}
#: Values of ExtraSamples that mean transparency; with 1, the colours were multiplied by it.
_MULTIPLIED, _TRANSPARENCY = 1, (1, 2)
#: Share of fully opaque or fully transparent pixels from which a last sample counts as transparency, although the
#: file's writer marks every such sample as transparency.
LEAST_EXTREME = 0.5

_D50 = np.array([0.96422, 1.0, 0.82521])
#: From XYZ (D50) to linear sRGB (D65), adapted with Bradford's matrix.
_RGB_OF_XYZ_D50 = np.array(
    [[3.1338561, -1.6168667, -0.4906146], [-0.9787684, 1.9161415, 0.0334540], [0.0719453, -0.2289914, 1.4052427]]
)

_YCBCR_COEFFICIENTS = (0.299, 0.587, 0.114)
_YCBCR_REFERENCE = (0.0, 255.0, 128.0, 255.0, 128.0, 255.0)


class Stored(NamedTuple):
    """A file's description of the samples of a pixel.

    Attributes
    ----------
    photometric : str
        Name of the colour space as in TIFF, e.g. "MINISWHITE".
    samples : int
        Stored samples per pixel.
    dtype : numpy.dtype
        Dtype of decoded samples.
    bits : int
        Bits per sample.
    extra : tuple of int
        Values of ExtraSamples.
    colormap : ndarray of (3, n), uint16, or None
        The palette; None where it is for display alone.
    is_decoded : bool
        Whether the codec returns RGB, whatever the file says (JPEG and related codecs).
    by_default : bool
        Whether the writer marks the last of any two or four channels as transparency.
    is_certain : bool
        Whether the last sample is certainly transparency.
    has_inks : bool
        Whether the separations are inks other than cyan, magenta, yellow and black.
    coefficients, reference : tuple of float
        Conversion coefficients and reference values of YCbCr.
    """

    photometric: str
    samples: int
    dtype: np.dtype
    bits: int
    extra: tuple[int, ...] = ()
    colormap: np.ndarray | None = None
    is_decoded: bool = False
    by_default: bool = False
    is_certain: bool = False
    has_inks: bool = False
    coefficients: tuple[float, ...] = _YCBCR_COEFFICIENTS
    reference: tuple[float, ...] = _YCBCR_REFERENCE

    @property
    def n_colours(self) -> int:
        """Number of samples that are colours or gray; the others are extra."""
        count = _COLOURS.get(self.photometric, 1)
        if self.photometric == "SEPARATED" and self.has_inks:
            count = self.samples - len(self.extra)
        return min(count, self.samples)

    @property
    def is_picture(self) -> bool:
        """Whether such a page is an image by itself, as it is in colour."""
        if self.photometric == "PALETTE":
            return self.colormap is not None
        return self.photometric in _COLOURS and self.samples >= 3

    @property
    def may_be_clear(self) -> bool:
        """Whether the last sample may be transparency."""
        return len(self.extra) > 0 and self.extra[0] in _TRANSPARENCY and self.samples == self.n_colours + 1


class Interpretation(NamedTuple):
    """How stored samples become the channels of an image.

    Attributes
    ----------
    n_channels : int
    dtype : numpy.dtype
        Dtype before conversion by `as_kept`.
    convert : callable
        Converts (rows, cols, samples) to (rows, cols, channels).
    notes : tuple of str
    """

    n_channels: int
    dtype: np.dtype
    convert: Callable[[np.ndarray], np.ndarray]
    notes: tuple[str, ...] = ()


def interpret(stored: Stored, name: str, sample: Callable[[], np.ndarray]) -> Interpretation:
    """Decide what the samples of a file mean.

    Parameters
    ----------
    stored : Stored
    name : str
        Name of the file, for messages.
    sample : callable
        Returns some stored pixels, as (n, samples); called only if the values decide about transparency.

    Raises
    ------
    ImageOpenError
        If the samples cannot become an image.
    """
    why = _REFUSED.get(stored.photometric)
    if why is not None:
        raise ImageOpenError(f"{name} holds {why} first, and save it as TIFF or PNG.")
    colours, notes = _colour_conversion(stored)
    n, n_out = stored.n_colours, 3 if stored.is_picture and not _has_other_inks(stored) else stored.n_colours
    dtype = np.dtype(np.uint8) if stored.colormap is not None else stored.dtype
    clear = transparency(stored, sample()) if stored.may_be_clear else Transparency("channel")
    notes += clear.notes

    def convert(pixels: np.ndarray) -> np.ndarray:
        converted = colours(pixels[..., :n]) if colours is not None else pixels[..., :n]
        if pixels.shape[-1] == n:
            return converted
        extra = pixels[..., n:]
        if clear.role == "left out":
            return converted
        if clear.role == "blend":
            white = _largest(stored) or 1.0
            share = extra if stored.colormap is None else _to_8_bits(extra, stored)
            whole = np.concatenate([converted, share.astype(converted.dtype, copy=False)], axis=-1)
            return over_white(whole, clear.multiplied, 255.0 if stored.colormap is not None else white)
        return np.concatenate([converted, extra.astype(converted.dtype, copy=False)], axis=-1)

    n_extra = stored.samples - n if clear.role == "channel" else 0
    return Interpretation(n_out + n_extra, dtype, convert, notes)


class Transparency(NamedTuple):
    """The role of the last sample of a pixel.

    Attributes
    ----------
    role : {"blend", "left out", "channel"}
    multiplied : bool
        Whether the colours were multiplied by it.
    notes : tuple of str
    """

    role: str
    multiplied: bool = False
    notes: tuple[str, ...] = ()


def transparency(stored: Stored, pixels: np.ndarray) -> Transparency:
    """Decide whether the last sample is transparency, and whether it has an effect.

    Parameters
    ----------
    stored : Stored
    pixels : ndarray of (n, samples)
        Some pixels of the image.

    Notes
    -----
    tifffile, and software built on it, marks the last of any two or four channels as transparency. With more than 8
    bits, it is more often a channel, whatever software wrote it. Such a sample counts as transparency only if its
    values look like it: mostly fully opaque or fully transparent, with a single colour wherever fully transparent.
    """
    colours, alpha = pixels[:, :-1], pixels[:, -1]
    full = _largest(stored) or 1.0
    low, high = float(alpha.min()), float(alpha.max())
    multiplied = stored.extra[0] == _MULTIPLIED
    kept = Transparency(
        "channel", notes=("The sample marked as transparency does not look like it, and is kept as a channel.",)
    )
    if low == high:
        if high == full:
            return Transparency("left out")
        if stored.by_default and stored.dtype != np.uint8:
            return kept
        return Transparency("left out", notes=(f"Its transparency is {low:g} everywhere, and is left out.",))
    if low < 0 or high > full:
        return kept
    if multiplied and (colours > alpha[:, None].astype(np.float64) + (1 if full > 1 else 1e-3)).mean() > 0.01:
        return kept  # colours that were multiplied by transparency cannot exceed it
    if stored.by_default or (stored.dtype != np.uint8 and not stored.is_certain):
        clear = alpha == 0
        is_extreme = (clear | (alpha == full)).mean() >= LEAST_EXTREME
        under = colours[clear]
        if not (is_extreme and high == full) or (len(under) and (under != under[0]).any(axis=1).mean() > 0.01):
            return kept
    return Transparency("blend", multiplied, ("Its transparency is laid over white.",))


def _colour_conversion(stored: Stored) -> tuple[Callable[[np.ndarray], np.ndarray] | None, tuple[str, ...]]:
    """Return a function that converts (rows, cols, colours) to gray or RGB, or None if not needed, and notes."""
    match stored.photometric:
        case "MINISWHITE" if stored.dtype.kind in "bu":
            return (np.logical_not if stored.dtype.kind == "b" else lambda p: _inverted(p, stored.bits)), ()
        case "MINISWHITE":
            return None, ("White is 0, but the values are not whole numbers from 0 on; they are kept.",)
        case "PALETTE" if stored.colormap is not None:
            colormap = _eight_bit_colormap(stored.colormap)
            return (lambda p: np.take(colormap, p[..., 0].astype(np.intp), axis=0, mode="clip")), ()
        case "YCBCR" if not stored.is_decoded and stored.samples >= 3:
            return (lambda p: _rgb_of_ycbcr(p, stored)), ("Its colours are converted from YCbCr.",)
        case "SEPARATED" if _has_other_inks(stored):
            return None, ("Its samples are inks; each is kept as a channel.",)
        case "SEPARATED":
            return (lambda p: _rgb_of_cmyk(p, _largest(stored) or 1.0)), ("Its colours are converted from CMYK.",)
        case "CIELAB" | "ICCLAB" if stored.samples >= 3:
            return (lambda p: _rgb_of_lab(p, stored)), ("Its colours are converted from CIE L*a*b*.",)
    return None, ()


def _has_other_inks(stored: Stored) -> bool:
    return stored.photometric == "SEPARATED" and (stored.has_inks or stored.samples < 4)


def _largest(stored: Stored) -> float | None:
    """Return the largest value that a sample can have; None for floats."""
    return float((1 << stored.bits) - 1) if stored.dtype.kind in "bu" else None


def _inverted(pixels: np.ndarray, bits: int) -> np.ndarray:
    return pixels.dtype.type((1 << bits) - 1) - pixels


def _eight_bit_colormap(colormap: np.ndarray) -> np.ndarray:
    """Return (n, 3) uint8; some programs write 8-bit palettes, although those of TIFF have 16 bits."""
    return (colormap if colormap.max(initial=0) < 256 else colormap >> 8).astype(np.uint8).T


def _to_8_bits(samples: np.ndarray, stored: Stored) -> np.ndarray:
    return np.rint(samples * (255.0 / (_largest(stored) or 1.0))).astype(np.uint8)


def _rounded(values: np.ndarray, largest: float, dtype: np.dtype) -> np.ndarray:
    return np.clip(np.rint(values), 0, largest).astype(dtype) if dtype.kind in "bu" else values.astype(dtype)


def _rgb_of_ycbcr(pixels: np.ndarray, stored: Stored) -> np.ndarray:
    """Convert YCbCr to RGB by section 21 of the TIFF specification, revision 6."""
    largest = _largest(stored) or 1.0
    black_y, white_y, black_cb, white_cb, black_cr, white_cr = (v * largest / 255.0 for v in stored.reference)
    red, green, blue = stored.coefficients
    y, cb, cr = (pixels[..., i].astype(np.float64) for i in range(3))
    half = (largest + 1) // 2 if largest > 1 else 0.5
    y = (y - black_y) * largest / (white_y - black_y)
    cb = (cb - black_cb) * (largest - half) / (white_cb - black_cb)
    cr = (cr - black_cr) * (largest - half) / (white_cr - black_cr)
    r = y + cr * (2 - 2 * red)
    b = y + cb * (2 - 2 * blue)
    g = (y - blue * b - red * r) / green
    return _rounded(np.stack([r, g, b], axis=-1), largest, pixels.dtype)


def _rgb_of_cmyk(pixels: np.ndarray, largest: float) -> np.ndarray:
    left = largest - pixels[..., :4].astype(np.float64)
    return _rounded(left[..., :3] * left[..., 3:] / largest, largest, pixels.dtype)


def _rgb_of_lab(pixels: np.ndarray, stored: Stored) -> np.ndarray:
    """Convert L*a*b* to sRGB, with white of D50 as in libtiff and ICC profiles (CIE 15; IEC 61966-2-1)."""
    largest = _largest(stored)
    lab = pixels[..., :3].astype(np.float64)
    if largest is not None:
        half = (largest + 1) / 2
        if stored.photometric == "CIELAB":  # a and b are signed
            lab[..., 0] *= 100 / largest
            lab[..., 1:] = np.where(lab[..., 1:] >= half, lab[..., 1:] - 2 * half, lab[..., 1:])
        else:
            lab[..., 0] *= 100 / (largest if stored.bits == 8 else 65280.0)
            lab[..., 1:] -= half
        lab[..., 1:] /= math.ldexp(1, stored.bits - 8)
    y = (lab[..., 0] + 16) / 116
    f = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], axis=-1)
    xyz = np.where(f > 6 / 29, f**3, (f - 4 / 29) * 3 * (6 / 29) ** 2) * _D50
    linear = np.clip(xyz @ _RGB_OF_XYZ_D50.T, 0, 1)
    rgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return _rounded(rgb * (largest or 1.0), largest or 1.0, pixels.dtype)
