"""Check every pixel size: units, print resolutions, and sizes that no microscope has."""

import math
from typing import NamedTuple

#: Length of each unit in um, by its lower-case name in OME-TIFF, ImageJ and OME-Zarr.
UM: dict[str, float] = {
    "pm": 1e-6,
    "picometer": 1e-6,
    "å": 1e-4,
    "angstrom": 1e-4,
    "nm": 1e-3,
    "nanometer": 1e-3,
    "µm": 1.0,
    "um": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "mm": 1e3,
    "millimeter": 1e3,
    "cm": 1e4,
    "centimeter": 1e4,
    "dm": 1e5,
    "decimeter": 1e5,
    "in": 25_400.0,
    "inch": 25_400.0,
    "m": 1e6,
    "meter": 1e6,
}

#: Plausible sizes in um: from an electron microscope to a photograph of a whole slide.
SMALLEST_UM, LARGEST_UM = 1e-4, 1000.0
#: A resolution tag that gives a larger pixel than this (um) is a print or screen setting, not a scale.
LARGEST_OF_A_RESOLUTION_UM = 20.0
#: Print and screen settings in dots per inch, which conversion programs also write as micrometres.
PRINTERS_DPI = (72, 75, 90, 96, 100, 120, 144, 150, 180, 200, 220, 240, 250, 300, 350, 360, 400, 500, 600, 720, 1200)
#: Pixels whose sides differ by less than this share count as square, to allow for rounding by the manufacturer.
SQUARE_WITHIN = 0.01


class CheckedSize(NamedTuple):
    """A plausible pixel size, and notes about it.

    Attributes
    ----------
    yx_um : (float, float) or None
        Height and width of a pixel in um; None if unknown.
    notes : tuple of str
    """

    yx_um: tuple[float, float] | None
    notes: tuple[str, ...] = ()

    def swapped(self) -> "CheckedSize":
        """Return the size of the same pixel after rows have become columns."""
        if self.yx_um is None or self.yx_um[0] == self.yx_um[1]:
            return self
        height, width = self.yx_um
        return CheckedSize((width, height), _not_square(width, height))


UNKNOWN = CheckedSize(None)


def unit_um(name: object) -> float | None:
    """Return the length in um of a unit by its name in a file, or None if it is not a length."""
    text = str(name).replace("\\u00B5", "µ").replace("μ", "µ").strip().lower()
    return UM.get(text) or UM.get(text.replace("metre", "meter"))


def checked_pixel_size(
    height_um: float | None, width_um: float | None, *, is_resolution: bool = False, source: str = "The file"
) -> CheckedSize:
    """Check the pixel size given by a file.

    Parameters
    ----------
    height_um, width_um : float or None
        Sides of a pixel in um; if one is missing or implausible, the other is used for both.
    is_resolution : bool
        Whether the size is from a resolution tag, in dots per inch or centimetre, which is more often a print setting
        than a scale.
    source : str
        Source of the size, for the note.

    Returns
    -------
    CheckedSize
    """
    given = [side for side in (height_um, width_um) if side is not None]
    if not given:
        return UNKNOWN
    largest = LARGEST_OF_A_RESOLUTION_UM if is_resolution else LARGEST_UM
    good = [_is_possible(side, largest) for side in (height_um, width_um)]
    said = " x ".join(f"{side:.4g}" for side in dict.fromkeys(reversed(given)))
    if not any(good):
        if is_resolution and all(math.isfinite(side) and side > 0 for side in given):
            dpi = " x ".join(f"{UM['inch'] / side:.4g}" for side in dict.fromkeys(reversed(given)))
            return CheckedSize(None, (f"{source} gives a resolution of {dpi} dpi, which is not that of a microscope.",))
        return CheckedSize(None, (f"{source} gives a pixel size of {said} um, which is not that of a microscope.",))
    if not all(good):
        side = height_um if good[0] else width_um
        assert side is not None  # it is plausible
        other = width_um if good[0] else height_um
        notes = () if other is None else (f"{source} gives a pixel size of {said} um; {side:.4g} um is used for both.",)
        return CheckedSize((side, side), notes)
    assert height_um is not None  # both are plausible
    assert width_um is not None
    if all(_is_printers(side) for side in given):
        printed = round(UM["inch"] / width_um)
        note = f"{source} gives a pixel size of {said} um, which is a print resolution ({printed} dpi)."
        return CheckedSize(None, (note,))
    return CheckedSize((height_um, width_um), _not_square(height_um, width_um))


def _not_square(height_um: float, width_um: float) -> tuple[str, ...]:
    """Say that pixels are not square, if they are not."""
    if abs(height_um / width_um - 1) <= SQUARE_WITHIN:
        return ()
    return (f"The pixels are not square: {width_um:.4g} um wide, {height_um:.4g} um high.",)


def _is_possible(side: float | None, largest: float) -> bool:
    return side is not None and math.isfinite(side) and SMALLEST_UM <= side <= largest


def _is_printers(side: float) -> bool:
    return side > LARGEST_OF_A_RESOLUTION_UM and any(
        math.isclose(UM["inch"] / side, dpi, rel_tol=2e-3) for dpi in PRINTERS_DPI
    )
