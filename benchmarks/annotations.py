"""5,000 strokes on 2048 x 2048 pixels: label map, one more stroke, undo, redo, move, pasting, reopening, PNG.

Each figure is the median of several, as wall time and as time of the processor: on a busy machine the second is the
one to look at. With a folder, each edit waits until its line of the journal is on disk.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from histowidgets.annotations import Project, Stroke
from histowidgets.images import ArrayImage

NAME = "image"
CLASSES = ["Stroma", "Gland", "Lumen"]


def stroke(rng, side):
    """Return a stroke of 20 points, as a hand paints it."""
    start = rng.uniform(0, side, 2)
    points = start + np.cumsum(rng.normal(0, 6, (20, 2)), axis=0)
    points[0] = start
    return Stroke(points, float(rng.uniform(4, 20)))


def measure(what, times):
    """Return the medians of wall time and of processor time, in ms."""
    wall, busy = [], []
    for _ in range(times):
        begun, used = time.perf_counter(), time.process_time()
        what()
        wall.append(time.perf_counter() - begun)
        busy.append(time.process_time() - used)
    return 1000 * statistics.median(wall), 1000 * statistics.median(busy)


def rows(folder, n_strokes, side, times):
    """Yield figure, goal in ms or None, wall time and processor time in ms."""
    rng = np.random.default_rng(0)
    project = Project(CLASSES, folder / "project")
    project.add_image(ArrayImage(np.zeros((side, side), np.uint8), NAME))
    for i in range(n_strokes):
        project.annotate(NAME, stroke(rng, side), CLASSES[i % 3])
    snapshot = project.snapshot()
    yield "label map from nothing", 300, *measure(lambda: snapshot.labels(NAME), times)

    project.label_map(NAME)  # from now on it is kept

    def paint():
        project.annotate(NAME, stroke(rng, side), "Gland")

    yield "one more stroke, journal on disk, label map updated", None, *measure(paint, 4 * times)
    memory = Project(CLASSES)
    memory.add_image(ArrayImage(np.zeros((side, side), np.uint8), NAME))
    memory.paste(NAME, project.annotations(NAME))
    memory.label_map(NAME)
    yield (
        "one more stroke, in memory: label map updated",
        10,
        *measure(lambda: memory.annotate(NAME, stroke(rng, side), "Gland"), 4 * times),
    )
    yield "undo of a stroke, journal on disk, label map updated", 100, *measure(project.undo, times)
    yield "redo of it", 100, *measure(project.redo, times)
    yield "a copy of the label map", None, *measure(lambda: project.label_map(NAME), times)

    ids = [a.id for a in project.annotations(NAME)]
    yield "move of one stroke", 100, *measure(lambda: project.move(ids[100], 3, 3), times)
    yield "undo of the move", 100, *measure(project.undo, times)
    yield "reclassify 100 strokes", 100, *measure(lambda: project.reclassify(ids[:100], "Lumen"), times)
    spots = iter(rng.uniform(0, side, (100 * times, 2)))
    yield "stroke at a point", None, *measure(lambda: project.annotation_at(NAME, *next(spots), 2), 20 * times)

    png = folder / "labels.png"
    yield "PNG label map out", None, *measure(lambda: project.export_label_png(NAME, png), times)
    project.close()

    def reopen():
        Project.open(folder / "project").close()

    yield f"reopening ({n_strokes:,} strokes and what was done here)", None, *measure(reopen, times)
    yield "PNG label map in", 5000, *measure(lambda: memory.import_label_png(NAME, png), times)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strokes", type=int, default=5000)
    parser.add_argument("--side", type=int, default=2048, help="pixels")
    parser.add_argument("--times", type=int, default=9, help="of which the median is taken")
    parser.add_argument("--folder", type=Path, help="a disk to try; by default that of temporary files")
    chosen = parser.parse_args()
    print(f"{chosen.strokes:,} strokes on {chosen.side} x {chosen.side} pixels; medians in ms")
    print(f"{'figure':58} {'goal':>7} {'wall':>9} {'CPU':>9}")
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        for figure, goal, wall, busy in rows(Path(folder), chosen.strokes, chosen.side, chosen.times):
            wanted = "" if goal is None else f"< {goal}"
            print(f"{figure:58} {wanted:>7} {wall:9.2f} {busy:9.2f}", flush=True)


if __name__ == "__main__":
    main()
