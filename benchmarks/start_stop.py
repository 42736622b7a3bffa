"""What starting and stopping a training again and again leaves behind: threads, open files, memory.

The goal: after 200 cycles no thread, no file descriptor, and less than 20 MB.
"""

import argparse
import ctypes
import gc
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil

from histowidgets.annotations import Project, Stroke
from histowidgets.images import open_image
from histowidgets.training import EpochEnded, TrainingSettings, start_training

GOAL_MB = 20.0


def small_project(folder: Path | None) -> Project:
    rng = np.random.default_rng(0)
    stripes = (np.arange(256) // 32 % 2)[None, :, None] * 110 + 60 + rng.normal(0, 12, (256, 256, 3))
    project = Project(["Dark", "Bright"], folder=folder)
    name = project.add_image(open_image(stripes.clip(0, 255).astype(np.uint8), name="stripes"))
    for i in range(8):
        x, y = 32 * i + 16, 20 + 25 * i
        project.annotate(name, Stroke([(x, y), (x + 3, y + 20)], width=8), project.classes[i % 2])
    return project


def left_behind(cycles: int, warm_up: int = 20) -> dict[str, float]:
    """Start and stop so often; return what there is more of than after the first `warm_up` cycles."""
    process = psutil.Process()
    settings = TrainingSettings(tile_size=64, batch_size=2, steps_per_epoch=1, epochs=5000, max_seconds=None)
    before: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        project = small_project(Path(folder) / "project")
        for cycle in range(warm_up + cycles):
            if cycle == warm_up:
                before = counted(process)
            stepped = threading.Event()
            run = start_training(project, settings)
            run.subscribe(lambda event, stepped=stepped: stepped.set() if isinstance(event, EpochEnded) else None)
            if cycle % 3:  # some are stopped while they prepare
                stepped.wait(60)
            run.stop(("best", "last", "nothing")[cycle % 3])
            assert run.wait(60) == "stopped", run.traceback
            del run
        after = counted(process)
        project.close()
    return {name: after[name] - before[name] for name in after}


def counted(process: psutil.Process) -> dict[str, float]:
    """The least of some looks within a second: what a thread still holds as it ends is not left behind."""
    looks = []
    for _ in range(5):
        gc.collect()
        if hasattr(ctypes.CDLL(None), "malloc_trim"):
            ctypes.CDLL(None).malloc_trim(0)  # what the allocator only keeps is not in use
        files = process.num_fds() if hasattr(process, "num_fds") else process.num_handles()
        looks.append({"threads": threading.active_count(), "files": files, "MB": process.memory_info().rss / 1e6})
        time.sleep(0.2)
    return {name: min(look[name] for look in looks) for name in looks[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=200)
    cycles = parser.parse_args().cycles
    left = left_behind(cycles)
    print(f"after {cycles} cycles: " + ", ".join(f"{value:+.1f} {name}" for name, value in left.items()))
    print(f"goal: +0 threads, +0 files, less than +{GOAL_MB:g} MB")


if __name__ == "__main__":
    main()
