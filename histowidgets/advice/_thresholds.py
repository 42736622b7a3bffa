"""Thresholds that several rules share; those of a single rule are defined in its module."""

# --- The course of a run ----------------------------------------------------------------------------------------

#: A low learning rate is not reported until this share of the One Cycle warm-up is done: before that, the rate is low
#: on purpose.
RAMP_BEFORE_JUDGING = 0.6
#: A trend is significant from this Mann-Kendall z score on.
TREND_SCORE = 2.0
#: The training mIoU is far above the validation mIoU if the difference is at least this.
GAP_MIOU = 0.2
#: A run whose curves are flat at this mIoU or above has converged; below `LOW_MIOU` it is underfitting.
HIGH_MIOU = 0.70
LOW_MIOU = 0.60
#: Curves are flat if the mIoU moved by less than `FLAT_MIOU` over `FLAT_EPOCHS`.
FLAT_EPOCHS = 10
FLAT_MIOU = 0.02

# --- Settings ---------------------------------------------------------------------------------------------------

#: The lowest and the highest weight of a class.
WEIGHT_RANGE = (0.1, 10.0)
#: Number of steps that an epoch should have.
STEPS_WANTED = 4

# --- Places on an image -----------------------------------------------------------------------------------------

#: A labelled pixel lies at a boundary if a label of another class is within this number of full-size pixels.
BOUNDARY_PIXELS = 10
#: Cells along each side of the grid that measures the variety of an image.
GRID = 16
#: Side of the region that a piece of advice points to, in full-size pixels.
REGION_SIDE = 192
