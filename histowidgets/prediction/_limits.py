"""The limits and thresholds of this room, each chosen by us (P)."""

#: Rows of a full-size picture that are worked on at once while labels are made (times columns and 4 bytes a class).
BAND_ROWS = 512

#: Probabilities of a region up to which they are kept as float32 (64 MB), as exact as they are computed; more of them
#: are kept as float16, in half the memory (three classes of 4096 x 4096 pixels: 100 MB).
EXACT_PROBABILITIES = 16_000_000

#: Largest side of a tile of a network, at the classifier's downsample: larger tiles waste less on context,
#: smaller ones need less memory.
NETWORK_TILE = 640

#: Pixels of real context that a network is given on each side of what it answers for, where the image has them.
NETWORK_CONTEXT = 56

#: Tiles that a network is given at once: on a CPU a batch gains nothing, on a GPU it keeps the device busy.
BATCH_ON_CPU, BATCH_ON_GPU = 1, 8

#: Largest side of a tile of the quick learner, and its context; its widest filter reaches about 48 pixels.
QUICK_TILE, QUICK_CONTEXT = 800, 64

#: Side of the blocks that the quick learner cuts an image into around the strokes, when it exceeds one tile.
QUICK_BLOCK = 256

#: Pixels of an image, or of a region that is predicted, up to which the features of all of it are kept.
KEPT_PIXELS = 4_200_000

#: Standard deviation, in full-size pixels, by which the quick learner's probabilities are smoothed, and the variance of
#: the pixels (0 to 1) below which no edge is seen among them.
QUICK_SMOOTHING, QUICK_EVEN = 8.0, 1e-4

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

#: Largest share that neighbouring tiles have in common, and largest standard deviation of the blur (px or um).
MOST_OVERLAP, MOST_SMOOTHING = 0.5, 200.0

#: A tile is blank if no normalized channel (0 to 1) has a larger standard deviation, or spans more.
BLANK_STD, BLANK_RANGE = 0.02, 0.2

#: Full-size pixels a tile of a region, and tiles, from which a network looks for its fastest way to compute.
PROBE_FROM_TILES = 12

#: Side of the blocks that a prediction on disk is made of, in pixels at the classifier's downsample: a multiple of 32,
#: and a whole number of the largest tiles of a network without their context (528 = 640 - 2 x 56).
BLOCK_SIDE = 2112

#: Longest side of the coarsest level of a pyramid, in pixels.
PYRAMID_SIDE = 1024

#: Times `BLOCK_SIDE` that a block may be long in full-size pixels, where the model sees a downsampled image.
MOST_BLOCK_SCALE = 4

#: Distance in pixels by which a smoothed outline may leave pixel edges when its length is measured.
OUTLINE_TOLERANCE = 1.0

#: Pixels below which an outline is measured as it is: it has too few corners to smooth.
SMALL_OUTLINE = 16

#: Tiles on which norm statistics are measured again, and how many at once (a batch of few makes them noisy).
ADAPT_TILES, ADAPT_BATCH = 64, 8

#: N9: an image lies outside the training statistics from so many standard deviations of mean or percentiles, or from
#: this factor of the standard deviation; no standard deviation counts as less than this share of the mean.
OUTSIDE_SIGMAS, OUTSIDE_SPREAD, LEAST_SIGMA_SHARE = 3.0, 2.0, 0.01

#: Side of the cells, at the classifier's downsample, in which predictions of what is in view are kept, and the largest
#: downsample for which they grow.
VIEW_CELL, MOST_CELL_SCALE = 128, 8

#: Bytes of probabilities that are kept for what is in view.
VIEW_BYTES = 64 << 20

#: Pixels, at the classifier's downsample, above which a view is not predicted while somebody waits.
VIEW_PIXELS = 4_200_000

#: Pixels above which labels are not written as PNG, which whoever opens it has to read whole.
PNG_PIXELS = 400_000_000

#: Full-size pixels of an image above which objects and PNGs of many images are made by way of the disk.
IN_MEMORY_PIXELS = 16_000_000

#: Characters of what an ONNX file says of itself up to which it is read, and largest tile or downsample believed.
CARD_CHARACTERS, MOST_CARD_NUMBER = 1_000_000, 4096

#: Channels that are given names where nobody named them; images have no more.
MOST_CHANNELS = 64

#: Models of which one mean is made at most.
MOST_MEMBERS = 8
