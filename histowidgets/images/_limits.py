"""The limits and thresholds of this room, each chosen by us (P)."""

#: Narrowest side, in pixels, that an image may have: a 1 x N "image" is a table or a wrong axis.
MIN_SIDE = 2

#: Most pixels an image may claim to have, 500,000 x 500,000: the largest slides have a quarter of that.
MOST_PIXELS = 250_000_000_000

#: Most bytes that one tile, strip or chunk may take once it is decoded.
MOST_PART_BYTES = 2 << 30

#: Most planes that an OME-TIFF may claim to have: tifffile makes a list of them.
MOST_PLANES = 1_000_000

#: Most channels an image may have (imaging mass cytometry has about 40).
MAX_CHANNELS = 64

#: Pixels of a stored level read at once while downsampling (times channels and bytes is the memory needed).
BAND_PIXELS = 1 << 24

#: Decoded bytes below which a TIFF is read whole when it is opened.
EAGER_BYTES = 32 << 20

#: Decoded bytes of tiles, strips or chunks kept for the next read, an image.
CACHE_BYTES = 64 << 20

#: A resolution tag that means a larger pixel than this (um) is a printer's setting (72 or 300 dpi), no scale.
LARGEST_PIXEL_UM = 20.0

#: Pixels of one image that its statistics rest on; a larger image is sampled in regions.
STATISTICS_PIXELS = 1 << 20

#: Pixels of all the images together that statistics rest on.
STATISTICS_POOL = 1 << 22

#: Side, in full-size pixels, of one sampled region.
STATISTICS_SIDE = 256

#: Pixels of one image that its stain is measured on.
STAIN_PIXELS = 1 << 16

#: An image shows tissue if this share of it has at least this optical density (natural logarithm, mean of three
#: channels; Macenko et al. 2009 take 0.15 as well).
LEAST_TISSUE, TISSUE_DENSITY = 0.01, 0.15

#: Most that the densities of an image are stretched or squeezed to match those of the training images.
MOST_STAIN_STRETCH = 2.0

#: Mean of all channels, as a share of white, below which images are no brightfield.
DARK_MEAN = 0.25
