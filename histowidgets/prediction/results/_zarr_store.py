"""A prediction on disk while it is made: an OME-Zarr with a pyramid, and a note of how far it has come."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from histowidgets.errors import PredictionError
from histowidgets.images import Region, scaled_shape
from histowidgets.prediction._limits import BLOCK_SIDE, PYRAMID_SIDE
from histowidgets.prediction.results._colors import rgb

STATE = "histowidgets-prediction.json"
FORMAT, VERSION = "histowidgets prediction", 1
_MOST_LEVELS = 6
_CHUNK = BLOCK_SIDE // 2


@dataclass(frozen=True)
class Card:
    """What a prediction on disk says of itself.

    Attributes
    ----------
    image_name : str
    region : tuple of int
        x, y, width, height in full-size pixels of the image.
    pixel_size_um : float or None
    classes : list of str
    colors : dict of str to str
    probabilities : bool
        Whether they are kept beside the labels.
    fingerprint : str
        Of classifier, image and settings.
    """

    image_name: str
    region: tuple[int, int, int, int]
    pixel_size_um: float | None
    classes: list[str]
    colors: dict[str, str]
    probabilities: bool
    fingerprint: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {"format": FORMAT, "version": VERSION, **asdict(self), "region": list(self.region)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], path: Path) -> "Card":
        """Make a card from what `to_dict` gave.

        Raises
        ------
        PredictionError
            If it is none, is damaged, or was written by a newer version.
        """
        try:
            if values["format"] != FORMAT:
                raise KeyError("format")
            if int(values["version"]) > VERSION:
                raise PredictionError(f"{path} was written by a newer histowidgets. Update it to open the prediction.")
            fields = {name: values[name] for name in cls.__dataclass_fields__}
            return cls(**{**fields, "region": Region(*(int(v) for v in values["region"]))})
        except (KeyError, TypeError, ValueError) as error:
            raise PredictionError(f"{path} is no prediction that histowidgets wrote ({error!r}).") from error


class Store:
    """An OME-Zarr of labels, and of probabilities if wanted, that is filled block by block.

    Parameters
    ----------
    path : Path
    card : Card
    """

    def __init__(self, path: Path, card: Card) -> None:
        self.path, self.card = path, card
        self.done = 0
        self._counts = np.zeros(256, np.int64)
        self._region = Region(*card.region)
        self._counting = True  # False where a store of an earlier version goes on
        self._labels: list[Any] = []
        self._probabilities: Any = None

    @classmethod
    def read_state(cls, path: Path) -> dict[str, Any] | None:
        """Return the note of an earlier prediction; None if there is none or it cannot be read."""
        try:
            found = json.loads((path / STATE).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) and found.get("format") == FORMAT else None

    @staticmethod
    def counts_in(state: Mapping[str, Any] | None) -> np.ndarray | None:
        """Return how many pixels a note counts of each index: int64 (256,); None where it does not say."""
        found = [] if state is None else state.get("pixels")
        if not isinstance(found, list) or len(found) != 256 or not all(isinstance(n, int) and n >= 0 for n in found):
            return None
        return np.array(found, np.int64)

    def open(self) -> bool:
        """Make the store, or take up an earlier one.

        Returns
        -------
        bool
            Whether another prediction was thrown away for this one.

        Raises
        ------
        PredictionError
            If something else is there, or it cannot be written.
        """
        import zarr

        state = self.read_state(self.path)
        if self.path.exists() and state is None:
            raise PredictionError(f"{self.path} exists and is no prediction that can go on. Give another name.")
        same = state is not None and state.get("fingerprint") == self.card.fingerprint
        try:
            if same and state is not None:
                root = zarr.open_group(str(self.path), mode="r+")
                self.done = int(state.get("done", 0))
                known = self.counts_in(state)
                self._counts = np.zeros(256, np.int64) if known is None else known
                self._counting = known is not None or self.done == 0
            else:
                shutil.rmtree(self.path, ignore_errors=True)
                self.path.mkdir(parents=True)
                root = self._create()
                self.note(0, 0)
        except (OSError, KeyError, ValueError, TypeError) as error:
            raise PredictionError(f"{self.path} cannot be written: {error}. Choose another place.") from error
        self._labels = [root[str(level)] for level in range(_n_levels(self._region))]
        self._probabilities = root["probabilities/0"] if self.card.probabilities else None
        return state is not None and not same

    def _create(self) -> Any:
        import zarr

        root = zarr.open_group(str(self.path), mode="w", zarr_format=3)
        region, card = self._region, self.card
        sizes = [scaled_shape(region.width, region.height, 1 << level) for level in range(_n_levels(region))]
        for level, shape in enumerate(sizes):
            side = min(_CHUNK, BLOCK_SIDE >> level)
            # 255 means that nothing was predicted there yet.
            root.create_array(str(level), shape=shape, chunks=(side, side), dtype="uint8", fill_value=255)
        ome = _multiscale(f"{card.image_name} labels", card, [str(level) for level in range(len(sizes))], "yx")
        ome["image-label"] = {
            "version": "0.5",
            "colors": [{"label-value": i, "rgba": [*rgb(c), 255]} for i, c in enumerate(card.colors.values())],
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
                {"label": name, "color": bytes(rgb(color)).hex().upper()} for name, color in card.colors.items()
            ]
            group.attrs["ome"] = {**ome, "omero": {"channels": channels}}
        return root

    def write(self, block: Region, labels: np.ndarray, probabilities: np.ndarray | None) -> None:
        """Write a block.

        Parameters
        ----------
        block : Region
            In pixels from the corner of the prediction; x and y are multiples of `BLOCK_SIDE`.
        labels : ndarray of uint8, (height, width)
        probabilities : ndarray of uint8, (K, height, width), or None
        """
        self._counts += np.bincount(labels.ravel(), minlength=256)
        for level, array in enumerate(self._labels):
            small = labels[:: 1 << level, :: 1 << level]
            y, x = block.y >> level, block.x >> level
            array[y : y + small.shape[0], x : x + small.shape[1]] = small
        if probabilities is not None:
            self._probabilities[:, block.y : block.bottom, block.x : block.right] = probabilities

    def note(self, done: int, total: int) -> None:
        """Note that so many blocks are written."""
        self.done = done
        state = {**self.card.to_dict(), "done": done, "total": total}
        if self._counting:
            state["pixels"] = self._counts.tolist()
        text = json.dumps(state)
        beside = self.path / f".{STATE}"
        beside.write_text(text, encoding="utf-8")
        beside.replace(self.path / STATE)

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


def _n_levels(region: Region) -> int:
    level = 0
    while max(region.width, region.height) >> level > PYRAMID_SIDE and level + 1 < _MOST_LEVELS:
        level += 1
    return level + 1


def _multiscale(name: str, card: Card, paths: list[str], axes: str) -> dict[str, Any]:
    """Describe a pyramid in the words of OME-Zarr 0.5."""
    size = card.pixel_size_um
    step = 1.0 if size is None else size
    unit = {} if size is None else {"unit": "micrometer"}
    kinds = {"c": {"name": "c", "type": "channel"}}
    described = [kinds.get(axis, {"name": axis, "type": "space", **unit}) for axis in axes]
    datasets = []
    for level, path in enumerate(paths):
        scale = [1.0 if axis == "c" else step * (1 << level) for axis in axes]
        offset = [{"x": card.region[0] * step, "y": card.region[1] * step}.get(axis, 0.0) for axis in axes]
        moves = [{"type": "scale", "scale": scale}, {"type": "translation", "translation": offset}]
        datasets.append({"path": path, "coordinateTransformations": moves})
    pyramid = {"name": name, "axes": described, "datasets": datasets, "type": "nearest"}
    return {"version": "0.5", "multiscales": [pyramid]}
