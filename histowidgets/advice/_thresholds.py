"""Every number that we chose ourselves, marked (P) in the acceptance table, or that the guide gives."""

# --- The course of the losses -----------------------------------------------------------------------------------

#: A peak learning rate this many times the first one is a warm-up (One Cycle starts at a 25th).
RAMP_RATIO = 1.5
#: Share of the epochs that One Cycle warms up for (the default of PyTorch and of the guide).
ONE_CYCLE_RAMP = 0.3
#: R40 waits, while One Cycle warms up, until this share of the ramp: before it the rate is still small on purpose.
RAMP_BEFORE_JUDGING = 0.6

#: R37: epochs for which validation must have risen.
OVERFITTING_EPOCHS = 5
#: R42: epochs of rising validation after which to ask whether to stop.
STOP_RISING_EPOCHS = 10
#: A rise of validation counts from this share of its lowest level ...
RISE_SHARE = 0.04
#: ... and from this many standard deviations of its own noise ...
RISE_NOISE = 4.0
#: ... and from this share of the loss at the start: near zero, small steps are large shares.
RISE_OF_START = 0.03
#: ... and when it is steady: Mann-Kendall z. Six values that rise one after another have 2.63. In a long curve some
#: stretch looks like a rise by chance; of more values, more is asked for.
RISE_SCORE = 2.5
RISE_SCORE_LONG = 3.6
RISE_LONG = 9
#: Validation that stays above its lowest level by this share, and by this share of its start, for `STAYS_EPOCHS` on
#: end, has risen too, however it got there ...
STAYS_SHARE = 0.25
STAYS_OF_START = 0.08
STAYS_EPOCHS = 5
#: ... at the earliest so many epochs after the lowest one, and if the mIoU fell by this much. To ask whether to stop
#: (R42), it has to be still near its highest level since then.
STAYS_FROM = 8
STAYS_MIOU = 0.03
STAYS_AT_TOP = 0.9
#: While the rate of One Cycle or cosine is above this share of its peak, its fall may still mend that.
STAYS_BELOW_RATE = 0.3
#: A loss may rise while the mIoU still grows (the network only gets more certain); then it has to rise by this share.
RISE_SHARE_WHILE_LEARNING = 0.3
#: A trend counts as one from this z on.
TREND_SCORE = 2.0

#: R43: validation over this many times training ...
DIVERGED_RATIO = 2.0
#: ... for this many epochs, of which one more may be an exception ...
DIVERGED_EPOCHS = 10
#: ... while the distance grew by this share of itself, over up to this many epochs.
DIVERGED_GROWTH = 0.1
DIVERGED_GROWTH_EPOCHS = 20

#: R28 by scores: mIoU in training above that in validation by this much ...
GAP_MIOU = 0.2
#: ... for this many epochs, at the earliest at this epoch.
GAP_EPOCHS = 5
GAP_FIRST_EPOCH = 10

#: R39: swings of the detrended last epochs, as coefficient of variation ...
SWING = 0.30
SWING_EPOCHS = 10
#: ... of which as few are enough in a run of at most `SHORT_RUN` epochs. The first ones fall too fast to be judged.
SWING_EPOCHS_AT_LEAST = 8
SHORT_RUN = 16
SWING_SKIPS = 2
#: One bad batch is no swing: so many epochs must lie off the trend by half of `SWING`.
SWING_DEVIATIONS = 4
#: A swing is one only if it is this share of the loss at the start: near zero, everything swings. In real healthy
#: runs of few tiles a step it is mostly below this, at a hundred times the learning rate mostly above.
SWING_OF_START = 0.12
#: Training may swing because its tiles are few and drawn by chance, validation because it is small. It is the weights
#: that jump where both do: the other one swings by this much, validation by this share of what is asked of training.
SWING_OF_OTHER = 0.2
SWING_FOLLOWS = 0.5
#: At a usual rate, up to this one, another reason is likelier, unless both losses swing by `SWING`: then the swings
#: have to be so many times as large.
ORDINARY_RATE = 1e-2
SWING_AT_ORDINARY_RATE = 2.0
#: Training loss this many times its lowest smoothed level, for so many epochs after the warm-up: it is thrown off.
THROWN_OFF = 1.5
THROWN_OFF_EPOCHS = 5
#: At a rate of `HIGH_RATE` or more, which makes it likely, fewer will do: runs of a minute have few epochs.
THROWN_OFF_EPOCHS_HIGH_RATE = 3
#: Where the loss does not move at all, a learning rate of this much is the likelier reason than too small a one.
HIGH_RATE = 2e-2
#: At such a rate, a score below `LOW_MIOU` that does not grow has the same reason.
#: R29: the learning rates to go down to, one after the other.
LOWER_RATES = (1e-4, 1e-5)
#: R40: the learning rate to go up to, and up to which rate that is worth trying.
USUAL_RATE = 1e-3
LOW_RATE = 5e-4

#: R40: at this epoch the loss is still above this share of its start ...
SLOW_EPOCH = 10
SLOW_SHARE = 0.95
#: ... and was never, for five epochs, below this one: what once was lower has been learned.
SLOW_EVER = 0.9

#: Validation under half of training in 8 of the last 10 epochs: leaked or easy (as in the reference extension).
EASY_RATIO = 0.5
EASY_HITS = 8
EASY_EPOCHS = 10
#: Training is measured on varied tiles with dropout and moving norm layers, so that validation is below it in healthy
#: runs too. It counts where the distance is this share of the loss at the start ...
EASY_OF_START = 0.15
#: ... and where the mIoU, if it is known, is higher in validation by this much; in real healthy runs it is seldom more.
EASY_MIOU = 0.28

# --- How high, and whether it still moves -----------------------------------------------------------------------

#: R38: flat at this mIoU or above is converged, below `LOW_MIOU` underfitting (R27).
HIGH_MIOU = 0.70
LOW_MIOU = 0.60
#: Flat: over the last epochs ...
FLAT_EPOCHS = 10
#: ... the loss moved by less than this share, or by less than `FLAT_SHARE_NOISY` without a trend ...
FLAT_SHARE = 0.03
#: (or by this share of its start: a loss near zero moves a lot for its size) ...
FLAT_OF_START = 0.01
FLAT_SHARE_NOISY = 0.10
#: (or by less than so many standard deviations of its noise) ...
FLAT_NOISE = 2.5
#: ... and the mIoU by less than this, within a band of this width.
FLAT_MIOU = 0.02
FLAT_MIOU_BAND = 0.1
#: Without any mIoU: a loss that is flat above this share of its start is a low score.
FLAT_LOSS_IS_LOW = 0.7
#: R36: the earliest epoch to call a run good, and the share that the loss must have fallen by.
GOOD_FIRST_EPOCH = 5
GOOD_FALL = 0.05
#: ... and not while validation rose in each of so many epochs, to this share of the start above its lowest level.
CLIMB_EPOCHS = 3
CLIMB_OF_START = 0.05

#: The range in which a score on held-out strokes probably lies: 95 % of a normal distribution.
LIKELY_Z = 1.96

# --- Classes ----------------------------------------------------------------------------------------------------

#: R30: median IoU of a class under this, and this much under the median of the other classes.
POOR_IOU = 0.5
POOR_GAP = 0.25
#: A class is poor beside others that are learned: their median IoU is at least this.
OTHERS_FINE = 0.6
POOR_EPOCHS = 8
POOR_FIRST_EPOCH = 15
#: What once was this good is not poor: its score wavers.
ONCE_FINE = 0.6
#: A class that gained this much over those epochs is still learning.
STILL_LEARNING = 0.05
#: Never above this IoU in this many epochs, while another class reached `LEARNED_IOU` (reference extension).
NEVER_IOU = 0.1
NEVER_EPOCHS = 20
LEARNED_IOU = 0.3
#: One class is predicted everywhere: the IoU of all others is at most this, for so many epochs on end.
NOTHING_IOU = 0.02
ONE_CLASS_EPOCHS = 5
ONE_CLASS_FIRST_EPOCH = 8
#: Where all pixels get one class, its IoU equals the accuracy; within this.
SAME = 0.03
#: R30: a weight is raised by this factor, within the bounds of R23.
WEIGHT_STEP = 2.0
WEIGHT_RANGE = (0.1, 10.0)
#: N10: the steps an epoch should have.
STEPS_WANTED = 4

# --- Images -----------------------------------------------------------------------------------------------------

#: The image is looked at this small, in pixels of its longer side.
OVERVIEW_SIDE = 512
#: Fluorescence: the median brightness lies below this share of the range from dark to bright.
DARK_SHARE = 0.25
#: The same for what is no 8-bit colour scan: cells may fill the view of a camera, but seldom is it bright all over.
DARK_SHARE_CAMERA = 0.6
#: A pixel is stained when its optical densities (log 10; red, green, blue together) exceed this.
STAINED_DENSITY = 0.30
#: Fewer stained pixels than this say nothing about the stain.
STAINED_SHARE = 0.01
#: Eosin takes green away, this much more than red or blue; haematoxylin takes about as much red.
EOSIN_RATIO = 1.25
#: H&E has at least this share of such pixels among the stained ones ...
EOSIN_SHARE = 0.25
#: ... and at most this share of brown ones, which DAB makes: most blue gone, then green, then red.
DAB_RATIO = 1.1
DAB_SHARE = 0.10
#: R34: the stain differs between two images whose densities are this far apart (logarithm of the ratio: a factor of
#: 1.4); densities below `LEAST_DENSITY` count as that. So many images are looked at.
STAIN_APART = 0.35
LEAST_DENSITY = 0.02
MOST_STAINS = 20
#: R48: the range of all values is this many times that from the 1st to the 99th percentile: outliers.
OUTLIER_RANGE = 1.5
#: R48: up to here nothing is lost to outliers.
NO_OUTLIER_RANGE = 1.1
#: R48: share of pixels at the top of the range that makes an image saturated.
SATURATED_SHARE = 0.005

# --- Recommendations --------------------------------------------------------------------------------------------

#: R1-R4: the bins of the guide. A number on an edge that two bins share belongs to the upper one, but R4 says "> 5000".
FEW_TILES = 200
MEDIUM_TILES = 1000
MANY_TILES = 5000
#: R32.
VERY_MANY_TILES = 10_000
#: R9: below this a GPU takes the smallest row, like a processor.
SMALLEST_GPU_GB = 4.0
#: R5: what counts as about 20x.
TWENTY_X_UM = (0.4, 0.65)

# --- Annotations ------------------------------------------------------------------------------------------------

#: R19-R21: annotations a class, minimum and recommended, from so many classes on.
COUNTS = ((5, 20, 50), (3, 15, 40), (0, 10, 30))
#: The coach looks at images with at most this many pixels a side; larger ones are looked at smaller.
COACH_SIDE = 1024
#: R14: a labelled pixel lies at a boundary within so many pixels of another class's label ...
BOUNDARY_PIXELS = 10
#: ... and so many labelled pixels should (at a share under 2 %, warn).
BOUNDARY_SHARE = 0.02
#: R15: cells along each side of the grid over an image in which its variety is looked at.
GRID = 16
#: R15: labels that reach over less than this share of the image (as the box around them) come from one corner.
CORNER_SHARE = 0.25
#: R15: two kinds of cells: their centres explain this share of the variance, and each holds this share of the cells.
KINDS_EXPLAIN = 0.6
KIND_SHARE = 0.15
#: R15: labelled cells all of one kind: at least this share of them. R15 is silent on fewer strokes than this.
ONE_KIND = 0.97
VARIETY_STROKES = 6
#: R16, R24: patches of this many pixels a side (as looked at) ...
PATCH = 8
#: ... are near-identical when their root-mean-square difference is at most this share of the image's range.
IDENTICAL = 0.012
#: At most so many labelled patches are compared, and so many contradictions listed.
MOST_PATCHES = 1500
MOST_LISTED = 5
#: R23: areas of classes that differ by this factor.
AREA_RATIO = 10.0
#: Side of the region to jump to, in full-size pixels.
LOOK_AT = 192

# --- Where to annotate next -------------------------------------------------------------------------------------

#: R17: a pixel is uncertain when its two best classes are this close in probability.
UNCERTAIN_MARGIN = 0.3
#: R17, R22: labels lie in easy places only when fewer of their pixels than this share are uncertain.
EASY_SHARE = 0.05
#: A region that is labelled by more than this share is not suggested.
LABELLED_ENOUGH = 0.25
#: Weights of uncertainty, of a predicted boundary, and of being unlike what is labelled.
REGION_WEIGHTS = (1.0, 0.6, 0.6)
#: Scores count as shares of the highest one, or of these where even that is low: uncertainty, share of boundary
#: pixels, standard deviations of texture.
REGION_FLOORS = (0.1, 0.02, 1.0)
#: Two suggestions lie at least so many region sides apart.
REGION_SPACING = 1.0
#: A reason is named when its score reaches this share of the best one's.
REASON_SHARE = 0.6
#: A larger image is looked at through windows of this side, so many at most, spread over it.
WINDOW = 1024
MOST_WINDOWS = 6
#: Side of a suggested region: from this ...
SMALLEST_REGION = 48
#: ... to `LOOK_AT`, so that this many would fill the window.
REGIONS_A_WINDOW = 40
#: Cells along the side of a region whose texture is compared with that of labelled places.
CELLS_A_REGION = 4
#: What an image has already been given counts against its further regions, by this factor each.
SAME_IMAGE = 0.97
