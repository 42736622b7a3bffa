"""Tiny files that claim a million by a million pixels are refused by name, before memory is taken."""

import json
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from histowidgets.errors import ImageError, ImageSizeError, ProjectFolderError
from histowidgets.images import open_image

ROOT = Path(__file__).resolve().parents[2]
HUGE = 1_000_000


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(path):
    header = struct.pack(">IIBBBBB", HUGE, HUGE, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def deep_png(path):
    header = struct.pack(">IIBBBBB", HUGE, HUGE, 16, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def jpeg(path):
    import io

    import PIL.Image

    buffer = io.BytesIO()
    PIL.Image.new("RGB", (16, 16)).save(buffer, "JPEG")
    content = bytearray(buffer.getvalue())
    place = content.index(b"\xff\xc0") + 5
    content[place : place + 4] = struct.pack(">HH", 65_000, 65_000)  # all that the format can say
    path.write_bytes(bytes(content))


def bmp(path):
    import io

    import PIL.Image

    buffer = io.BytesIO()
    PIL.Image.new("RGB", (16, 16)).save(buffer, "BMP")
    content = bytearray(buffer.getvalue())
    content[18:26] = struct.pack("<ii", HUGE, HUGE)
    path.write_bytes(bytes(content))


def patched_tiff(path, tags, **options):
    """A small TIFF whose tags say something else."""
    tifffile.imwrite(path, np.zeros((64, 64, 3), np.uint8), photometric="rgb", **options)
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        for name, value in tags.items():
            tiff.pages.first.tags[name].overwrite(value)


def striped_tiff(path):
    tags = {"ImageWidth": HUGE, "ImageLength": HUGE, "RowsPerStrip": HUGE}
    patched_tiff(path, tags, compression="zlib", rowsperstrip=64)


def plain_tiff(path):
    patched_tiff(path, {"ImageWidth": HUGE, "ImageLength": HUGE, "RowsPerStrip": HUGE})


def tiled_tiff(path):
    tags = {"ImageWidth": HUGE, "ImageLength": HUGE, "TileWidth": HUGE, "TileLength": HUGE}
    patched_tiff(path, tags, compression="zlib", tile=(64, 64))


def small_tiff_of_one_huge_tile(path):
    patched_tiff(path, {"TileWidth": HUGE - 64, "TileLength": HUGE - 64}, compression="zlib", tile=(64, 64))


def ome_planes(path):
    """OME-XML that claims a million planes of a million pixels a side, over one small page."""
    tifffile.imwrite(path, np.zeros((64, 64), np.uint8), ome=True)
    with tifffile.TiffFile(path) as tiff:
        text = tiff.ome_metadata
    for axis in "XYCZT":
        size = "64" if axis in "XY" else "1"
        assert f'Size{axis}="{size}"' in text
        text = text.replace(f'Size{axis}="{size}"', f'Size{axis}="{HUGE}"')
    tifffile.imwrite(path, np.zeros((64, 64), np.uint8), description=text.encode(), metadata=None)


def zarr_of(path, chunks):
    group = zarr.open_group(path, mode="w", zarr_format=2)
    group.create_array("0", shape=(3, HUGE, HUGE), chunks=chunks, dtype="u1", compressors=None)
    group.attrs["multiscales"] = [
        {"axes": [{"name": n} for n in "cyx"], "datasets": [{"path": "0", "coordinateTransformations": []}]}
    ]
    (Path(path) / "0" / "0.0.0").write_bytes(b"x" * 100)


BOMBS = {
    "bomb.png": png,
    "deep.png": deep_png,
    "bomb.jpg": jpeg,
    "bomb.bmp": bmp,
    "strips.tif": striped_tiff,
    "plain.tif": plain_tiff,
    "tiles.tif": tiled_tiff,
    "one_tile.tif": small_tiff_of_one_huge_tile,
    "planes.ome.tif": ome_planes,
    "bomb.zarr": lambda path: zarr_of(path, (1, 256, 256)),
    "chunk.zarr": lambda path: zarr_of(path, (3, HUGE, HUGE)),
}

# Opens with a gigabyte and a half of address space beyond what was there after the imports.
CHILD = """
import resource, sys, warnings
import tifffile, imagecodecs, zarr, PIL.Image, openslide
from histowidgets.errors import ImageError
from histowidgets.images import open_image, samples
warnings.simplefilter("ignore")
samples.colon_ihc()
now = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + (1500 << 20),) * 2)
for path in sys.argv[1:]:
    try:
        image = open_image(path)
        image.read(0, 0, min(64, image.width), min(64, image.height))
    except ImageError as error:
        print(type(error).__name__, str(error).replace("\\n", " "), flush=True)
    else:
        print("opened", image, flush=True)
"""


def test_bombs_are_refused_with_their_size_named(tmp_path):
    paths = []
    for name, make in BOMBS.items():
        paths.append(tmp_path / name)
        make(paths[-1])
        assert sum(p.stat().st_size for p in [paths[-1], *paths[-1].rglob("*")]) < 100_000
    began = time.perf_counter()
    child = subprocess.run(
        [sys.executable, "-c", CHILD, *map(str, paths)], capture_output=True, text=True, cwd=ROOT, timeout=120
    )
    assert child.returncode == 0, child.stderr
    answers = dict(zip(BOMBS, child.stdout.splitlines(), strict=True))
    for name, answer in answers.items():
        assert answer.startswith("Image"), (name, answer)
        if name == "planes.ome.tif":
            continue  # its page is small: what the XML claims beyond it is missing, and nothing is believed
        assert any(f"{size}" in answer for size in (HUGE, HUGE**2, HUGE - 64, 65_000**2)), (name, answer)
    assert time.perf_counter() - began < 60


def test_a_project_that_claims_such_an_image_is_refused(tmp_path):
    from histowidgets.annotations import Project

    project = Project(["A"], tmp_path / "project")
    project.add_image(np.zeros((8, 8), np.uint8), name="small")
    project.close()
    path = tmp_path / "project" / "project.json"
    description = json.loads(path.read_text())
    description["images"][0] |= {"width": HUGE, "height": HUGE}
    path.write_text(json.dumps(description))
    with pytest.raises((ProjectFolderError, ImageError), match=f"{HUGE}"):
        Project.open(tmp_path / "project").label_map("small")


def test_the_limit_can_be_raised(tmp_path, monkeypatch):
    zarr_of(tmp_path / "large.zarr", (1, 256, 256))
    with pytest.raises(ImageSizeError, match="HISTOWIDGETS_MOST_PIXELS"):
        open_image(tmp_path / "large.zarr")
    monkeypatch.setenv("HISTOWIDGETS_MOST_PIXELS", str(10**13))
    assert open_image(tmp_path / "large.zarr").width == HUGE
