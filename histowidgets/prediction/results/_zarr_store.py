"""Write a prediction to disk in progress: an OME-Zarr with a pyramid, and a note of its progress."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from histowidgets._colors import hex_to_rgb
from histowidgets._io import atomic_write
from histowidgets.errors import PredictionError
from histowidgets.images import Region, scaled_shape
from histowidgets.prediction.results._info import Card, StoreState

#: File name of the note in the Zarr folder.
STATE = "histowidgets-prediction.json"

#: Side of the blocks of a prediction on disk, in pixels at the classifier's downsample: a multiple of 32, and of the
#: side of a network's largest tile without its context (528 = 640 - 2 x 56).
BLOCK_SIDE = 2112

#: Longest side of the coarsest level of a pyramid, in pixels.
PYRAMID_SIDE = 1024

_MOST_LEVELS = 6
_CHUNK = BLOCK_SIDE // 2


class Store:
    """An OME-Zarr of labels, and optionally of probabilities, that is filled block by block.

    Parameters
    ----------
    path : Path
    card : Card
    """

    def __init__(self, path: Path, card: Card) -> None:
        self.path, self.card = path, card
        self.done = 0
        self._counts = np.zeros(256, np.int64)
        self._counting = True  # False if resuming a store of an earlier version, which did not count
        self._labels: list[Any] = []
        self._probabilities: Any = None

    def open(self) -> bool:
        """Create the store, or resume an earlier one.

        Returns
        -------
        bool
            Whether another prediction was deleted to make room.

        Raises
        ------
        PredictionError
            If something else is at the path, or the store cannot be written.
        """
        import zarr

        state = self._earlier_state() if self.path.exists() else None
        same = state is not None and state.fingerprint == self.card.fingerprint
        try:
            if same and state is not None:
                root = zarr.open_group(str(self.path), mode="r+")
                self.done = state.done
                if state.pixels is not None:
                    self._counts = np.array(state.pixels, np.int64)
                self._counting = state.pixels is not None or self.done == 0
            else:
                shutil.rmtree(self.path, ignore_errors=True)
                self.path.mkdir(parents=True)
                root = self._create()
        except (OSError, KeyError, ValueError, TypeError) as error:
            raise PredictionError(f"{self.path} cannot be written: {error}. Choose another folder.") from error
        if not same:
            self.note(0, 0)
        self._labels = [root[str(level)] for level in range(_n_levels(self.card.region))]
        self._probabilities = root["probabilities/0"] if self.card.probabilities else None
        return state is not None and not same

    def _earlier_state(self) -> StoreState:
        try:
            return read_state(self.path)
        except (PredictionError, FileNotFoundError) as error:
            raise PredictionError(
                f"{self.path} exists and is not a prediction that can be resumed. Give another name."
            ) from error

    def _create(self) -> Any:
        import zarr

        root = zarr.open_group(str(self.path), mode="w", zarr_format=3)
        card = self.card
        region = card.region
        sizes = [scaled_shape(region.width, region.height, 1 << level) for level in range(_n_levels(region))]
        for level, shape in enumerate(sizes):
            side = min(_CHUNK, BLOCK_SIDE >> level)
            # 255 means not predicted yet.
            root.create_array(str(level), shape=shape, chunks=(side, side), dtype="uint8", fill_value=255)
        ome = _multiscale(f"{card.image_name} labels", card, [str(level) for level in range(len(sizes))], "yx")
        ome["image-label"] = {
            "version": "0.5",
            "colors": [{"label-value": i, "rgba": [*hex_to_rgb(c), 255]} for i, c in enumerate(card.colors.values())],
            "properties": [{"label-value": i, "class": name} for i, name in enumerate(card.classes)],
        }
        ome["omero"] = {"channels": [{"label": "Class", "color": "FFFFFF"}]}
        root.attrs.update({"ome": ome, "histowidgets": card.to_dict()})
        if card.probabilities:
            group = root.create_group("probabilities")
            planes = (len(card.classes), region.height, region.width)
            group.create_array("0", shape=planes, chunks=(1, _CHUNK, _CHUNK), dtype="uint8")
            ome = _multiscale(f"{card.image_name} probabilities", card, ["0"], "cyx")
            channels = [
                {"label": name, "color": bytes(hex_to_rgb(color)).hex().upper()} for name, color in card.colors.items()
            ]
            group.attrs["ome"] = {**ome, "omero": {"channels": channels}}
        return root

    def write(self, block: Region, labels: np.ndarray, probabilities: np.ndarray | None) -> None:
        """Write a block.

        Parameters
        ----------
        block : Region
            In pixels, from the corner of the prediction.
        labels : ndarray of uint8, (height, width)
        probabilities : ndarray of uint8, (K, height, width), or None
        """
        self._counts += np.bincount(labels.ravel(), minlength=256)
        for level, array in enumerate(self._labels):
            step = 1 << level
            y, x = -(-block.y // step), -(-block.x // step)
            small = labels[y * step - block.y :: step, x * step - block.x :: step]
            array[y : y + small.shape[0], x : x + small.shape[1]] = small
        if probabilities is not None:
            self._probabilities[:, block.y : block.bottom, block.x : block.right] = probabilities

    def note(self, done: int, total: int) -> None:
        """Record that `done` of `total` blocks are written.

        Raises
        ------
        PredictionError
            If the note cannot be written.
        """
        self.done = done
        pixels = self._counts.tolist() if self._counting else None
        state = StoreState(**dict(self.card), done=done, total=total, pixels=pixels)
        with atomic_write(self.path / STATE, PredictionError, fsync=False) as part:
            part.write_text(json.dumps(state.to_dict()), encoding="utf-8")

    def level(self, level: int) -> Any:
        """Return the array of labels at a level."""
        return self._labels[level]

    @property
    def n_levels(self) -> int:
        """Number of levels of labels."""
        return len(self._labels)

    @property
    def probabilities(self) -> Any:
        """The array of probabilities (K, height, width), or None."""
        return self._probabilities


def read_state(path: Path) -> StoreState:
    """Read the note in a prediction's folder.

    Raises
    ------
    FileNotFoundError
        If there is no note.
    PredictionError
        If the note cannot be read, or was not written by this version or an earlier one.
    """
    try:
        values = json.loads((path / STATE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise PredictionError(f"{path} is not a prediction by histowidgets ({error}).") from error
    return StoreState.from_dict(values if isinstance(values, dict) else {}, path)


def _n_levels(region: Region) -> int:
    level = 0
    while max(region.width, region.height) >> level > PYRAMID_SIDE and level + 1 < _MOST_LEVELS:
        level += 1
    return level + 1


def _multiscale(name: str, card: Card, paths: list[str], axes: str) -> dict[str, Any]:
    """Return the metadata of a pyramid for OME-Zarr 0.5."""
    size = card.pixel_size_yx_um
    steps = {"y": 1.0, "x": 1.0} if size is None else {"y": size[0], "x": size[1]}
    unit = {} if size is None else {"unit": "micrometer"}
    kinds = {"c": {"name": "c", "type": "channel"}}
    described = [kinds.get(axis, {"name": axis, "type": "space", **unit}) for axis in axes]
    datasets = []
    for level, path in enumerate(paths):
        scale = [1.0 if axis == "c" else steps[axis] * (1 << level) for axis in axes]
        offset = [{"x": card.region[0] * steps["x"], "y": card.region[1] * steps["y"]}.get(axis, 0.0) for axis in axes]
        moves = [{"type": "scale", "scale": scale}, {"type": "translation", "translation": offset}]
        datasets.append({"path": path, "coordinateTransformations": moves})
    pyramid = {"name": name, "axes": described, "datasets": datasets, "type": "nearest"}
    return {"version": "0.5", "multiscales": [pyramid]}
