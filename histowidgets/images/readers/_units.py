"""Units of length in files, and which resolutions can be those of a microscope."""

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
    "inch": 25_400.0,
    "m": 1e6,
    "meter": 1e6,
}

#: A resolution tag that means a larger pixel than this (um) is a printer's setting (72 or 300 dpi), not a scale.
LARGEST_PIXEL_UM = 20.0
