"""TIFF tags, OME-XML and picture files with bytes changed: only our errors, no crash, no hang, no flood of memory."""

import json
import subprocess
import sys
from pathlib import Path

from tests.fuzz import case
from tests.fuzz.conftest import MANY

ROOT = Path(__file__).resolve().parents[2]

# In a process of its own: a codec that crashes, hangs or takes all memory must not take the tests with it.
CHILD = """
import json, os, random, resource, signal, sys, time, traceback, warnings
from pathlib import Path
import imagecodecs, openslide, tifffile, zarr, PIL.Image
from histowidgets.errors import HistowidgetsError
from histowidgets.images import open_image, samples
warnings.simplefilter("ignore")
import logging
logging.disable(logging.CRITICAL)
folder, cases = Path(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_AS, ((6 << 30),) * 2)
seeds = [p for p in sorted(folder.glob("good*"))]
wholes = {p: p.read_bytes() for p in seeds}

def interesting(rng):
    return rng.choice([0, 1, 2, 255, 254, 127, 128, 65, rng.randrange(256)])

def damaged(content, rng):
    content = bytearray(content)
    for _ in range(rng.randint(1, 6)):
        # Tags and headers stand at the beginning or at the end.
        at = rng.choice([rng.randrange(min(400, len(content))), rng.randrange(len(content)),
                         max(0, len(content) - 1 - rng.randrange(400))])
        at = min(at, len(content) - 1)
        how = rng.randrange(6)
        if how < 3:
            content[at] = interesting(rng)
        elif how == 3:
            extremes = [b"\\xff\\xff\\xff\\xff", b"\\0\\0\\0\\0", b"\\xff\\xff\\xff\\x7f", b"\\0\\0\\1\\0"]
            content[at:at + 4] = rng.choice(extremes)
        elif how == 4:
            del content[at:at + rng.randint(1, 40)]
        else:
            content[at:at] = content[at:at + rng.randint(1, 40)]
        if not content:
            content = bytearray(b"II")
    return bytes(content)

def hang(_, frame):
    traceback.print_stack(frame)
    raise SystemExit("a hang")

signal.signal(signal.SIGALRM, hang)
outside = []
def audit(event, args):
    writes = event in ("os.rename", "os.remove", "os.mkdir") or (
        event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    if watching and writes and args[0] not in ("/dev/null",):
        outside.append(f"{event} {args[0]}")
watching = False
sys.addaudithook(audit)
slowest, opened, wrong = 0.0, 0, {}
for case in range(cases):
    rng = random.Random(case + int(sys.argv[3]))
    seed = rng.choice(seeds)
    target = folder / ("bad" + seed.name[4:])
    target.write_bytes(damaged(wholes[seed], rng))
    print(case, seed.name, file=sys.stderr, flush=True)
    began = time.perf_counter()
    signal.alarm(20)
    watching = True  # opening an image writes nothing at all
    try:
        image = open_image(target)
        image.read(0, 0, min(image.width, 80), min(image.height, 80))
        opened += 1
    except HistowidgetsError:
        pass
    except Exception as error:
        place = repr(traceback.extract_tb(error.__traceback__)[-1])[-90:]
        wrong.setdefault(place, f"case {case} {seed.name}: {error!r}")
    watching = False
    signal.alarm(0)
    slowest = max(slowest, time.perf_counter() - began)
# Not ru_maxrss, which begins with that of the process that started this one.
peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024
print(json.dumps({"slowest": slowest, "opened": opened, "peak": peak, "wrong": wrong, "outside": outside[:9]}))
"""


def make_seeds(folder):
    """Small files of each kind."""
    import io

    import numpy as np
    import PIL.Image
    import tifffile

    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 255, (48, 64, 3)).astype(np.uint8)
    five = rng.integers(0, 9000, (5, 48, 64)).astype(np.uint16)
    tifffile.imwrite(folder / "good1.tif", rgb, photometric="rgb")
    tifffile.imwrite(folder / "good2.tif", rgb, photometric="rgb", tile=(16, 16), compression="zlib")
    tifffile.imwrite(folder / "good3.tif", rgb, photometric="rgb", rowsperstrip=8, compression="lzw")
    metadata = {"axes": "CYX", "Channel": {"Name": list("abcde")}, "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    tifffile.imwrite(folder / "good4.ome.tif", five, ome=True, metadata=metadata, compression="zlib")
    tifffile.imwrite(
        folder / "good5.tif", five, imagej=True, resolution=(2e4, 2e4), metadata={"unit": "um", "axes": "CYX"}
    )
    tifffile.imwrite(folder / "good6.tif", rgb, photometric="rgb", tile=(32, 32), compression="jpeg")
    for number, kind in ((7, "PNG"), (8, "JPEG"), (9, "BMP")):
        buffer = io.BytesIO()
        PIL.Image.fromarray(rgb).save(buffer, kind)
        (folder / f"good{number}.{kind.lower()}").write_bytes(buffer.getvalue())


def test_damaged_images_give_only_our_errors(tmp_path):
    make_seeds(tmp_path)
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path), str(MANY), "0"],
        capture_output=True, text=True, cwd=ROOT, timeout=60 + MANY / 20,
    )  # fmt: skip
    assert child.returncode == 0, child.stderr[-3000:]
    answer = json.loads(child.stdout.splitlines()[-1])
    case.tried["image files"] += MANY
    case.slowest["image files"] = answer["slowest"]
    assert answer["outside"] == []
    assert answer["wrong"] == {}
    assert answer["slowest"] < 5
    assert answer["peak"] < 1 << 30
    assert answer["opened"] > 0
