"""What weights there are on this computer, and fetching them before they are needed."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from huggingface_hub import constants, scan_cache_dir
from huggingface_hub.errors import CacheNotFound

from histowidgets.models._bundled import packaged_path
from histowidgets.models._cards import find_backbone
from histowidgets.models._hub import (
    DamagedWeightsError,
    WeightsUnavailableError,
    cached_weights,
    fetch_weights,
    hub_address,
    hub_endpoint,
    is_offline,
    read_weights,
    sha256_of,
    stated_sha256,
)
from histowidgets.models._registry import Backbone, backbones

State = Literal["installed", "fetched", "interrupted", "damaged", "not fetched", "not installed", "none"]

#: Owners on the hub whose repositories are encoders that can be used by their names.
_OWNERS = ("timm/", "smp-hub/")


@dataclass(frozen=True)
class WeightFile:
    """The pretrained weights of a backbone, and whether they are on this computer.

    Attributes
    ----------
    name : str
        The backbone; for other encoders in the cache, their repository.
    state : {"installed", "fetched", "interrupted", "damaged", "not fetched", "not installed", "none"}
        "interrupted": a part was downloaded, and fetching continues there. "damaged": the file is not what the hub
        stated. "none": no weights have been published.
    path : Path or None
        The file, if there is one.
    n_bytes : int or None
        Its size.
    repository : str
        On the hub; empty for weights that come with a package.
    revision : str or None
        The commit that is taken; None for the main branch.
    licence : str
    commercial_use : bool or None
    gated : bool
        As in `Backbone`.
    """

    name: str
    state: State
    path: Path | None = None
    n_bytes: int | None = None
    repository: str = ""
    revision: str | None = None
    licence: str = ""
    commercial_use: bool | None = None
    gated: bool = False


@dataclass(frozen=True)
class WeightCache:
    """Where weights are kept and fetched from.

    Attributes
    ----------
    folder : Path
        The hub's cache, which other programs share; ``HF_HUB_CACHE`` or ``HF_HOME`` choose it.
    endpoint : str
        The hub, or the mirror in ``HF_ENDPOINT``.
    offline : bool
        Whether ``HF_HUB_OFFLINE`` is set, so that nothing is fetched.
    """

    folder: Path
    endpoint: str
    offline: bool


def weight_cache() -> WeightCache:
    """Return where weights are kept and fetched from."""
    return WeightCache(Path(constants.HF_HUB_CACHE), hub_endpoint(), is_offline())


def find_weights(name: str, check: bool = False) -> WeightFile:
    """Return whether the weights of a backbone are on this computer, without a connection.

    Parameters
    ----------
    name : str
        A backbone, as in `find_backbone`.
    check : bool
        Whether to compare the file with its SHA-256, which takes a second for each gigabyte, and to read its header.

    Raises
    ------
    BackboneError
        The name is unknown.
    """
    card = find_backbone(name)
    if card.weights in ("bundled", "package"):
        try:
            path = packaged_path(card.name)
        except WeightsUnavailableError:
            return _file(card, "not installed")
        return _file(card, "installed", path)
    if card.weights == "none":
        return _file(card, "none")
    found = cached_weights(card)
    if found is None:
        return _file(card, "interrupted" if _parts(hub_address(card)[0]) else "not fetched")
    path = Path(found)
    return _file(card, "damaged" if check and _is_damaged(path) else "fetched", path)


def list_weights(check: bool = False) -> list[WeightFile]:
    """Return the weights of all backbones on offer, and of other encoders in the cache.

    Parameters
    ----------
    check : bool
        As for `find_weights`.
    """
    found = [find_weights(card.name, check) for card in backbones(foundation=True)]
    known = {one.repository for one in found}
    return found + [one for one in _others() if one.repository not in known]


def fetch_backbone(name: str) -> WeightFile:
    """Fetch the weights of a backbone if they are not there, and check them.

    An interrupted download continues where it stopped, and a damaged file is fetched again.

    Raises
    ------
    WeightsUnavailableError
        They could not be fetched; the message says why.
    BackboneError
        The name is unknown.
    """
    card = find_backbone(name)
    if card.weights == "none":
        raise WeightsUnavailableError(f"nobody has published weights of {card.name}")
    if card.weights in ("bundled", "package"):
        packaged_path(card.name)
        return find_weights(name)
    try:
        read_weights(fetch_weights(card)[0])
    except DamagedWeightsError as error:
        error.path.unlink(missing_ok=True)
        cached = cached_weights(card)
        if cached is not None and Path(cached).is_symlink():
            Path(cached).unlink()
        read_weights(fetch_weights(card)[0])
    return find_weights(name)


def _file(card: Backbone, state: State, path: Path | None = None) -> WeightFile:
    repository, revision = hub_address(card) if card.weights == "hub" else ("", None)
    size = None
    if path is not None:
        with suppress(OSError):
            size = path.stat().st_size
    return WeightFile(card.name, state, path, size, repository, revision, card.licence, card.commercial_use, card.gated)


def _is_damaged(path: Path) -> bool:
    stated = stated_sha256(path)
    try:
        if stated is not None and sha256_of(path) != stated:
            return True
        read_weights(path)
    except (WeightsUnavailableError, OSError):
        return True
    return False


def _parts(repository: str) -> list[Path]:
    """Return the files of interrupted downloads from a repository."""
    return [*(Path(constants.HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}" / "blobs").glob("*.incomplete")]


def _others() -> list[WeightFile]:
    """Return the encoders in the cache that are used by their names in timm or smp."""
    try:
        cache = scan_cache_dir(constants.HF_HUB_CACHE)
    except (CacheNotFound, ValueError, OSError):
        return []
    return [
        WeightFile(repo.repo_id, "fetched", repo.repo_path, repo.size_on_disk, repo.repo_id)
        for repo in sorted(cache.repos, key=lambda repo: repo.repo_id)
        if repo.repo_type == "model" and repo.repo_id.startswith(_OWNERS)
    ]
