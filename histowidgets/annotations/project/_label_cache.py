"""Label maps that are cached between edits, and updated only where an edit changed something."""

import math

import numpy as np

from histowidgets._byte_cache import ByteCache
from histowidgets.annotations.project._edit import Edit
from histowidgets.annotations.project._state import State
from histowidgets.annotations.raster import draw, rasterize
from histowidgets.images import Region, scaled_shape

#: Most bytes of all cached maps together; the least recently used maps are dropped.
MAX_KEPT = 64_000_000


class LabelCache:
    """Label maps by image and downsample. Not thread-safe; the project holds a lock."""

    def __init__(self) -> None:
        self._maps: ByteCache[tuple[str, float], np.ndarray] = ByteCache(MAX_KEPT)

    def get(self, state: State, name: str, downsample: float) -> np.ndarray:
        """Return the label map of an image, which the caller may change."""
        image = state.images[name]
        scaled_shape(image.image.width, image.image.height, downsample)  # raises an error for an invalid downsample
        key = (name, float(downsample))
        kept = self._maps.get(key)
        if kept is not None:
            return kept.copy()
        labels = rasterize(image.annotations, state.class_index(), image.image.region, downsample)
        if labels.nbytes <= self._maps.max_bytes:
            self._maps.put(key, labels.copy())
        return labels

    def update(self, state: State, edit: Edit, forward: bool) -> None:
        """Update the cached maps after an edit was applied or, if not `forward`, reverted."""
        change = edit.change(state)
        added = edit.added()
        if edit.renumbers():
            self._maps.clear()
        if change.kind == "images":
            self._maps.drop(lambda key: key[0] == change.image_name)
        if change.region is None:
            return  # names, colours and roles do not affect labels, and other classes come and go at the end
        for (name, downsample), labels in self._maps.items():
            if name != change.image_name:
                continue
            image = state.images[name]
            if forward and added is not None:
                draw(labels, added, state.class_index(), image.image.region, downsample)
            else:
                _redraw(labels, state, name, change.region, downsample)


def _redraw(labels: np.ndarray, state: State, name: str, region: Region, downsample: float) -> None:
    """Redraw the labels of a region."""
    image = state.images[name]
    whole = image.image.region
    if not downsample.is_integer():
        labels[...] = rasterize(image.annotations, state.class_index(), whole, downsample)
        return
    step = int(downsample)
    left, top = region.x // step, region.y // step
    right, bottom = math.ceil(region.right / step), math.ceil(region.bottom / step)
    aligned = Region.from_edges(left * step, top * step, right * step, bottom * step)
    rows, cols = scaled_shape(aligned.width, aligned.height, step)
    part = rasterize(image.annotations, state.class_index(), aligned, step)
    target = labels[top : top + rows, left : left + cols]
    target[...] = part[: target.shape[0], : target.shape[1]]
