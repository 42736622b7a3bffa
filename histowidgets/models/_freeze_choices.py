"""The names of what can be frozen; separate from `_freeze`, so that they load without torch."""

#: Freeze nothing; the stem and the first two blocks; or the whole encoder.
FREEZE_CHOICES: tuple[str, ...] = ("none", "early", "encoder")

#: The groups that "early" freezes, as far as an encoder has them.
EARLY_GROUPS = ("stem", "block1", "block2")
