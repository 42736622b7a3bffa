"""What can be frozen, by name. No torch."""

FREEZE_CHOICES: tuple[str, ...] = ("none", "early", "encoder")
"""Freeze nothing; the stem and the first two blocks; or the whole encoder."""

EARLY_GROUPS = ("stem", "block1", "block2")
"""What "early" freezes, of the groups that an encoder has."""
