"""Painting, training and predicting in a real JupyterLab for an hour, to see what grows.

Each round paints strokes with the pointer, zooms, trains (some runs end by themselves, some are stopped), looks into
every tab and the eye's menu, and undoes its strokes, so that what is there at its end is what was there at its
beginning. Then memory of the page and of the kernel, threads, widgets and waiting messages are looked at. The goal:
nothing grows. A test runs the same for minutes. The page's memory grows by what the driver's log of the network keeps
(`page_memory.py`).

    python benchmarks/soak.py --minutes 60
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.browser.studio_hand import StudioHand

CELL = """
import histowidgets as hw
settings = hw.TrainingSettings.preset("workshop").model_copy(
    update={"max_seconds": None, "steps_per_epoch": 4, "precision": "fp32", "memory_format": "contiguous"}
)
# A corner, so that predicting takes little of the time: what grows does not depend on the size.
corner = hw.open_image(hw.samples.colon_ihc().read(0, 0, 256, 256), name="corner", pixel_size_um=0.5)
studio = hw.Studio(corner, classes=["Epithelium", "Stroma", "Lumen"], settings=settings)
studio
"""
#: In that corner, inside tissue of their class.
STROKES = {
    "Epithelium": [[(60, 70), (90, 110)], [(118, 60), (150, 92)], [(20, 200), (46, 240)]],
    "Stroma": [[(226, 236), (246, 244)], [(150, 245), (190, 248)], [(240, 215), (250, 240)]],
    "Lumen": [[(65, 4), (85, 6)], [(68, 9), (82, 10)]],
}
#: Of the runs that end by themselves.
EPOCHS = 3
LOOK = """
import ctypes, gc, json, os, threading
import ipywidgets.widgets.widget as _w
import comm as _comm
gc.collect()
if hasattr(ctypes.CDLL(None), "malloc_trim"):
    ctypes.CDLL(None).malloc_trim(0)  # what the allocator only keeps is not in use
with open("/proc/self/smaps_rollup") as _f:
    _pss = int(_f.read().split("Pss:")[1].split()[0]) / 1e3
print(json.dumps({
    "kernel_mb": _pss, "widgets": len(_w._instances), "comms": len(_comm.get_comm_manager().comms),
    "threads": sorted(  # a timer that waits for quiet is gone by itself
        t.name.split("-")[1] for t in threading.enumerate()
        if t.name.startswith("histowidgets") and not isinstance(t, threading.Timer)
    ),
    "jobs": len(studio.canvas._queue._jobs), "pid": os.getpid(), "runs": len(studio.runs),
}))
"""
PAGE = """
() => {
  const { kernel } = window.jupyterapp.shell.currentWidget.context.sessionContext.session;
  return {
    unsent: kernel._pendingMessages.length,
    unanswered: kernel._futures.size,
    models: kernel._comms.size,
  };
}
"""
SETTLED = (
    "(studio.run is None or studio.run.is_over) and studio._live.quick.idle.is_set() "
    "and studio._live.network.idle.is_set() and studio._live.score.idle.is_set() and not studio._training._starting"
)


@dataclass(frozen=True)
class Sample:
    """What there is at the end of a round, at rest."""

    minutes: float
    kernel_mb: float
    heap_mb: float
    page_mb: float
    nodes: int
    widgets: int
    comms: int
    models: int
    threads: int
    waiting: int
    reply_ms: float


class Soak:
    """A hand that paints, trains and undoes, round after round.

    Parameters
    ----------
    notebook
        That of the harness, with `CELL` run.
    """

    def __init__(self, notebook: Any) -> None:
        self.notebook, self.page, self.hand = notebook, notebook.page, StudioHand(notebook)
        self._tools = self.page.context.new_cdp_session(self.page)
        self._tools.send("Performance.enable")
        self._began = time.monotonic()
        self.thread_names: list[list[str]] = []

    def prepare(self) -> None:
        """Paint what every round starts from."""
        self.hand.paint_all(STROKES)
        self.notebook.wait_for_value(SETTLED, True, seconds=60)

    def round(self, number: int) -> Sample:
        """Paint, look, train, undo; return what there is then."""
        notebook, hand = self.notebook, self.hand
        before = notebook.value("studio.project.count()")
        for class_name in STROKES:
            hand.pick_class(class_name)
            x, y = STROKES[class_name][0][0]
            hand.paint([(x, y + 9), (x + 12, y + 14)])
        self._zoom()
        hand.open_tab("Train")
        by_itself = number % 2 == 1
        notebook.execute(f"studio.form.enter('epochs', '{EPOCHS if by_itself else 5000}')")
        hand.press("Train more" if number else "Train")
        notebook.wait_for_value("studio.run is not None and len(studio.run.history) >= 1", True, seconds=120)
        for title in ("Settings", "Results", "Project", "Train"):
            hand.open_tab(title)
        hand.open_display()
        self.page.locator(".hw-eye-panel").get_by_label("Hatch annotations").wait_for()
        self.page.locator(".hw-eye.mod-active").click()
        if not by_itself:
            hand.stop_and_wait()
        notebook.wait_for_value("studio.run.is_over", True, seconds=120)
        hand.page.locator(".hw-pointer").first.focus()
        for _ in range(sum(notebook.value("studio.project.count()").values()) - sum(before.values())):
            self.page.keyboard.press("z")
        notebook.wait_for_value("studio.project.count()", before)
        notebook.wait_for_value(SETTLED, True, seconds=120)
        return self._look()

    def _zoom(self) -> None:
        box = self.page.locator(".hw-pointer").first.bounding_box()
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        for step in (-240, -240, 240, 240):
            self.page.mouse.wheel(0, step)
            self.page.wait_for_timeout(60)
        self.notebook.execute("studio.canvas.fit()")

    def _look(self) -> Sample:
        # What the browser only caches, such as pictures that it has decoded, goes when memory is short.
        self._tools.send("Memory.simulatePressureNotification", {"level": "critical"})
        for _ in range(2):
            self._tools.send("HeapProfiler.collectGarbage")
        metrics = {m["name"]: m["value"] for m in self._tools.send("Performance.getMetrics")["metrics"]}
        seen = self.page.evaluate(PAGE)
        replies = []
        for _ in range(5):
            began = time.perf_counter()
            self.notebook.execute("pass")
            replies.append((time.perf_counter() - began) * 1000)
        kernel = json.loads(self.notebook.execute(LOOK))
        self.thread_names.append(kernel["threads"])
        return Sample(
            minutes=(time.monotonic() - self._began) / 60,
            kernel_mb=kernel["kernel_mb"],
            heap_mb=metrics["JSHeapUsedSize"] / 1e6,
            page_mb=renderer_mb(),
            nodes=int(metrics["Nodes"]),
            widgets=kernel["widgets"],
            comms=kernel["comms"],
            models=seen["models"],
            threads=len(kernel["threads"]),
            waiting=seen["unsent"] + seen["unanswered"] + kernel["jobs"],
            reply_ms=statistics.median(replies),
        )


def renderer_mb() -> float:
    """Memory of the pages that this process has open."""
    total = 0
    for process in psutil.Process(os.getpid()).children(recursive=True):
        try:
            if "--type=renderer" in process.cmdline():
                total += process.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total / 1e6


def soak(notebook: Any, minutes: float, say: Callable[[Sample], None] = lambda sample: None) -> list[Sample]:
    """Go round after round for so many minutes; return a sample for each."""
    hand = Soak(notebook)
    hand.prepare()
    samples: list[Sample] = []
    while time.monotonic() - hand._began < 60 * minutes or len(samples) < 6:
        samples.append(hand.round(len(samples)))
        say(samples[-1])
    return samples


def growth(samples: list[Sample], name: str) -> float:
    """How much there is more at the end than after the first third: caches are filled by then.

    Medians of the second and of the last third: single rounds scatter by what they happened to draw.
    """
    values = [getattr(sample, name) for sample in samples]
    third = len(values) // 3
    return statistics.median(values[-third:]) - statistics.median(values[third : 2 * third])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    minutes = parser.parse_args().minutes
    from _lab import open_notebook

    names = [field.name for field in fields(Sample)]
    print(" ".join(f"{name:>9s}" for name in names), flush=True)
    with open_notebook([CELL], width=1500, height=1000) as (notebook, _):
        samples = soak(
            notebook,
            minutes,
            lambda sample: print(" ".join(f"{value:9.4g}" for value in asdict(sample).values()), flush=True),
        )
    print("growth from the second third to the last: " + ", ".join(f"{n} {growth(samples, n):+.3g}" for n in names[1:]))


if __name__ == "__main__":
    main()
