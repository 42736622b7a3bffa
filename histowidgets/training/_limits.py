"""Thresholds of this room that we chose ourselves, row (P) of the acceptance table; no source gives them."""

CACHE_BYTES = 256 << 20
"""Normalized training pixels kept in memory. Four times what the images of a workshop need, an eighth of 2 GB."""

VALIDATION_BYTES = 128 << 20
"""Normalized validation tiles kept in memory; where the labels need more, tiles are thinned evenly, and said so."""

WHOLE_PIXELS = 4_000_000
"""A training region of up to this many pixels (at the downsample) is read as one piece; a larger one in windows."""

WINDOW_TILES = 4
"""Side, in tiles, of the windows that a large image is read in."""

ANCHORS_AN_ANNOTATION = 512
"""Places on one annotation that a tile may be centred near: enough for any stroke, few enough for large areas."""

MIN_STEPS_AN_EPOCH = 2
"""An epoch of a single step says little (row N10); below this a message says so."""

CONTINUE_LR_SHARE = 0.3
"""Highest learning rate when training goes on from a classifier, as a share of the setting: at the full rate the
first steps undo what was learned."""

TEACH_FROM_STEP = 80
"""The step from which unlabelled pixels are learned from (a mean teacher, Tarvainen & Valpola 2017): before it the
averaged weights know too little. As measured best among the recipes tried on sparse strokes."""

TEACH_ABOVE = 0.8
"""Probability from which the averaged weights count as sure of a pixel."""

RATE_TEST_STEPS = 100
"""Steps of a learning rate range test, over seven powers of ten."""

RATE_TEST_FLOOR = 1e-5
"""Least rate that a range test suggests: below it what the loss does is the luck of the first batches, as measured
with small ones."""

RATE_TEST_FLAT = 0.05
"""Share of the loss at the floor that it must fall by in a range test; else nothing is suggested."""

PROBE_FROM_STEPS = 300
"""Steps of a run from which its share is enough to time which arithmetic is quickest."""

PROBE_SHARE = 0.03
"""Share of a run that such timing may take."""

PROBE_SECONDS = 5.0
"""And how long at most."""

CHECKPOINT_SHARE = 0.05
"""Share of a run's time that noting where it stands may take, where epochs are short."""

CHECKPOINT_SECONDS = 10.0
"""And how long at most nothing is noted then: what a killed kernel can cost besides an epoch."""

ARITHMETIC_BYTES = 32 << 20
"""What computing takes besides weights and activations: kernels compiled, workspaces, threads. As measured."""

LARGEST_TIMES = 3
"""Copies of the largest layer's input and output that a step holds for a moment, on top of what it saves."""

LOSS_TIMES = 8
"""Copies of the logits, in fp32, that the loss holds at once."""

REDUCED_SHARE = 0.6
"""Share of activations' memory that is left with bf16 or fp16: some layers stay in fp32."""
