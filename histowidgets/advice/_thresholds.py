"""The numbers that several rules share; what one rule alone needs stands beside it."""

# --- The course of a run ----------------------------------------------------------------------------------------

#: A learning rate that is still too low is not blamed on the settings until this share of the warm-up of One Cycle is
#: done: before that, the rate is small on purpose.
RAMP_BEFORE_JUDGING = 0.6
#: A trend counts as one from this z score (Mann-Kendall) on.
TREND_SCORE = 2.0
#: The mIoU in training is far above that in validation when it is higher by this much.
GAP_MIOU = 0.2
#: A run that is flat at this mIoU or above has converged; one below `LOW_MIOU` is underfitting.
HIGH_MIOU = 0.70
LOW_MIOU = 0.60
#: Curves are called flat over this number of epochs, when the mIoU moved by less than this.
FLAT_EPOCHS = 10
FLAT_MIOU = 0.02

# --- Settings ---------------------------------------------------------------------------------------------------

#: The lowest and the highest weight of a class.
WEIGHT_RANGE = (0.1, 10.0)
#: Steps that an epoch should have.
STEPS_WANTED = 4

# --- Places on an image -----------------------------------------------------------------------------------------

#: A labelled pixel lies at a boundary when a label of another class is within this number of full-size pixels.
BOUNDARY_PIXELS = 10
#: Cells along each side of the grid with which the variety of an image is looked at.
GRID = 16
#: Side of the region that an advice points to, in full-size pixels.
REGION_SIDE = 192
