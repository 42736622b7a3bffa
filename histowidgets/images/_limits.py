"""Limits shared by several modules of this package."""

#: Most channels of an image (imaging mass cytometry has about 40).
MAX_CHANNELS = 64

#: Decoded bytes of tiles, strips or chunks to cache, per image.
CACHE_BYTES = 64 << 20
