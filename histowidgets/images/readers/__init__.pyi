from ._array import ArrayImage
from ._raster import open_raster, raster_pixels
from ._slide import open_generic, open_slide
from ._tiff import open_tiff
from ._zarr import open_zarr

__all__ = ["ArrayImage", "open_generic", "open_raster", "open_slide", "open_tiff", "open_zarr", "raster_pixels"]
