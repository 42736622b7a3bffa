"""The Calibrate button: offered, not done by itself; before and after, undo, cancel, and what is refused."""

import re
from dataclasses import replace

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.annotations import Split
from histowidgets.images import Region
from histowidgets.prediction import Classifier
from tests.training.helpers import painted, quick

TEST_AREA = Region(0, 96, 192, 96)


@pytest.fixture(scope="module")
def image():
    """Squares of 16 pixels, dark or bright."""
    rng = np.random.default_rng(0)
    squares = np.kron(rng.integers(0, 2, (12, 12)), np.ones((16, 16)))[..., None] * 140
    return hw.open_image((squares + rng.integers(20, 90, (192, 192, 3))).astype(np.uint8), name="a")


@pytest.fixture
def project(image):
    """A stroke in most squares; in the test area, every fourth has the wrong class."""
    project = hw.Project(["Dark", "Bright"])
    project.add_image(image)
    pixels = image.read(0, 0, 192, 192).mean(-1)
    for k in range(144):
        x, y = 16 * (k % 12) + 4, 16 * (k // 12) + 4
        is_bright = bool(pixels[y : y + 8, x : x + 8].mean() > 110) ^ (y > 96 and k % 4 == 0)
        project.annotate("a", hw.Rectangle(x, y, 8, 8), "Bright" if is_bright else "Dark")
    return project


@pytest.fixture
def classifier(project):
    """As a run leaves it: too sure, and it knows what was held out."""
    made = hw.quick_classifier(project, split=Split({"a": (TEST_AREA,)}))
    held = {"a": [list(TEST_AREA)]}
    return Classifier(replace(made.spec, trained_on={**made.spec.trained_on, "held_out": held}))


@pytest.fixture
def studio(project, classifier):
    studio = hw.Studio(project)
    scores = {"val_miou": 0.9, "val_iou": {"Dark": 0.9, "Bright": 0.9}}
    studio._live.offer_network(classifier, "U-Net, epoch 3", scores, alone=True)
    studio._live.show_learner("network")
    assert studio._live.network.idle.wait(30)
    yield studio
    studio.close()


def said(studio):
    return studio._calibration._status.value


def test_x4_calibrating_tells_before_and_after_and_can_be_undone(studio, project, classifier):
    panel = studio._calibration
    assert studio.classifier is classifier, "nothing is done by itself"
    assert panel._undo_row.layout.display == "none"
    panel.calibrate_button.click()
    assert panel.wait(60)
    expected = hw.calibrate(classifier, project)
    temperature = expected.scores["temperature"]
    assert temperature > 1.2, "the case must be able to fail"
    assert studio.classifier.scores["temperature"] == pytest.approx(temperature)
    before, after = (hw.measure_calibration(one, project).expected_error for one in (classifier, expected))
    assert after < before
    numbers = re.search(r"error: ([\d.]+) % before, ([\d.]+) % after", said(studio))
    assert [float(n) for n in numbers.groups()] == pytest.approx([100 * before, 100 * after], abs=0.051)
    assert f"temperature of {temperature:.2f}" in said(studio)
    shown = studio.prediction
    whole = expected.predict(project.image("a"), tta="8 views" in studio._live.best.about)
    np.testing.assert_allclose(shown.probabilities_at(60, 130), whole.probabilities_at(60, 130), atol=1e-5)
    assert panel._undo_row.layout.display is None
    assert (panel.calibrate_button.disabled, panel.cancel_button.disabled) == (False, True)
    panel.undo_button.click()
    assert studio._live.network.idle.wait(30)
    assert studio.classifier is classifier
    assert panel._undo_row.layout.display == "none"
    assert "as before" in said(studio)


def test_x4_a_cancelled_calibration_changes_nothing(studio, classifier, monkeypatch):
    panel = studio._calibration
    monkeypatch.setattr(panel._row, "show_share", lambda share: panel._stop.set())  # in the middle of it
    panel.calibrate_button.click()
    assert panel.wait(60)
    assert "Cancelled" in said(studio)
    assert studio.classifier is classifier


def test_x4_new_weights_are_not_calibrated_and_undo_says_so(studio, classifier):
    panel = studio._calibration
    panel.calibrate_button.click()
    assert panel.wait(60)
    newer = Classifier(replace(classifier.spec, name="newer"))
    studio._live.offer_network(newer, "U-Net, epoch 4", {"val_miou": 0.9}, alone=True)
    assert studio._live.network.idle.wait(30)
    assert studio.classifier is newer
    panel.undo_button.click()
    assert "Another classifier is shown by now" in said(studio)
    assert studio.classifier is newer


def test_x4_what_learned_from_all_strokes_is_refused(studio, project):
    panel = studio._calibration
    studio._live.show_learner("quick")
    assert studio._live.quick.idle.wait(60)
    panel.calibrate_button.click()
    assert panel.wait(60)
    assert "learned from all strokes" in said(studio)
    assert 'data-level="error"' in said(studio).replace("'", '"')


def test_x4_the_mean_with_the_quick_learner_keeps_its_temperature_when_strokes_are_added():
    project = painted(strokes=6)
    run = hw.train(project, quick(epochs=1, seed=7, scheduler="none"))
    studio = hw.Studio(project)
    live = studio._live
    try:
        studio._offer(run, final=True)
        assert live.network.idle.wait(60)
        live.show_learner("both")
        both = live.best.classifier
        assert both.kind == "mean"
        assert both.trained_on["held_out"], "so that it can be calibrated"
        scaled = Classifier(
            replace(both.spec, model=both.spec.model.with_temperature(2.0), scores={"temperature": 2.0})
        )
        assert live.use_scaled(both, scaled, 2.0, lambda: False)
        assert live.best.classifier is scaled
        name = project.image_names[0]
        project.annotate(name, hw.Rectangle(2, 2, 6, 6), project.classes[0])
        assert live.network.idle.wait(60)
        joined = live.best.classifier
        assert joined is not scaled
        assert joined.scores["temperature"] == 2.0
        assert live.take_back(both, scaled)
        assert live.network.idle.wait(60)
        assert "temperature" not in live.best.classifier.scores
    finally:
        studio.close()
