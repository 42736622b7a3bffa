"""The canvas as the hand feels it, measured in a real JupyterLab and a headless Chromium with real pointer events.

``ink``      milliseconds from a pointer event to the frame that shows its ink: with the kernel idle, over a line of
             150 ms each way, with a cell that blocks the kernel, and with a training on. Goal: p95 within a frame.
``pan``      milliseconds from the end of a pan to the kernel's sharp picture on the page: a slide of 2220 x 2967
             (``--slide``, goal: median under 150 ms) and a synthetic pyramid of 40,000 x 40,000 (goal: 1.5 times that).
``strokes``  the same for an undo, a redo and a pan on an image with 5,000 strokes. Goal: under 100 ms each.
``memory``   resident memory of the kernel over 500 pans on the pyramid. Goal: flat.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from _lab import open_notebook
from open_image import write_tiff

from tests.browser.canvas_hand import CanvasHand

FRAME_MS = 16.7

STUDIO = """
import histowidgets as hw
studio = hw.Studio(hw.samples.colon_ihc(), classes=["Epithelium", "Stroma", "Lumen"],
                   settings=hw.TrainingSettings(max_seconds=600))
canvas, project = studio.canvas, studio.project
studio
"""
CANVAS = """
import histowidgets as hw
project = hw.Project(["Epithelium", "Stroma"])
project.add_image({path!r})
canvas = hw.AnnotationCanvas(project)
canvas.look(canvas.view.look(canvas.view.x, canvas.view.y, {zoom}))
canvas
"""
STROKES = """
import numpy as np
import histowidgets as hw
project = hw.Project(["Epithelium", "Stroma", "Lumen"])
rng = np.random.default_rng(0)
tissue = hw.samples.colon_ihc()
name = project.add_image(np.tile(tissue.read(0, 0, tissue.width, tissue.height), (4, 4, 1)))
for number in range({strokes}):
    x, y = rng.uniform(40, 1960, 2)
    points = np.cumsum(np.vstack([[x, y], rng.uniform(-6, 12, (8, 2))]), 0)
    project.annotate(name, hw.Stroke(points, width=8), project.classes[number % 2])
canvas = hw.AnnotationCanvas(project)
canvas
"""
_BLOCK = """
(seconds) => {
  const { kernel } = window.jupyterapp.shell.currentWidget.context.sessionContext.session;
  kernel.requestExecute({ code: `import time; time.sleep(${seconds})` });
}
"""
# Calls back with the milliseconds from an event of a kind to the first frame in which a test of the page holds.
_WATCH = """
([kind, test]) => {
  const holds = new Function(`return (${test})`);
  const root = document.querySelector(".hw-pointer");
  window.hwWaited = null;
  root.addEventListener(kind, (event) => {
    const look = () => {
      if (!holds()) return requestAnimationFrame(look);
      const channel = new MessageChannel();
      channel.port1.onmessage = () => (window.hwWaited = performance.now() - event.timeStamp);
      channel.port2.postMessage(0);
    };
    requestAnimationFrame(look);
  }, { once: true, capture: true });
}
"""
SHARP = "document.querySelector('.hw-picture').style.transform === ''"
PIXEL = """
(() => {{
  const c = document.querySelector('.hw-picture'), k = c.width / c.offsetWidth;
  const p = c.getContext('2d').getImageData(Math.round({x} * k) - 8, Math.round({y} * k) - 8, 16, 16).data;
  const mean = (i) => p.reduce((sum, value, at) => sum + (at % 4 === i ? value : 0), 0) / 256;
  return {negated}[{color}].every((value, i) => Math.abs(mean(i) - value) <= 60);
}})()
"""


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def waited(page: Any, kind: str, test: str, act: Any) -> float:
    """Do something, and return the milliseconds from its event until the test holds on the page."""
    page.evaluate(_WATCH, [kind, test])
    act()
    return page.wait_for_function("() => window.hwWaited", timeout=30_000).json_value()


# --- ink -----------------------------------------------------------------------------------------------------------


def ink_times(hand: Any, strokes: int) -> list[float]:
    """Paint at the speed of a mouse of 125 Hz, and return the milliseconds to the frame with the ink."""
    page = hand.page
    hand.scroll_into_view()
    box = page.locator(".hw-pointer").first.bounding_box()
    before = len(hand.ink_times())
    for number in range(strokes):
        y = box["y"] + 120 + 17 * (number % 20)
        page.mouse.move(box["x"] + 160, y)
        page.mouse.down()
        for step in range(1, 60):
            page.mouse.move(box["x"] + 160 + 6 * step, y + step % 7)
        page.mouse.up()
    times = hand.ink_times()[before:]
    missing = sum(not time["painted"] for time in times)
    if missing:
        print(f"  {missing} of {len(times)} frames came without their ink", file=sys.stderr)
    return [time["frame"] for time in times]


def ink(strokes: int, far_ms: float) -> None:
    with open_notebook([STUDIO]) as (notebook, line):
        hand = CanvasHand(notebook)
        hand.measure_ink()
        ink_times(hand, 2)
        show_ink("kernel idle", ink_times(hand, strokes))
        line.delay = far_ms / 1000
        show_ink(f"{far_ms:.0f} ms away, each way", ink_times(hand, strokes))
        line.delay = 0
        notebook.wait_for_value("sum(project.count().values()) >= 3", True, seconds=60)
        notebook.page.evaluate(_BLOCK, 20)
        show_ink("a cell blocks the kernel", ink_times(hand, strokes))
        notebook.wait_for_value("project.add_class('Other') or True", True, seconds=60)
        notebook.execute(
            "for i, c in enumerate(project.classes[:3] * 3): project.annotate(project.image_names[0],"
            " hw.Stroke([(40 + 45 * i, 60), (60 + 45 * i, 300)], width=8), c)"
        )
        notebook.execute("studio.train()")
        notebook.wait_for_value("studio.run.state", "running", seconds=60)
        show_ink("a training is on", ink_times(hand, strokes))
        notebook.execute("studio.run.stop(); studio.run.wait()")


def show_ink(name: str, times: list[float]) -> None:
    print(
        f"ink, {name:28s} median {statistics.median(times):5.1f} ms, p95 {percentile(times, 0.95):5.1f}, "
        f"most {max(times):5.1f} of {len(times)}; goal p95 {FRAME_MS}",
        flush=True,
    )


# --- pan -----------------------------------------------------------------------------------------------------------


def pan_times(notebook: Any, pans: int) -> list[float]:
    """Pan to and fro by a third of the stage; return the milliseconds from the move to the sharp picture."""
    hand = CanvasHand(notebook)
    hand.press("h")
    hand.scroll_into_view()
    hand.wait_for_drawn()
    page, times = notebook.page, []
    box = page.locator(".hw-pointer").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for number in range(pans):
        page.mouse.move(x, y)
        page.mouse.down()
        sign = 1 if number % 4 < 2 else -1
        far = (x + sign * 220, y) if number % 2 else (x, y + sign * 180)
        times.append(waited(page, "pointermove", SHARP, lambda far=far: page.mouse.move(*far)))
        page.mouse.up()
    return times


def pan(slide: Path | None, pans: int) -> None:
    medians = {}
    with tempfile.TemporaryDirectory() as folder:
        pyramid = Path(folder) / "pyramid.ome.tif"
        write_tiff(pyramid, 40_000)
        for name, path in {"slide": slide, "pyramid of 40,000 x 40,000": pyramid}.items():
            if path is None:
                continue
            for zoom in (0.5, 1.0):
                with open_notebook([CANVAS.format(path=str(path.resolve()), zoom=zoom)]) as (notebook, _):
                    pan_times(notebook, 4)
                    times = pan_times(notebook, pans)
                medians[name, zoom] = statistics.median(times)
                print(
                    f"pan, {name:28s} zoom {zoom:3.1f}: median {medians[name, zoom]:5.0f} ms, "
                    f"p95 {percentile(times, 0.95):5.0f} of {len(times)}",
                    flush=True,
                )
    print("goal: slide under 150 ms; pyramid at most 1.5 times the slide")


def memory(pans: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pyramid = Path(folder) / "pyramid.ome.tif"
        write_tiff(pyramid, 40_000)
        with open_notebook([CANVAS.format(path=str(pyramid), zoom=0.5)]) as (notebook, _):
            notebook.execute("import psutil, gc; _process = psutil.Process()")
            for done in range(0, pans + 1, 100):
                resident = notebook.value("gc.collect() * 0 + _process.memory_info().rss / 1e6")
                print(f"memory after {done:4d} pans: {resident:6.0f} MB", flush=True)
                if done < pans:
                    pan_far(notebook, 100)
    print("goal: flat")


def pan_far(notebook: Any, pans: int) -> None:
    """Pan over the slide and back, so that nearly every picture is a new one."""
    hand = CanvasHand(notebook)
    hand.press("h")
    hand.scroll_into_view()
    page = notebook.page
    box = page.locator(".hw-pointer").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for number in range(pans):
        way = 1 if number % 50 < 25 else -1
        page.mouse.move(x + way * 120, y + way * 100)
        page.mouse.down()
        waited(page, "pointermove", SHARP, lambda way=way: page.mouse.move(x - way * 120, y - way * 100))
        page.mouse.up()


# --- many strokes --------------------------------------------------------------------------------------------------


def strokes(number: int, rounds: int) -> None:
    with open_notebook([STROKES.format(strokes=number)]) as (notebook, _):
        hand = CanvasHand(notebook)
        page, undone, redone = notebook.page, [], []
        hand.scroll_into_view()
        box = page.locator(".hw-pointer").first.bounding_box()
        notebook.execute("canvas.brush_width = 60")
        hand.press("3")
        notebook.wait_for_value("canvas.class_name", "Lumen")
        color = notebook.value("[int(project.colors['Lumen'][i:i + 2], 16) for i in (1, 3, 5)]")
        x, y = box["width"] / 2, box["height"] / 2
        page.mouse.click(box["x"] + x, box["y"] + y)
        notebook.wait_for_value("len(project.annotations(name))", number + 1)
        hand.wait_for_no_ink()
        before = PIXEL.format(x=x, y=y, negated="!", color=",".join(map(str, color)))
        after = PIXEL.format(x=x, y=y, negated="", color=",".join(map(str, color)))
        for _ in range(rounds):
            undone.append(waited(page, "keydown", before, lambda: hand.press("z")))
            redone.append(waited(page, "keydown", after, lambda: hand.press("Shift+Z")))
        page.mouse.move(box["x"] + x, box["y"] + y)
        notebook.execute("canvas.look(canvas.view.look(1024, 1024, 0.6))")
        hand.wait_for_drawn()
        for name, times in {"undo": undone, "redo": redone, "pan": pan_times(notebook, rounds)}.items():
            print(
                f"{number} strokes, {name:5s} median {statistics.median(times):5.0f} ms, "
                f"p95 {percentile(times, 0.95):5.0f} of {len(times)}; goal 100",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["ink", "pan", "strokes", "memory"])
    parser.add_argument("--slide", type=Path, default=Path("../shared/data/slide/colon_20x.svs"))
    parser.add_argument("--far-ms", type=float, default=150, help="of the slow line, each way")
    parser.add_argument("--rounds", type=int, default=20, help="strokes, pans or undos of each kind")
    parser.add_argument("--pans", type=int, default=500, help="for the memory")
    arguments = parser.parse_args()
    slide = arguments.slide if arguments.slide.exists() else None
    for what in arguments.what:
        if what == "ink":
            ink(arguments.rounds, arguments.far_ms)
        elif what == "pan":
            pan(slide, arguments.rounds)
        elif what == "strokes":
            strokes(5_000, arguments.rounds)
        elif what == "memory":
            memory(arguments.pans)
        else:
            parser.error(f"{what!r} is none of ink, pan, strokes, memory")


if __name__ == "__main__":
    main()
