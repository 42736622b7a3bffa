"""Fingerprints, to check whether a prediction on disk is the requested one."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from histowidgets.images import Image, is_same_pixel_size
from histowidgets.prediction._spec import ClassifierSpec

#: The original names of renamed settings, by the part of the settings that holds them. Fingerprints keep these names;
#: otherwise earlier predictions would not be recognized, and would be deleted and computed again.
_STORED_NAMES = {
    "options": {"blur_px": "smooth_px", "blur_um": "smooth_um"},
    "objects": {"simplify_um": "smooth_um"},
}

#: Settings that are left out at the values that mean the behaviour before the setting existed.
_NOT_STORED = (("ignore_pixel_size", False),)


def classifier_digest(spec: ClassifierSpec) -> str:
    """Return the SHA-256 of everything that a classifier's predictions depend on."""
    digest = hashlib.sha256()
    for name, value in sorted(spec.model.tensors().items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    card = {
        "kind": spec.kind,
        "model": spec.model.spec(),
        "classes": spec.classes,
        "colors": spec.colors,
        "channels": list(spec.channel_names),
        "normalization": spec.normalization.to_dict(),
        "downsample": spec.downsample,
        "tile_size": spec.tile_size,
    }
    digest.update(_json(card).encode())
    return digest.hexdigest()


def prediction_fingerprint(spec: ClassifierSpec, image: Image, what: Mapping[str, Any]) -> str:
    """Return the SHA-256 of classifier, image and settings; a changed file counts as another image."""
    size = spec.pixel_size_um
    card: dict[str, Any] = {
        "classifier": classifier_digest(spec),
        "image": [image.name, image.width, image.height, list(image.channel_names), image.pixel_size_um],
        "file": _file(image),
        "what": {part: _as_stored(part, value) for part, value in what.items()},
    }
    if image.opened_with:  # another plane of a stack, or another image of a file, counts as another image
        card["opened_with"] = image.opened_with
    if size is not None and image.pixel_size_um is not None and not is_same_pixel_size(image, size):
        card["resampled to"] = size  # without resampling, the result does not depend on it
    return hashlib.sha256(_json(card).encode()).hexdigest()


def _as_stored(part: str, value: Any) -> Any:
    """Return a part of the settings under the original names."""
    names = _STORED_NAMES.get(part)
    if names is None:
        return value
    return {names.get(name, name): given for name, given in value.items() if (name, given) not in _NOT_STORED}


def _file(image: Image) -> list[Any] | None:
    if image.source is None:
        return None
    path = Path(image.source)
    try:
        found = path.stat()
    except OSError:
        return [str(path)]
    return [str(path), found.st_size if path.is_file() else 0, found.st_mtime_ns]


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, sort_keys=True, default=os.fspath)
