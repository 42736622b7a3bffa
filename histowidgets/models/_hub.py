"""Fetching pretrained weights from the Hugging Face hub, failing fast where there is no network."""

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
"""How long the hub may take to answer at all before it counts as out of reach (our choice): the hub's own
client tries six times, which took 23 s offline, and a person waits for it."""

WEIGHT_FILE = "model.safetensors"
"""The only file that is fetched: a format that holds tensors and cannot run code."""


class WeightsUnavailableError(BackboneError):
    """Weights on the hub could not be had; the message says why, in a few words."""


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
        What it is, for people to read.

    Raises
    ------
    WeightsUnavailableError
        Offline, or the hub refused, or the file is not there.
    BackboneError
        The file is not the one whose SHA-256 the hub has stated.
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
    """Name weights for people to read, with the commit that the hub's cache has them from."""
    commit = Path(found).parent.name
    at = f" at {commit}" if re.fullmatch(r"[0-9a-f]{40}", commit) else ""
    return f"{'histology' if card.repository else 'pretrained'} weights from the hub, {repository}{at}"


def _whole(found: str) -> Path:
    """Return a file of the hub's cache, if its content has the SHA-256 that the hub stated when it came.

    The cache keeps a large file under that hash, and links to it; where the system has no links nothing is known.
    """
    path = Path(found)
    stated = path.resolve().name
    if re.fullmatch(r"[0-9a-f]{64}", stated):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != stated:
            raise BackboneError(
                f"The weights at {path.resolve()} are damaged: SHA-256 {digest[:12]}…, the hub stated {stated[:12]}…. "
                "Delete that file, to fetch them again."
            )
    return path


def hub_address(card: Backbone) -> tuple[str, str | None]:
    """Return the repository of a backbone's weights, and the commit to take; None for its main branch."""
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
    """Name the weights of an encoder of smp that are used: those of ImageNet where it has them, else its first."""
    names = list(smp_encoders[encoder]["pretrained_settings"])
    return "imagenet" if "imagenet" in names else next(iter(names), None)


def _reach(endpoint: str) -> None:
    """Ask once whether the hub answers (proxies of the environment are honoured)."""
    request = urllib.request.Request(endpoint, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=REACH_SECONDS):
            return
    except urllib.error.HTTPError:
        return  # it answered, if not kindly
    except OSError as error:
        raise WeightsUnavailableError(f"{endpoint} could not be reached") from error
