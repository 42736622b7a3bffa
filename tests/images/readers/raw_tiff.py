"""TIFFs of kinds that no library writes, byte by byte."""

import struct

import numpy as np

_SIZES = {1: 1, 3: 2, 4: 4, 5: 8}
_FORMATS = {1: "B", 3: "H", 4: "I"}


def packed(values, bits):
    """Pack rows of whole numbers into `bits` bits each; each row begins on a byte."""
    values = np.asarray(values)
    rows = []
    for row in values.reshape(values.shape[0], -1):
        digits = (row[:, None].astype(np.uint64) >> np.arange(bits - 1, -1, -1, dtype=np.uint64)) & np.uint64(1)
        rows.append(np.packbits(digits.astype(np.uint8).ravel()).tobytes())
    return b"".join(rows)


def write(path, data, width, height, bits=8, samples=1, photometric=1, compression=1, tags=()):
    """Write a TIFF of one strip.

    Parameters
    ----------
    data : bytes
        As they are stored.
    tags : sequence of (number, type, values)
        More of them; type 3 is 16 bits, 4 is 32 bits, 5 is numerator and denominator.
    """
    entries = [
        (256, 4, (width,)), (257, 4, (height,)), (258, 3, (bits,) * samples), (259, 3, (compression,)),
        (262, 3, (photometric,)), (273, 4, (8,)), (277, 3, (samples,)), (278, 4, (height,)), (279, 4, (len(data),)),
        *tags,
    ]  # fmt: skip
    data += b"\0" * (len(data) % 2)
    content, directory = data, b""
    for number, kind, values in sorted(entries):
        flat = [part for value in values for part in value] if kind == 5 else list(values)
        written = struct.pack(f"<{len(flat)}{'I' if kind == 5 else _FORMATS[kind]}", *flat)
        if len(written) > 4:
            place = struct.pack("<I", 8 + len(content))
            content += written + b"\0" * (len(written) % 2)
        else:
            place = written.ljust(4, b"\0")
        directory += struct.pack("<HHI", number, kind, len(values)) + place
    head = struct.pack("<4sI", b"II*\0", 8 + len(content))
    path.write_bytes(head + content + struct.pack("<H", len(entries)) + directory + bytes(4))
    return path
