"""Limits that several files of this package share."""

#: Most channels an image may have (imaging mass cytometry has about 40).
MAX_CHANNELS = 64

#: Decoded bytes of tiles, strips or chunks kept for the next read, per image.
CACHE_BYTES = 64 << 20
