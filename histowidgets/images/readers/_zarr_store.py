"""Where an OME-Zarr lies: a folder, a ZIP file, or an address."""

import itertools
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import zarr
import zarr.storage

from histowidgets._address import scheme_of
from histowidgets.errors import ImageOpenError

#: Seconds that a connection may take to be made, and to give its next bytes.
CONNECT_SECONDS, READ_SECONDS = 10.0, 30.0
#: How often a part is asked for, and how long is waited before the second time; twice as long before each next time.
ATTEMPTS, FIRST_PAUSE = 4, 0.5
#: Endings of files that can be read from a disk, but not by address.
_FILES = (".tif", ".tiff", ".btf", ".svs", ".ndpi", ".mrxs", ".scn", ".png", ".jpg", ".jpeg", ".bmp", ".jp2", ".czi")
_METADATA = ("zarr.json", ".zgroup", ".zattrs")

Result = TypeVar("Result")


class ZarrPlace:
    """Where a Zarr lies, and how to read from there.

    Attributes
    ----------
    where : str
        Path or address, for messages.
    store : zarr store
    folder : Path or None
        Where its chunks are files.
    prefix : str
        Path of the root group in the store.
    """

    def __init__(self, where: str, store: Any, folder: Path | None = None, prefix: str = "") -> None:
        self.where, self.store, self.folder, self.prefix = where, store, folder, prefix

    @property
    def is_remote(self) -> bool:
        """Whether it is read over a network."""
        return bool(scheme_of(self.where))

    def group(self, path: str = "") -> Any:
        """Open a group, by its path from the root."""
        whole = "/".join(part for part in (self.prefix, path) if part)
        return zarr.open_group(self.store, path=whole or None, mode="r", use_consolidated=False)

    def patiently(self, read: Callable[[], Result]) -> Result:
        """Read, and try again where a line is lost.

        Raises
        ------
        ImageOpenError
            If that fails `ATTEMPTS` times, or is refused.
        """
        if not self.is_remote:
            return read()
        began = time.monotonic()
        for attempt in itertools.count(1):
            try:
                return read()
            except FileNotFoundError:
                raise
            except _line_errors() as error:
                if _refusal(error) or attempt >= ATTEMPTS:
                    raise ImageOpenError(_lost(self.where, error, attempt, time.monotonic() - began)) from error
            time.sleep(FIRST_PAUSE * 2 ** (attempt - 1))
        raise AssertionError("the loop above ends")


def folder_place(path: Path) -> ZarrPlace:
    """Return the place of a folder."""
    return ZarrPlace(str(path), zarr.storage.LocalStore(path, read_only=True), folder=path)


def zip_place(path: Path) -> ZarrPlace | None:
    """Return the place of a zipped Zarr; None if there is none in the file."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = [name for name in archive.namelist() if name.rsplit("/", 1)[-1] in _METADATA]
    except (OSError, zipfile.BadZipFile):
        return None
    if not found:
        return None
    top = min(found, key=lambda name: name.count("/"))
    store = zarr.storage.ZipStore(path, mode="r", read_only=True)
    return ZarrPlace(str(path), store, prefix=top.rpartition("/")[0])


def remote_place(address: str) -> ZarrPlace:
    """Return the place of an address.

    Raises
    ------
    ImageOpenError
        If it cannot be one of a Zarr, or what is needed for its kind is not installed.
    """
    scheme, path = scheme_of(address), urlsplit(address).path.rstrip("/")
    if path.lower().endswith(_FILES):
        raise ImageOpenError(
            f"{address} is an address of a file; of addresses only OME-Zarr can be read. Download it, and open it from "
            "there, or convert it to OME-Zarr."
        )
    try:
        options = _options_of(scheme)
        store = _RemoteStore.from_url(address.rstrip("/"), storage_options=options, read_only=True)
    except ImportError as error:
        raise ImageOpenError(
            f"{address} cannot be opened: {error}. Addresses need more packages: pip install 'histowidgets[remote]'."
        ) from error
    except ValueError as error:
        raise ImageOpenError(
            f"{address} cannot be opened: {error}. Addresses that begin with https:// and s3:// can be; of a file, "
            "give the path."
        ) from error
    return ZarrPlace(address.rstrip("/"), store)


class _RemoteStore(zarr.storage.FsspecStore):
    """A store that takes "forbidden" for "not there" where other parts can be read.

    S3 answers so for what does not exist to those who may not list a bucket, as most do not in public ones: chunks of
    nothing but the fill value, and the descriptions of other versions of Zarr. What could be read before tells the two
    apart: access that has ended is refused for that, too.
    """

    _read_before: str | None = None

    async def get(self, key: str, prototype: Any, byte_range: Any = None) -> Any:
        """Return what is stored under a key; None if there is nothing."""
        try:
            found = await super().get(key, prototype, byte_range)
        except PermissionError:
            if self._read_before is not None:
                await super().get(self._read_before, prototype)  # refused, if access has ended
            return None
        if found is not None and self._read_before is None:
            self._read_before = key
        return found


def _options_of(scheme: str) -> dict[str, Any]:
    if scheme in ("http", "https"):
        import aiohttp  # extra "remote"

        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS)
        return {"client_kwargs": {"timeout": timeout}}
    if scheme in ("s3", "s3a"):
        import botocore.session  # extra "remote"
        import s3fs  # noqa: F401

        # Public buckets are read without credentials where a person has none.
        anonymous = botocore.session.Session().get_credentials() is None
        limits = {"connect_timeout": CONNECT_SECONDS, "read_timeout": READ_SECONDS, "retries": {"max_attempts": 1}}
        # A new one each time: who logs in after a refusal tries again.
        return {"anon": anonymous, "config_kwargs": limits, "skip_instance_cache": True}
    return {}


def _line_errors() -> tuple[type[BaseException], ...]:
    """Return what is raised where a line is lost or a server refuses."""
    found: list[type[BaseException]] = [OSError, TimeoutError, EOFError]
    try:
        import aiohttp

        found.append(aiohttp.ClientError)
    except ImportError:
        pass
    try:
        import botocore.exceptions

        found.append(botocore.exceptions.BotoCoreError)
    except ImportError:
        pass
    return tuple(found)


def _refusal(error: BaseException) -> str:
    """Say that a server refuses, which it will again; "" where the line is at fault."""
    status = getattr(error, "status", None)
    if isinstance(error, PermissionError) or status in (401, 403):
        return "access is refused"
    return f"the server answers {status}" if isinstance(status, int) and 400 <= status < 500 and status != 429 else ""


def _lost(where: str, error: BaseException, attempts: int, seconds: float) -> str:
    if refused := _refusal(error):
        return (
            f"{where} cannot be read: {refused} ({error}). Check the address; for s3:// log in with your credentials "
            "(AWS_PROFILE, or `aws configure`)."
        )
    why = str(error) or type(error).__name__
    return (
        f"{where} cannot be fetched: {why} (tried {attempts} times in {seconds:.0f} s). The connection may be lost; "
        "check the address and the network, and try again."
    )
