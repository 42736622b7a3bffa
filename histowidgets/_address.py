"""Telling the address of an image (https://…, s3://…) from a path."""

import os
import re

#: One slash is what is left where an address was taken for a path on its way.
_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]+):(//?)", re.IGNORECASE)
#: Schemes of which one slash is enough: no folder is called so.
_KNOWN = ("http", "https", "s3", "s3a", "gs", "gcs", "az", "abfs", "ftp")


def address_of(given: object) -> str | None:
    """Return the address that text or a path is, such as "https://host/image.zarr"; None of a path of a file."""
    if not isinstance(given, str | os.PathLike):
        return None
    text = os.fspath(given)
    found = _SCHEME.match(text) if isinstance(text, str) else None
    if found is None:
        return None
    scheme, slashes = found.group(1).lower(), found.group(2)
    if slashes == "//":
        return text
    return f"{scheme}://{text[found.end() :]}" if scheme in _KNOWN else None


def is_address(given: object) -> bool:
    """Tell whether text is an address, such as "https://host/image.zarr", and no path of a file."""
    return address_of(given) is not None


def scheme_of(address: str) -> str:
    """Return "https" of "https://…"; "" of a path."""
    found = _SCHEME.match(address)
    return found.group(1).lower() if found and found.group(2) == "//" else ""
