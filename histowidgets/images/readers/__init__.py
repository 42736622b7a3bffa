"""Readers, one for each kind of image: arrays, PNG and similar files, TIFF, whole slides, OME-Zarr.

The names are listed in `__init__.pyi` and loaded when first used: OpenSlide, tifffile and zarr take a while.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
