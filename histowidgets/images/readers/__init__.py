"""Readers for each kind of image: arrays, PNG and similar files, TIFF, whole slides, OME-Zarr.

The names are listed in `__init__.pyi` and loaded on first use, since OpenSlide, tifffile and zarr load slowly.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
