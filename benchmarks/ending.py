"""Whether a process ends well, whatever works in it: with status 0, nothing on stderr, and soon.

Each run starts a process that does one of `SCENES` under one of `HOSTS`, and whose main thread ends at a random moment.
The goal: all of 100 runs, from 0 to 30 s after the start.

    python benchmarks/ending.py --runs 100
    python benchmarks/ending.py --runs 10 --scene studio --host ipython --seconds 5
"""

import argparse
import itertools
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

_STUDIO = """
import histowidgets as hw
studio = hw.Studio(hw.samples.colon_ihc(), classes=["Epithelium", "Stroma", "Lumen"])
"""
_STROKES = """
name = studio.project.image_names[0]
for x, y, of in [(330, 180, "Stroma"), (60, 60, "Lumen"), (420, 400, "Stroma"), (200, 90, "Lumen")]:
    studio.project.annotate(name, hw.Stroke([(x, y), (x + 20, y + 20)], 12), of)
"""
_PROJECT = """
import histowidgets as hw
project = hw.Project(classes=["Stroma", "Gland"])
name = project.add_image(hw.samples.colon_ihc())
for x, y, of in [(330, 180, "Stroma"), (60, 60, "Gland"), (420, 400, "Stroma"), (200, 90, "Gland")]:
    project.annotate(name, hw.Stroke([(x, y), (x + 20, y + 20)], 12), of)
"""
_RUN = "settings = hw.TrainingSettings(tile_size=64, batch_size=4, epochs=5000)\n"
SCENES = {
    "import": "import histowidgets as hw\n",
    "studio": _STUDIO,
    "strokes": _STUDIO + _STROKES,
    "run": _PROJECT + _RUN + "run = hw.start_training(project, settings)\n",
    "studio and run": _STUDIO + _STROKES + _RUN + "studio.train(settings)\n",
    "monitor": _PROJECT + _RUN + "monitor = hw.LossMonitor(hw.start_training(project, settings))\n",
    "prediction": _PROJECT
    + """
import tempfile, threading
classifier = hw.quick_classifier(project)
studio = hw.Studio(project)
studio._live.quick.idle.wait(60)
studio._predict.start("whole image")
""",
}
HOSTS = ("python", "ipython", "nbclient")

_NBCLIENT = """
import sys, nbformat, nbclient
cells = [nbformat.v4.new_code_cell(open(sys.argv[1]).read())]
notebook = nbformat.v4.new_notebook(cells=cells)
# The kernel says on stderr that it talks to this process without encryption.
options = ["--log-level=ERROR"]
nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", extra_arguments=options).execute()
"""


@dataclass(frozen=True)
class Ending:
    """How a process ended."""

    scene: str
    host: str
    seconds: float
    status: int | None
    stderr: str
    took: float

    @property
    def is_good(self) -> bool:
        """Whether it ended by itself, with status 0 and nothing on stderr."""
        return self.status == 0 and not self.stderr


def end(
    scene: str, host: str, seconds: float, limit: float = 180.0, python: Sequence[str] = (sys.executable,)
) -> Ending:
    """Start a process, and let its main thread end after so many seconds in its scene."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.py"
        ended_at = Path(folder) / "ended"
        last = f"import time, pathlib\ntime.sleep({seconds})\npathlib.Path({str(ended_at)!r}).touch()\n"
        script.write_text(SCENES[scene] + last, encoding="utf-8")
        commands = {
            "python": [str(script)],
            "ipython": ["-m", "IPython", "--no-banner", "--colors=NoColor", str(script)],
            "nbclient": ["-c", _NBCLIENT, str(script)],
        }
        variables = {**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": folder, "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
        process = subprocess.Popen(
            [*python, *commands[host]],
            env=variables,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            _, stderr = process.communicate(timeout=seconds + limit)
            status: int | None = process.returncode
        except subprocess.TimeoutExpired:
            process.kill()
            _, stderr = process.communicate()
            status = None
        took = time.time() - ended_at.stat().st_mtime if ended_at.exists() else float("nan")
    return Ending(scene, host, seconds, status, stderr, took)


def _plan(runs: int, scenes: list[str], hosts: list[str], most: float, seed: int) -> Iterator[tuple[str, str, float]]:
    rng = random.Random(seed)
    for scene, host in itertools.islice(itertools.cycle(itertools.product(scenes, hosts)), runs):
        yield scene, host, round(rng.uniform(0, most), 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--scene", choices=list(SCENES), action="append")
    parser.add_argument("--host", choices=HOSTS, action="append")
    parser.add_argument("--seconds", type=float, default=30.0, help="the latest moment")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    chosen = parser.parse_args()
    plan = _plan(chosen.runs, chosen.scene or list(SCENES), chosen.host or list(HOSTS), chosen.seconds, chosen.seed)
    found = []
    with ThreadPoolExecutor(chosen.jobs) as pool:
        for ending in pool.map(lambda one: end(*one), plan):
            found.append(ending)
            words = "good" if ending.is_good else f"BAD: status {ending.status}, stderr: {ending.stderr[-1500:]}"
            print(
                f"{len(found)} {ending.scene} under {ending.host}, ended at {ending.seconds} s: {words}, "
                f"{ending.took:.1f} s to the end",
                flush=True,
            )
    good = sum(one.is_good for one in found)
    slowest = max((one.took for one in found), default=0.0)
    print(f"{good} of {len(found)} ended well; the slowest took {slowest:.1f} s from the end of its main thread")


if __name__ == "__main__":
    main()
