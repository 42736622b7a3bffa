"""The Report button: it answers beside itself, can be cancelled, and reports what is in memory too."""

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.training import Message, replay
from histowidgets.widgets.studio import _report_panel
from tests.prediction.models import BrightnessModel, brightness_classifier, picture


@pytest.fixture
def studio(tmp_path):
    image = hw.open_image(picture(96, 128).read(0, 0, 128, 96), name="slide one", pixel_size_um=0.5)
    studio = hw.Studio(image, classes=["Dark", "Bright"], fresh=True)  # in memory only
    studio._results._folder.value = str(tmp_path / "out")
    classifier = brightness_classifier(image, BrightnessModel())
    studio._live.offer_network(classifier, "U-Net, epoch 3", {"val_miou": 0.7, "val_iou": {"Dark": 0.7, "Bright": 0.7}})
    assert studio._live.network.idle.wait(20)
    yield studio
    studio.close()


def said(studio):
    return studio._report._status.value


def test_the_answer_and_the_file_are_where_they_were_asked_for(studio, tmp_path):
    panel = studio._report
    panel.write_button.click()
    assert panel.wait(60)
    path = tmp_path / "out" / "report.html"
    assert f"Saved {path}" in said(studio)
    assert 'data-level="good"' in said(studio).replace("'", '"')
    assert str(path) in studio.log
    assert (panel.write_button.disabled, panel.cancel_button.disabled) == (False, True)
    assert panel._row.bar.layout.visibility == "hidden"
    text = path.read_text(encoding="utf-8")
    labels = studio.classifier.predict(studio.project.image("slide one")).labels
    assert f"{np.mean(labels == 0):.1%}".replace("%", " %") in text, "predicted with the classifier that is shown"
    assert not path.with_suffix(".ipynb").exists()
    assert "No training has finished" in text


def test_a_run_in_memory_is_reported(studio, tmp_path):
    records = [
        {
            "epoch": n,
            "train_loss": 1 / n,
            "val_loss": 1.2 / n,
            "val_miou": 0.5 + n / 20,
            "val_iou": {"Dark": 0.5 + n / 20},
        }
        for n in (1, 2, 3)
    ]
    studio._state.run = replay(records, hw.TrainingSettings(epochs=3, seed=5))
    assert not any(isinstance(event, Message) for event in studio._state.run.events)
    studio._report.start()
    assert studio._report.wait(60)
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "epoch kept: 3" in text
    assert "0.65" in text
    assert "The project is in memory only, so there is no notebook" in text


def test_it_can_be_cancelled_and_tells_how_far_it_is(studio, tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(_report_panel, "SECONDS_BETWEEN", 0)
    panel, say = studio._report, studio._report._say

    def listen(words, level="info"):
        told.append(words)
        if words.startswith("Step 2 of 6"):
            panel.cancel_button.click()
        say(words, level)

    monkeypatch.setattr(panel, "_say", listen)
    panel.start()
    panel.start()  # a second press does nothing
    assert panel.wait(60)
    assert told[1].startswith("Step 1 of 6: reading the runs")
    assert "left" in told[2]
    assert told[-1] == "The report was cancelled; nothing was written."
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said_beside_the_button(studio, tmp_path):
    (tmp_path / "file").write_text("x")
    studio._results._folder.value = str(tmp_path / "file" / "inside")
    studio._report.start()
    assert studio._report.wait(60)
    assert "Not written: " in said(studio)
    assert "cannot be written" in said(studio)
