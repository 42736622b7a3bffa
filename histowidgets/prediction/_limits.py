"""The limits and thresholds of this room, each chosen by us (P)."""

#: Largest share that neighbouring tiles have in common, and largest standard deviation of the blur (px or um).
MOST_OVERLAP, MOST_SMOOTHING = 0.5, 200.0

#: A faster number format has to take less than this share of the time of fp32, as fp32 is more exact.
CLEARLY_FASTER = 0.85

#: Times `BLOCK_SIDE` that a block may be long in full-size pixels, where the model sees a downsampled image.
MOST_BLOCK_SCALE = 4

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

#: Full-size pixels of an image above which objects and PNGs of many images are made by way of the disk.
IN_MEMORY_PIXELS = 16_000_000

#: Characters of what an ONNX file says of itself up to which it is read, and largest tile or downsample believed.
CARD_CHARACTERS, MOST_CARD_NUMBER = 1_000_000, 4096

#: Channels that are given names where nobody named them; images have no more.
MOST_CHANNELS = 64
