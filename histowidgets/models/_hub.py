"""Download pretrained weights from the Hugging Face hub, failing fast without a network connection."""

import hashlib
import os
import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huggingface_hub import constants, hf_hub_download
from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError
from segmentation_models_pytorch.encoders import encoders as smp_encoders

from histowidgets.errors import BackboneError
from histowidgets.models._registry import Backbone

if TYPE_CHECKING:
    import torch

REACH_SECONDS = 3.0
"""Seconds within which the hub must answer before it counts as unreachable (our choice). The hub's own client tries
six times, which took 23 s offline: too long for a user who is waiting."""

WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
"""The files that may hold the weights, the preferred one first. Safetensors cannot run code. Some older repositories
have only the other one, of which nothing but tensors is read."""

COMMERCIAL_USE = "HISTOWIDGETS_COMMERCIAL_USE"
"""Environment variable: with "1", weights whose licence forbids commercial use are not loaded."""

_YES = {"1", "TRUE", "YES", "ON"}


class WeightsUnavailableError(BackboneError):
    """Weights could not be loaded from the hub; the message gives the reason in a few words."""


class DamagedWeightsError(WeightsUnavailableError):
    """A weight file is cut off, or is not what the hub stated.

    Attributes
    ----------
    path : Path
        The file.
    """

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"the file {path} is {why}; delete it to download it again")
        self.path = path


def fetch_weights(card: Backbone) -> tuple[Path, str]:
    """Find the weights of a hub backbone in the local cache, or download them.

    An interrupted download is resumed.

    Parameters
    ----------
    card : Backbone
        A card whose ``weights`` is "hub".

    Returns
    -------
    path : Path
        A safetensors file, or a PyTorch file where there is none.
    source : str
        Readable description of the weights.

    Raises
    ------
    WeightsUnavailableError
        There is no connection, the hub denied access, its answer makes no sense, the licence forbids the use, or the
        SHA-256 of the file is not the one that the hub stated.
    """
    if card.commercial_use is False and os.environ.get(COMMERCIAL_USE, "0").upper() in _YES:
        raise WeightsUnavailableError(
            f"their licence, {card.licence}, forbids commercial use, and {COMMERCIAL_USE} is set"
        )
    repository, revision = hub_address(card)
    cached = cached_weights(card)
    if cached is not None:
        return _whole(cached), _described(card, repository, cached)
    if is_offline():
        raise WeightsUnavailableError("HF_HUB_OFFLINE is set and they are not in the local cache")
    endpoint = hub_endpoint()
    _reach(endpoint)
    try:
        fetched = _downloaded(repository, revision, endpoint)
    except GatedRepoError as error:
        raise WeightsUnavailableError(
            f"they are gated: ask for access at https://huggingface.co/{repository}, then log in with 'hf auth login'"
        ) from error
    except (OSError, ValueError, HfHubHTTPError) as error:
        raise WeightsUnavailableError(f"the hub answered: {_first_line(error)}") from error
    return _whole(fetched), _described(card, repository, fetched)


def _downloaded(repository: str, revision: str | None, endpoint: str) -> str:
    # The address is given only if it is not the usual one, so that the client's own choice is kept.
    other: dict[str, Any] = {} if endpoint == constants.ENDPOINT else {"endpoint": endpoint}
    for name in WEIGHT_FILES[:-1]:
        try:
            return str(hf_hub_download(repository, name, revision=revision, **other))
        except LocalEntryNotFoundError:
            raise  # there is no connection
        except EntryNotFoundError:
            continue
    return str(hf_hub_download(repository, WEIGHT_FILES[-1], revision=revision, **other))


def cached_weights(card: Backbone) -> str | None:
    """Return the path of a hub backbone's weights in the local cache; None if they are not there."""
    repository, revision = hub_address(card)
    for name in WEIGHT_FILES:
        try:
            return str(hf_hub_download(repository, name, revision=revision, local_files_only=True))
        except (OSError, ValueError):
            continue  # not in the cache: OSError covers the hub's LocalEntryNotFoundError
    return None


def is_offline() -> bool:
    """Return whether ``HF_HUB_OFFLINE`` is set, now or when the hub's client was imported."""
    return bool(constants.HF_HUB_OFFLINE) or os.environ.get("HF_HUB_OFFLINE", "0").upper() in _YES


def hub_endpoint() -> str:
    """Return the address of the hub, or of the mirror in ``HF_ENDPOINT``."""
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or str(constants.ENDPOINT)


def read_weights(path: Path) -> "dict[str, torch.Tensor]":
    """Read the tensors of a weight file, without unpickling anything else.

    Raises
    ------
    WeightsUnavailableError
        The file is cut off, or is not a file of weights.
    """
    import torch
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # what a damaged file raises depends on where it is cut off
        raise DamagedWeightsError(path.resolve(), f"cut off or damaged ({_first_line(error)})") from error
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise WeightsUnavailableError(f"the file {path.resolve()} holds more than tensors by name")
    return state


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _described(card: Backbone, repository: str, found: str) -> str:
    """Describe weights in readable form, with their commit in the hub's cache."""
    commit = Path(found).parent.name
    at = f" at {commit}" if re.fullmatch(r"[0-9a-f]{40}", commit) else ""
    kind = "pretrained" if repository.startswith("timm/") or not card.repository else "histology"
    return f"{kind} weights from the hub, {repository}{at}"


def _whole(found: str) -> Path:
    """Return a file of the hub's cache, after checking its SHA-256 against the one that the hub stated."""
    path = Path(found)
    stated, digest = stated_sha256(path), ""
    if stated is not None:
        digest = sha256_of(path)
    if stated is not None and digest != stated:
        raise DamagedWeightsError(path.resolve(), f"damaged: SHA-256 {digest[:12]}…, the hub stated {stated[:12]}…")
    return path


def stated_sha256(path: Path) -> str | None:
    """Return the SHA-256 that the hub stated for a file of its cache; None if it is unknown.

    The cache stores a large file under that hash, and links to it; on systems without links it cannot be known.
    """
    name = path.resolve().name
    return name if re.fullmatch(r"[0-9a-f]{64}", name) else None


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hub_address(card: Backbone) -> tuple[str, str | None]:
    """Return the repository of a backbone's weights, and the commit to use; None for its main branch."""
    if card.repository:
        return card.repository, card.revision or None
    if card.encoder.startswith("tu-"):
        import timm

        config = timm.get_pretrained_cfg(card.encoder.removeprefix("tu-"))
        repository, _, revision = str(config.hf_hub_id if config else "").partition("@")
        return repository, revision or None
    settings = smp_encoders[card.encoder]["pretrained_settings"][weights_name(card.encoder)]
    return settings["repo_id"], settings["revision"]


def weights_name(encoder: str) -> str | None:
    """Return the name of the weights to use for an encoder of smp: ImageNet if available, else the first."""
    names = list(smp_encoders[encoder]["pretrained_settings"])
    return "imagenet" if "imagenet" in names else next(iter(names), None)


def _reach(endpoint: str) -> None:
    """Check once that the hub answers, respecting the proxies of the environment."""
    try:
        request = urllib.request.Request(endpoint, method="HEAD")
        with urllib.request.urlopen(request, timeout=REACH_SECONDS):
            return
    except urllib.error.HTTPError:
        return  # an HTTP error is an answer too
    except (OSError, ValueError) as error:  # an address that is none is a ValueError
        raise WeightsUnavailableError(f"{endpoint} could not be reached") from error
