from ._array import ArrayImage
from ._foreign import describe_foreign
from ._options import OpenOptions
from ._orientation import Orientation
from ._raster import open_raster, orientation_of_picture, raster_pixels
from ._slide import open_generic, open_slide
from ._tiff import open_tiff
from ._zarr import open_remote_zarr, open_zarr, open_zipped_zarr

__all__ = [
    "ArrayImage",
    "OpenOptions",
    "Orientation",
    "describe_foreign",
    "open_generic",
    "open_raster",
    "open_remote_zarr",
    "open_slide",
    "open_tiff",
    "open_zarr",
    "open_zipped_zarr",
    "orientation_of_picture",
    "raster_pixels",
]
