"""What can be frozen, by name; apart from `_freeze`, so that it loads without torch."""

#: Freeze nothing; the stem and the first two blocks; or the whole encoder.
FREEZE_CHOICES: tuple[str, ...] = ("none", "early", "encoder")

#: What "early" freezes, of the groups that an encoder has.
EARLY_GROUPS = ("stem", "block1", "block2")
