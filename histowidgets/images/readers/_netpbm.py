"""Read PGM and PPM files of more than 8 bits, which Pillow reduces to 8."""

import re
from pathlib import Path

import numpy as np

#: Magic number, width, height and largest value, with optional comments between, and one blank before the pixels.
_BLANK = rb"(?:\s|#[^\n]*\n)+"
_HEADER = re.compile(rb"^(P[2356])" + _BLANK + rb"(\d+)" + _BLANK + rb"(\d+)" + _BLANK + rb"(\d+)\s")


def deep_netpbm(path: Path) -> np.ndarray | None:
    """Return (rows, cols, channels) uint16 of a PGM or PPM of more than 8 bits; None for other files.

    Raises
    ------
    ValueError
        If it is truncated.
    """
    with path.open("rb") as file:
        start = file.read(4096)
        found = _HEADER.match(start)
        if found is None:
            return None
        kind = found.group(1)
        width, height, largest = (int(number) for number in found.groups()[1:])
        if largest < 256:
            return None
        channels = 3 if kind in (b"P3", b"P6") else 1
        count = width * height * channels
        file.seek(found.end())
        if kind in (b"P5", b"P6"):
            values = np.frombuffer(file.read(2 * count), ">u2")
        else:
            values = np.array(re.sub(rb"#[^\n]*", b"", file.read()).split(), np.uint16)
    if len(values) < count:
        raise ValueError(f"only {len(values):,} of {count:,} values are there")
    return values[:count].astype(np.uint16).reshape(height, width, channels)
