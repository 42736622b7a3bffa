"""The limits and thresholds of this room, each chosen by us (P)."""

#: Rows of a full-size picture that are worked on at once while labels are made (times columns and 4 bytes a class).
BAND_ROWS = 512

#: Largest side of a tile of a network, at the classifier's downsample: larger tiles waste less on context,
#: smaller ones need less memory.
NETWORK_TILE = 512

#: Pixels of real context that a network is given on each side of what it answers for, where the image has them.
NETWORK_CONTEXT = 48

#: Tiles that a network is given at once: on a CPU a batch gains nothing, on a GPU it keeps the device busy.
BATCH_ON_CPU, BATCH_ON_GPU = 1, 8

#: Largest side of a tile of the quick learner, and its context; its widest filter reaches about 48 pixels.
QUICK_TILE, QUICK_CONTEXT = 800, 64

#: Side of the blocks that the quick learner cuts an image into around the strokes, when it exceeds one tile.
QUICK_BLOCK = 256

#: Pixels of an image, or of a region that is predicted, up to which the features of all of it are kept.
KEPT_PIXELS = 4_200_000

#: Standard deviation, in full-size pixels, by which the quick learner's probabilities are blurred.
QUICK_BLUR = 5.0

#: Bytes of features that are kept for the next stroke.
FEATURE_BYTES = 192 << 20

#: Channels up to which the quick learner computes every texture of every channel (63 values for RGB).
TEXTURE_CHANNELS = 6

#: Smallest weight of a pixel in a blended tile, so that each counts (row B9).
LEAST_WEIGHT = 1e-3

#: Standard deviation of the Gaussian blend, as a share of the tile's side (the usual choice of sliding windows).
GAUSSIAN_SHARE = 0.125

#: Smallest object that is kept unless told otherwise, in um2 (px2 of an image without a pixel size).
MIN_AREA_UM2 = 10.0

#: Side of the tiles in an OME-TIFF.
TIFF_TILE = 256
