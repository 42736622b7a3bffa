"""Download pretrained weights from the Hugging Face hub, failing fast without a network connection."""

import hashlib
import os
import re
import urllib.error
import urllib.request
from pathlib import Path

from huggingface_hub import constants, hf_hub_download
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError
from segmentation_models_pytorch.encoders import encoders as smp_encoders

from histowidgets.errors import BackboneError
from histowidgets.models._registry import Backbone

REACH_SECONDS = 3.0
"""Seconds within which the hub must answer before it counts as unreachable (our choice). The hub's own client tries
six times, which took 23 s offline: too long for a user who is waiting."""

WEIGHT_FILE = "model.safetensors"
"""The only file that is downloaded: its format holds tensors and cannot run code."""


class WeightsUnavailableError(BackboneError):
    """Weights could not be loaded from the hub; the message gives the reason in a few words."""


def fetch_weights(card: Backbone) -> tuple[Path, str]:
    """Find the weights of a hub backbone in the local cache, or download them.

    Parameters
    ----------
    card : Backbone
        A card whose ``weights`` is "hub".

    Returns
    -------
    path : Path
        A safetensors file.
    source : str
        Readable description of the weights.

    Raises
    ------
    WeightsUnavailableError
        There is no connection, the hub denied access, or the file does not exist.
    BackboneError
        The SHA-256 of the file is not the one that the hub stated.
    """
    repository, revision = hub_address(card)
    try:
        cached = hf_hub_download(repository, WEIGHT_FILE, revision=revision, local_files_only=True)
    except (OSError, ValueError):
        pass  # not in the cache: OSError covers the hub's LocalEntryNotFoundError
    else:
        return _whole(cached), _described(card, repository, cached)
    if constants.HF_HUB_OFFLINE or os.environ.get("HF_HUB_OFFLINE", "0").upper() in {"1", "TRUE", "YES", "ON"}:
        raise WeightsUnavailableError("HF_HUB_OFFLINE is set and they are not in the local cache")
    _reach(constants.ENDPOINT)
    try:
        fetched = hf_hub_download(repository, WEIGHT_FILE, revision=revision)
    except GatedRepoError as error:
        raise WeightsUnavailableError(
            f"they are gated: ask for access at https://huggingface.co/{repository}, then log in with 'hf auth login'"
        ) from error
    except (OSError, ValueError, HfHubHTTPError) as error:
        raise WeightsUnavailableError(f"the hub answered: {str(error).splitlines()[0]}") from error
    return _whole(fetched), _described(card, repository, fetched)


def _described(card: Backbone, repository: str, found: str) -> str:
    """Describe weights in readable form, with their commit in the hub's cache."""
    commit = Path(found).parent.name
    at = f" at {commit}" if re.fullmatch(r"[0-9a-f]{40}", commit) else ""
    return f"{'histology' if card.repository else 'pretrained'} weights from the hub, {repository}{at}"


def _whole(found: str) -> Path:
    """Return a file of the hub's cache, after checking its SHA-256 against the one that the hub stated.

    The cache stores a large file under that hash, and links to it; on systems without links it cannot be checked.
    """
    path = Path(found)
    stated = path.resolve().name
    if re.fullmatch(r"[0-9a-f]{64}", stated):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != stated:
            raise BackboneError(
                f"The weights at {path.resolve()} are damaged: SHA-256 {digest[:12]}…, the hub stated {stated[:12]}…. "
                "Delete that file to download them again."
            )
    return path


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
    request = urllib.request.Request(endpoint, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=REACH_SECONDS):
            return
    except urllib.error.HTTPError:
        return  # an HTTP error is an answer too
    except OSError as error:
        raise WeightsUnavailableError(f"{endpoint} could not be reached") from error
