"""Two views of one project, edited at the same time from two threads: every edit is there, on both, once."""

import threading

import numpy as np

from histowidgets.annotations import Project
from histowidgets.widgets import AnnotationCanvas
from tests.faults.conftest import halves

EDITS = 60


def hand(canvas, client, rng):
    """What the page of a canvas sends: strokes, and now and then a step back."""
    name = canvas.image_name
    for number in range(1, EDITS + 1):
        if number % 6 == 0:
            canvas._pointer._handle_custom_msg({"kind": "undo", "client": client, "number": number}, [])
            continue
        points = rng.uniform(5, 90, (8, 2)).astype(np.float32)
        message = {
            "kind": "stroke", "client": client, "number": number, "tool": "brush",
            "class_name": "AB"[number % 2], "width": 4.0, "image_name": name,
        }  # fmt: skip
        canvas._pointer._handle_custom_msg(message, [memoryview(points.tobytes())])


def test_two_canvases_edited_by_two_threads_agree_and_lose_nothing(tmp_path):
    project = Project(["A", "B"], tmp_path / "project")
    name = project.add_image(halves())
    canvases = [AnnotationCanvas(project), AnnotationCanvas(project)]
    answers = [[], []]
    for canvas, answered in zip(canvases, answers, strict=True):
        canvas._pointer.send = lambda content, buffers=None, answered=answered: answered.append(content)
    threads = [
        threading.Thread(target=hand, args=(canvas, f"page {i}", np.random.default_rng(i)))
        for i, canvas in enumerate(canvases)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    for i, answered in enumerate(answers):
        done = [tuple(edit) for content in answered if content["kind"] == "drawn" for edit in content["edits"]]
        assert sorted(done) == [(f"page {i}", number) for number in range(1, EDITS + 1)]
        assert not [content for content in answered if content["kind"] == "refused"]
    undone = 2 * (EDITS // 6)
    drawn = [a.id for a in project.annotations(name)]
    assert len(set(drawn)) == len(drawn) == 2 * EDITS - 2 * undone
    for canvas in canvases:
        canvas.close()
    project.close()
    again = Project.open(tmp_path / "project")
    assert [a.id for a in again.annotations(name)] == drawn
    again.close()
