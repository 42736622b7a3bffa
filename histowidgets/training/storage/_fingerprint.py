"""Check whether a project is unchanged since a run was started. No torch."""

import hashlib
import json
from typing import Any

from histowidgets.annotations import ProjectSnapshot
from histowidgets.errors import SettingsError
from histowidgets.training.data import with_channels
from histowidgets.training.settings import TrainingSettings


def fingerprint_of(snapshot: ProjectSnapshot, settings: TrainingSettings) -> dict[str, Any]:
    """Hash what a run with these settings would learn from; a missing channel that they name counts as a change."""
    try:
        return fingerprint(with_channels(snapshot, settings.channels))
    except SettingsError:
        return {**fingerprint(snapshot), "images": ""}


def fingerprint(snapshot: ProjectSnapshot) -> dict[str, Any]:
    """Hash what a run learns from: classes, images and annotations, each separately; pixels are not read.

    Returns
    -------
    dict
        ``classes`` (their names), ``images`` and ``annotations`` (SHA-256 in hexadecimal).
    """
    images = [
        [name, image.width, image.height, str(image.dtype), list(image.channel_names), snapshot.roles[name]]
        for name, image in snapshot.images.items()
    ]
    painted = {name: [one.to_dict() for one in some] for name, some in snapshot.annotations.items()}
    return {"classes": list(snapshot.classes), "images": _digest(images), "annotations": _digest(painted)}


def changes(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Name what differs between two fingerprints: "classes", "images", "annotations"."""
    return [name for name in ("classes", "images", "annotations") if then.get(name) != now[name]]


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
