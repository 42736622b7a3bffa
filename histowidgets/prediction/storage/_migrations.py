"""Bringing the card of an older classifier folder to today's version, one version at a time."""

from collections.abc import Callable, Mapping
from typing import Any

Card = dict[str, Any]


def _from_0(card: Card) -> Card:
    """Version 0, before the first release: networks only, colours in the order of the classes, no history."""
    newer = {"kind": "network", "history": [], "trained_on": {}, "pixel_size_um": None, **card}
    colors = card["colors"]
    if not isinstance(colors, Mapping):
        newer["colors"] = dict(zip(card["classes"], colors, strict=True))
    return newer


MIGRATIONS: dict[int, Callable[[Card], Card]] = {0: _from_0}
"""From a version to the next one; whoever raises the version of the format adds a step here, and a test of it."""


def migrated(card: Card, version: int) -> Card:
    """Return a card of an older version as one of `version`; the file on disk stays as it is.

    Raises
    ------
    KeyError, TypeError, ValueError
        The card lacks what its version had.
    """
    while card["version"] < version:
        card = {**MIGRATIONS[card["version"]](card), "version": card["version"] + 1}
    return card
