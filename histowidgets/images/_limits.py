"""Limits that several files of this package share."""

#: Most channels an image may have (imaging mass cytometry has about 40).
MAX_CHANNELS = 64

#: Decoded bytes of tiles, strips or chunks kept for the next read, per image.
CACHE_BYTES = 64 << 20

#: A resolution tag that means a larger pixel than this (um) is a printer's setting (72 or 300 dpi), not a scale.
LARGEST_PIXEL_UM = 20.0
