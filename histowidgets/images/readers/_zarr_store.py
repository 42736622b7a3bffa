"""The location of an OME-Zarr: a folder, a ZIP file, or an address."""

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

#: Timeouts in seconds for making a connection, and for receiving the next bytes.
CONNECT_SECONDS, READ_SECONDS = 10.0, 30.0
#: Number of attempts to fetch a part, and seconds before the second attempt, doubled for each further one.
ATTEMPTS, FIRST_PAUSE = 4, 0.5
#: Endings of files that can be read from disk, but not by address.
_FILES = (".tif", ".tiff", ".btf", ".svs", ".ndpi", ".mrxs", ".scn", ".png", ".jpg", ".jpeg", ".bmp", ".jp2", ".czi")
_METADATA = ("zarr.json", ".zgroup", ".zattrs")

Result = TypeVar("Result")


class ZarrPlace:
    """The location of a Zarr, and how to read from it.

    Attributes
    ----------
    where : str
        Path or address, for messages.
    store : zarr store
    folder : Path or None
        The folder, if chunks are files; otherwise None.
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
        """Read, and retry if the connection is lost.

        Raises
        ------
        ImageOpenError
            If reading fails `ATTEMPTS` times, or access is refused.
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
    """Return the place of a zipped Zarr; None if the file has none."""
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
        If it cannot be that of a Zarr, or required packages are not installed.
    """
    scheme, path = scheme_of(address), urlsplit(address).path.rstrip("/")
    if path.lower().endswith(_FILES):
        raise ImageOpenError(
            f"{address} is the address of a file, but only OME-Zarr can be read by address. Download it and open the "
            "download, or convert it to OME-Zarr."
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
            f"{address} cannot be opened: {error}. Use an address that begins with https:// or s3://, or "
            "the path of a file."
        ) from error
    return ZarrPlace(address.rstrip("/"), store)


class _RemoteStore(zarr.storage.FsspecStore):
    """A store that treats "forbidden" as "not there" if other parts can be read.

    S3 answers "forbidden" for missing objects to users who may not list a bucket, as is common for public buckets. This
    concerns chunks of only the fill value, and metadata of other Zarr versions. Reading again what could be read before
    distinguishes the two cases, since that is refused too if access has ended.
    """

    _read_before: str | None = None

    async def get(self, key: str, prototype: Any, byte_range: Any = None) -> Any:
        """Return the data under a key; None if there is none."""
        try:
            found = await super().get(key, prototype, byte_range)
        except PermissionError:
            if self._read_before is not None:
                await super().get(self._read_before, prototype)  # refused if access has ended
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

        # Public buckets are read without credentials if the user has none.
        anonymous = botocore.session.Session().get_credentials() is None
        limits = {"connect_timeout": CONNECT_SECONDS, "read_timeout": READ_SECONDS, "retries": {"max_attempts": 1}}
        # A new session each time, so that users can log in after a refusal and try again.
        return {"anon": anonymous, "config_kwargs": limits, "skip_instance_cache": True}
    return {}


def _line_errors() -> tuple[type[BaseException], ...]:
    """Return the errors raised if the connection is lost or a server refuses."""
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
    """Return a description of a permanent refusal by the server; "" if the connection is at fault."""
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
