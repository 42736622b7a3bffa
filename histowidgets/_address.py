"""Distinguish the address of an image (https://…, s3://…) from a path."""

import os
import re

#: Only one slash is left where an address was converted to a path and back.
_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]+):(//?)", re.IGNORECASE)
#: Schemes that are recognized even with one slash: folders do not have these names.
_KNOWN = ("http", "https", "s3", "s3a", "gs", "gcs", "az", "abfs", "ftp")


def address_of(given: object) -> str | None:
    """Return text or a path as an address, such as "https://host/image.zarr"; None if it is the path of a file."""
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
    """Return whether text is an address, such as "https://host/image.zarr", rather than the path of a file."""
    return address_of(given) is not None


def scheme_of(address: str) -> str:
    """Return the scheme of an address, such as "https"; "" for a path."""
    found = _SCHEME.match(address)
    return found.group(1).lower() if found and found.group(2) == "//" else ""
