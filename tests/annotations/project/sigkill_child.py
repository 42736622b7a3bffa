"""A process that paints until it is killed; run by test_sigkill.py.

Reads lines "seed folder" and forks a child for each, so that 50 kills cost one start-up. The child prints its process
id, then after each edit that was confirmed what is on disk (see `on_disk`).
"""

import json
import os
import sys
import uuid
import zlib

import numpy as np
import tifffile  # noqa: F401  # so that each child has it already

from histowidgets.annotations import Project, Rectangle, Stroke
from histowidgets.images import ArrayImage

SIDE = 90


def on_disk(project):
    """Edits in the journal, images in project.json, and a number that differs if anything a person would miss does."""
    with (project.folder / "journal.jsonl").open("rb") as journal:
        n_edits = journal.read().count(b"\n")
    n_images = len(json.loads((project.folder / "project.json").read_text())["images"])
    images = [
        (name, project.role(name), [(a.id, a.class_name, a.shape.bounds) for a in project.annotations(name)])
        for name in project.image_names
    ]
    digest = zlib.crc32(repr((project.colors, images, project.can_undo, project.can_redo)).encode())
    return n_edits, n_images, digest


def edit(project, rng):
    """Make one random edit of any kind; return whether there was one to make."""
    name = str(rng.choice(project.image_names))
    some = project.annotations(name)
    kind = rng.choice(KINDS, p=SHARES)
    ids = [a.id for a in some[-5:] if a.class_name is not None]
    classes = project.classes
    match kind:
        case "annotate":
            project.annotate(name, Stroke(rng.uniform(0, SIDE, (20, 2)), 5), str(rng.choice(classes)))
        case "erase":
            project.erase(name, Rectangle(*rng.uniform(0, SIDE / 2, 2), 10, 10))
        case "remove" if ids:
            project.remove(ids[0])
        case "move" if ids:
            project.move(ids, *rng.uniform(-0.1, 0.1, 2))
        case "reclassify" if ids:
            project.reclassify(ids, classes[0])
        case "paste" if ids:
            project.paste(name, some[-2:], 0.1, 0.1)
        case "add_class" if len(classes) < 9:
            project.add_class(uuid.uuid4().hex)
        case "merge" if len(classes) > 2:
            project.merge_classes(classes[2], classes[0])
        case "set_role":
            project.set_role(name, str(rng.choice(["both", "train", "validation"])))
        case "add_image":
            pixels = rng.integers(0, 255, (SIDE, SIDE, 3), np.uint8)
            project.add_image(ArrayImage(pixels, uuid.uuid4().hex))
        case "remove_image" if len(project.image_names) > 1:
            project.remove_image(name)
        case "undo" | "redo":
            return getattr(project, kind)()
        case _:
            return False
    return True


WEIGHTS = {
    "annotate": 30, "erase": 5, "remove": 5, "move": 10, "reclassify": 5, "paste": 5, "add_class": 4, "merge": 2,
    "set_role": 3, "add_image": 6, "remove_image": 1, "undo": 15, "redo": 9,
}  # fmt: skip
KINDS = list(WEIGHTS)
SHARES = np.array(list(WEIGHTS.values())) / sum(WEIGHTS.values())


def paint(seed, folder):
    """Edit without end."""
    os.write(1, f"{os.getpid()}\n".encode())
    project = Project.open(folder)
    rng = np.random.default_rng(seed)
    while True:
        if edit(project, rng):
            os.write(1, "{} {} {}\n".format(*on_disk(project)).encode())


def main():
    """Fork a child a line, and say when it is gone."""
    for line in sys.stdin:
        seed, folder = line.rstrip("\n").split(" ", 1)
        child = os.fork()
        if child == 0:
            paint(int(seed), folder)
        _, status = os.waitpid(child, 0)
        os.write(1, f"gone {status}\n".encode())


if __name__ == "__main__":
    main()
