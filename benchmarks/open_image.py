"""Time and memory to open a synthetic pyramid of 40,000 x 40,000 pixels, as OME-Zarr and as OME-TIFF.

Each is opened in a fresh process, in which no reader is loaded yet. The goal is under 1 s and under 100 MB.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import tifffile
import zarr

LEVELS = 7
TILE = 1024
CHILD = """
import json, sys, time
import psutil
import histowidgets as hw
from histowidgets.images import thumbnail

def rss():
    return psutil.Process().memory_info().rss / 1e6

def measure(what):
    before, start = rss(), time.perf_counter()
    result = what()
    return result, {"seconds": time.perf_counter() - start, "mb": rss() - before}

image, first = measure(lambda: hw.open_image(sys.argv[1]))
_, again = measure(lambda: hw.open_image(sys.argv[1]))
middle = image.width // 2
_, view = measure(lambda: image.read(middle, middle, 1520, 1200))
_, half = measure(lambda: image.read(middle, middle, 3040, 2400, 2))
_, small = measure(lambda: thumbnail(image))
print(json.dumps({"open": first, "open again": again, "view of 1520 x 1200": view,
                  "the same at downsample 2": half, "thumbnail": small}))
"""


def tile() -> np.ndarray:
    """Return one tile of slowly changing colours, (rows, cols, 3), with a little noise so that it has some size."""
    y, x = np.mgrid[:TILE, :TILE] // 4
    colours = np.stack([x % 200, y % 200, (x + y) // 2 % 200], -1)
    return (colours + np.random.default_rng(0).integers(0, 2, colours.shape)).astype(np.uint8)


def sizes(side: int) -> list[int]:
    return [-(-side // 2**level) for level in range(LEVELS)]


def write_zarr(path: Path, side: int) -> None:
    """Write the levels; each chunk is a copy of the first, as the content does not matter here."""
    group = zarr.open_group(str(path), mode="w", zarr_format=3)
    datasets = []
    for level, length in enumerate(sizes(side)):
        array = group.create_array(str(level), shape=(3, length, length), chunks=(1, TILE, TILE), dtype=np.uint8)
        edge = min(TILE, length)
        array[:, :edge, :edge] = np.moveaxis(tile()[:edge, :edge], -1, 0)
        folder = path / str(level) / "c"
        for channel in range(3):
            for row in range(-(-length // TILE)):
                (folder / str(channel) / str(row)).mkdir(exist_ok=True)
                for column in range(-(-length // TILE)):
                    if row or column:
                        shutil.copy(folder / f"{channel}/0/0", folder / f"{channel}/{row}/{column}")
        scale = {"type": "scale", "scale": [1, 0.25 * 2**level, 0.25 * 2**level]}
        datasets.append({"path": str(level), "coordinateTransformations": [scale]})
    axes = [{"name": "c", "type": "channel"}]
    axes += [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": datasets}]}


def write_tiff(path: Path, side: int) -> None:
    encoded = tifffile.TIFF.COMPRESSORS[8](tile().tobytes())
    options = {"tile": (TILE, TILE), "compression": "zlib", "photometric": "rgb", "dtype": np.uint8}
    with tifffile.TiffWriter(path, bigtiff=True, ome=True) as writer:
        for level, length in enumerate(sizes(side)):
            first = {"subifds": LEVELS - 1} if level == 0 else {"subfiletype": 1}
            metadata = {"axes": "YXS", "PhysicalSizeX": 0.25, "PhysicalSizeY": 0.25} if level == 0 else None
            tiles = (encoded for _ in range((-(-length // TILE)) ** 2))
            writer.write(tiles, shape=(length, length, 3), metadata=metadata, **options, **first)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=40_000, help="pixels")
    parser.add_argument("--runs", type=int, default=3, help="processes for each file; the median is printed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, write in {"pyramid.ome.zarr": write_zarr, "pyramid.ome.tif": write_tiff}.items():
            path = Path(folder) / name
            write(path, arguments.side)
            command = [sys.executable, "-c", CHILD, str(path)]
            runs = [
                json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                for _ in range(arguments.runs)
            ]
            for step in runs[0]:
                seconds = np.median([run[step]["seconds"] for run in runs])
                megabytes = np.median([run[step]["mb"] for run in runs])
                print(f"{name:17s} {step:25s} {seconds:7.3f} s {megabytes:+7.1f} MB", flush=True)
    print("goal: open in under 1 s, under 100 MB")


if __name__ == "__main__":
    main()
