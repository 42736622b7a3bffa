"""The whole loop with a real hand on it: paint, see, train, watch, correct, stop, save, reload."""

import re
import statistics

import pytest

from tests.browser.studio_hand import STROKES, StudioHand

CELL = """
import histowidgets as hw
settings = hw.TrainingSettings.preset("cpu").model_copy(
    update={"max_seconds": None, "epochs": 5000, "precision": "fp32", "memory_format": "contiguous"}
)
studio = hw.Studio(hw.samples.colon_ihc(), classes=["Epithelium", "Stroma", "Lumen"], settings=settings)
studio
"""


@pytest.fixture
def hand(open_notebook):
    notebook = open_notebook([CELL], width=1600, height=1000)
    notebook.run_all()
    return StudioHand(notebook)


@pytest.mark.slow
def test_the_whole_loop(hand, tmp_path):
    notebook = hand.notebook
    notebook.screenshot("studio-0-new")

    # Paint with the mouse: the strokes are annotations, and their pixels are on the kernel's layer.
    for class_name, lines in STROKES.items():
        hand.pick_class(class_name)
        for points in lines:
            hand.paint(points)
    wanted = {name: len(lines) for name, lines in STROKES.items()}
    notebook.wait_for_value("studio.project.count()", wanted)
    red, _, blue, _ = hand.picture_at(STROKES["Stroma"][0][1])
    assert blue - red > 60, "the stroke's pixels are the blue of its class"

    # A prediction follows by itself; the first one may have been made before the last class was painted.
    notebook.wait_for_value(
        "studio._live.quick.idle.is_set() and len(set(studio.prediction.labels.flat))", 3, seconds=60
    )
    hand.wait_for_caption(r"quick")
    quick = hand.picture()
    notebook.screenshot("studio-1-quick")

    # Train: the chart's path grows, the picture's caption names the network, painting goes on meanwhile.
    hand.press("Train")
    notebook.wait_for_value("studio.run is not None and len(studio.run.history) >= 3", True, seconds=150)
    hand.wait_for_curve(points=3)
    first = hand.curve_points()
    notebook.screenshot("studio-2-training")
    hand.pick_class("Lumen")
    hand.paint([(445, 395), (460, 420)])
    notebook.wait_for_value("studio.project.count()['Lumen']", wanted["Lumen"] + 1)
    hand.wait_for_curve(points=first + 1)
    notebook.wait_for_value("'network' in studio._live._answers", True, seconds=120)
    score = r"(score [01]\.\d\d \([01]\.\d\d to|\d+ of \d+ test strokes? right \(at least)"
    hand.wait_for_caption(rf"(U-Net, epoch \d+|quick)( \+ quick)?, {score}")
    notebook.screenshot("studio-3-network")
    assert hand.picture() != quick

    # Pause, resume and stop act; the best epoch is kept.
    hand.press("Pause")
    notebook.wait_for_value("studio.run.state", "paused")
    hand.press("Resume")
    notebook.wait_for_value("studio.run.state", "running")
    hand.press("Stop")
    notebook.wait_for_value("studio.run.state", "stopped")
    notebook.page.locator(".hw-kept-line", has_text=re.compile(r"Epoch \d+ is kept")).wait_for()
    notebook.page.locator(".hw-run-line", has_text="Stopped by hand after").wait_for()
    assert notebook.value("studio.run.classifier is not None")

    # Save, and use it in a new kernel.
    folder = tmp_path / "saved"
    hand.open_tab("Results")
    hand.fill("Save to", str(folder))
    hand.save("Classifier")
    hand.wait_for_notice(r"Saved .*classifier")
    notebook.screenshot("studio-4-results")
    assert (folder / "classifier" / "model.safetensors").is_file()

    # Reload: nothing is run again, and everything is drawn again.
    hand.wait_until_settled()
    before = hand.picture()
    notebook.reload()
    notebook.wait_for("() => document.querySelector('.hw-pointer')", seconds=60)
    hand.wait_for_caption(r"score|quick")
    hand.wait_for_picture(before)
    hand.open_tab("Train")
    hand.wait_for_curve(points=first + 1)
    notebook.screenshot("studio-5-reloaded")
    notebook.execute("studio.close()")


@pytest.mark.slow
def test_what_is_wrong_is_said_in_the_studio_and_nothing_is_lost(hand, tmp_path):
    notebook = hand.notebook
    hand.press("Train")
    hand.wait_for_notice(r"Nothing is painted yet", level="error")
    hand.pick_class("Stroma")
    hand.paint(STROKES["Stroma"][0])
    notebook.wait_for_value("studio.project.count()['Stroma']", 1)
    hand.press("Train")
    hand.wait_for_notice(r"Only 'Stroma' is painted", level="error")
    hand.open_tab("Project")
    text = tmp_path / "notes.png"
    text.write_text("this is no image")
    hand.fill("Open", str(text))
    hand.press("Open")
    hand.wait_for_notice(r"notes\.png", level="error")
    foreign = tmp_path / "elsewhere.geojson"
    foreign.write_text(
        '{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[0,0],[9,0],[9,9],[0,0]]]},'
        ' "properties": {"objectType": "annotation", "classification": {"name": "Nerve", "color": [1,2,3]}}}'
    )
    hand.fill("Import", str(foreign))
    hand.press("Import")
    hand.wait_for_notice(r"Nerve", level="error")
    hand.fill("Add class", "Stroma")
    hand.press("Add")
    hand.wait_for_notice(r"Stroma", level="error")
    hand.fill("Add class", "<img src=x onerror=alert(1)>")
    hand.press("Add")
    notebook.wait_for(
        "() => [...document.querySelectorAll('.hw-class-name')].some((n) => n.textContent.startsWith('<img'))"
    )
    assert notebook.page.locator(".hw-class-name img").count() == 0
    assert notebook.value("studio.project.count()['Stroma']") == 1
    notebook.screenshot("studio-6-errors")
    notebook.execute("studio.close()")


@pytest.mark.slow
def test_an_error_in_the_training_thread_reaches_the_person(hand):
    notebook = hand.notebook
    hand.paint_all()
    # A fault in the loop alone: the quick learner does not clip gradients.
    notebook.execute(
        "import torch\n"
        "def broken(*a, **k): raise RuntimeError('the disk is on fire')\n"
        "torch.nn.utils.clip_grad_norm_ = broken"
    )
    hand.press("Train")
    notebook.wait_for_value("studio.run is not None and studio.run.state", "failed", seconds=60)
    hand.wait_for_notice(r"The run failed: RuntimeError: the disk is on fire\. The annotations are safe", level="error")
    notebook.wait_for_value("'Traceback' in studio.log", True)
    assert notebook.value("sum(studio.project.count().values())") == sum(len(v) for v in STROKES.values())
    notebook.execute("studio.close()")


@pytest.mark.slow
@pytest.mark.quiet
def test_a_stroke_shows_within_a_frame_while_training_runs_and_while_a_cell_blocks(hand):
    notebook = hand.notebook
    hand.paint_all()
    hand.press("Train")
    notebook.wait_for_value("studio.run is not None and studio.run.state", "running", seconds=60)
    hand.pick_class("Stroma")
    training = hand.ink_latencies([(300, 250), (330, 290), (300, 320)])
    hand.stop_and_wait()
    notebook.page.evaluate(
        "() => { window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel"
        ".requestExecute({ code: 'import time; time.sleep(4)' }); }"
    )
    blocked = hand.ink_latencies([(200, 350), (230, 390), (260, 380)])
    for name, latencies in (("training", training), ("blocked", blocked)):
        # From the event to the callback of the frame it is painted in; headless frames come every 16.7 ms.
        assert statistics.median(latencies) <= 16.7, name
    notebook.execute("studio.close()")


def test_the_greeting_tells_a_new_person_what_to_do(hand):
    assert re.search("(?i)paint", hand.next_step())
    hand.notebook.execute("studio.close()")
