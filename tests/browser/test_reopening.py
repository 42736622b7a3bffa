"""A project that is opened again shows what was there: the last run with its chart, its prediction, and the view."""

from tests.browser.studio_hand import STROKES, StudioHand

FIRST = f"""
import tempfile, pathlib
import histowidgets as hw
folder = pathlib.Path(tempfile.mkdtemp()) / "glands"
settings = hw.TrainingSettings.preset("cpu").model_copy(
    update=dict(epochs=4, steps_per_epoch=2, tile_size=64, batch_size=2, consistency=0.0)
)
project = hw.Project(["Epithelium", "Stroma", "Lumen"], folder=folder)
name = project.add_image(hw.samples.colon_ihc())
for class_name, lines in {STROKES!r}.items():
    for points in lines:
        project.annotate(name, hw.Stroke(points, width=10), class_name)
run = hw.train(project, settings)
run.classifier.predict_to(project.image(name), folder / "predictions" / f"{{name}}.zarr")
project.close()
del project, run
"""
SECOND = "studio = hw.Studio(folder=folder)\nstudio"


def test_yesterdays_work_is_there_again(open_notebook):
    notebook = open_notebook([FIRST, SECOND], width=1366, height=768)
    notebook.run_all()
    page = notebook.page
    hand = StudioHand(notebook)
    notebook.wait_for_value("studio.run is not None and len(studio.run.history)", 4, seconds=60)
    hand.wait_for_curve(points=4)
    hand.wait_for_caption("saved prediction")
    assert page.get_by_role("button", name="Train more").is_visible()
    assert "kept" in page.locator(".hw-monitor").inner_text()
    assert notebook.value("studio.classifier is not None and studio.prediction.pyramid")
    notebook.screenshot("reopened")

    # What is in view, and the class, are kept too.
    hand.pick_class("Lumen")
    notebook.execute("studio.canvas.look(studio.canvas.view.look(120, 90, 3.0))")
    hand.wait_for_caption("saved prediction")
    notebook.execute("studio.close()\nstudio = hw.Studio(folder=folder)")
    assert notebook.value("[studio.canvas.view.x, studio.canvas.view.y, studio.canvas.view.zoom]") == [120, 90, 3]
    assert notebook.value("studio.canvas.class_name") == "Lumen"
    notebook.execute("studio.close()")
