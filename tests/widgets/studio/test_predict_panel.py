"""Predicting to disk from the studio: what, how, how far, stop and go on, and what can be taken away."""

import csv
import json
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile

import histowidgets as hw
from histowidgets.images import Region
from histowidgets.prediction import StoredPrediction, open_prediction
from histowidgets.widgets.live_prediction._controller import LearnerAnswer
from tests.prediction.models import BrightnessModel, brightness_classifier, picture
from tests.widgets.canvas.helpers import parts


@pytest.fixture
def studio(tmp_path):
    image = hw.open_image(picture(600, 700).read(0, 0, 700, 600), name="slide one", pixel_size_um=0.5)
    studio = hw.Studio(image, classes=["Dark", "Bright"], folder=tmp_path / "project", fresh=True)
    classifier = brightness_classifier(image, BrightnessModel())
    studio._live.offer_network(classifier, "U-Net, epoch 3", {"val_miou": 0.7, "val_iou": {"Dark": 0.7, "Bright": 0.7}})
    assert studio._live.network.idle.wait(20)
    yield studio
    studio.close()


def said(studio):
    return studio._predict._status.value


def predicted(studio, what="whole image"):
    studio._predict.start(what)
    assert studio._predict.wait(60)
    return studio.prediction


def test_all_of_an_image_goes_to_disk_and_is_shown(studio, tmp_path):
    found = predicted(studio)
    assert isinstance(found, StoredPrediction)
    assert found.path == tmp_path / "project" / "predictions" / "slide_one.zarr"
    assert found.has_probabilities
    expected = studio.classifier.predict(studio.project.image("slide one"))
    np.testing.assert_array_equal(found.read_labels(), expected.labels)
    assert "whole image" in studio._live.best.about
    assert "Predicted slide one in" in said(studio)
    assert studio._predict._row.bar.layout.visibility == "hidden"
    # What is drawn is what is stored, and the pixel under the pointer is read from the file.
    assert parts(studio.canvas).renderer.prediction is found
    assert "Dark" in parts(studio.canvas).viewer.describe(5.0, 5.0)
    assert studio._results._learner.value == "on-disk"
    assert "700 × 600 px" in studio._results._numbers.value


def test_a_stroke_brings_the_live_prediction_back(studio):
    predicted(studio)
    studio.project.annotate("slide one", hw.Stroke([(5, 5), (30, 30)], width=6), "Dark")
    assert not isinstance(studio.prediction, StoredPrediction)
    assert studio._results._learner.value == "best"
    studio._results._learner.value = "on-disk"
    assert isinstance(studio.prediction, StoredPrediction)


def test_stopped_it_says_how_far_it_came_and_goes_on(studio, monkeypatch):
    model, begun, go = studio.classifier.model, threading.Event(), threading.Event()
    plain, shapes = model.probabilities, model.shapes

    def slow(batch):
        begun.set()
        assert go.wait(20)
        return plain(batch)

    monkeypatch.setattr(model, "probabilities", slow)
    studio._predict.start("whole image")
    assert begun.wait(20)
    assert studio._predict.stop_button.disabled is False
    assert studio._predict.start_button.disabled is True
    studio._predict.stop_button.click()
    go.set()
    assert studio._predict.wait(20)
    assert "was stopped after" in said(studio)
    assert "continues from there" in said(studio)
    assert studio._predict.start_button.disabled is False
    assert not isinstance(studio.prediction, StoredPrediction)
    shapes.clear()
    assert isinstance(predicted(studio), StoredPrediction)


def test_progress_has_tiles_and_the_time_left(studio, monkeypatch):
    words = []
    studio._predict._status.observe(lambda change: words.append(change["new"]), names="value")
    monkeypatch.setattr("histowidgets.widgets.studio._predict_panel.SECONDS_BETWEEN", 0.0)
    predicted(studio)
    assert any("of 1" in text and "tiles · 0:" in text and "left" in text for text in words)


def test_a_region_and_the_selected_shape(studio):
    studio.canvas.go_to(Region(100, 100, 200, 150))
    view = studio.canvas.view.region
    found = predicted(studio, "what is in view")
    assert found.region == view
    assert predicted(studio, "the selected shape") is found, "nothing is selected: nothing new"
    assert "Nothing is selected" in said(studio)
    drawn = studio.project.annotate("slide one", hw.Rectangle(50, 60, 120, 100), "Dark")
    studio.canvas.selection = (drawn.id if hasattr(drawn, "id") else drawn,)
    assert predicted(studio, "the selected shape").region == Region(50, 60, 120, 100)


def test_one_bad_image_is_named_and_the_others_are_predicted(studio):
    studio.project.add_image(picture(80, 90, channels=2), name="two channels")
    predicted(studio, "all images")
    assert "two channels: " in said(studio)
    assert "data-level='error'" in said(studio)
    assert isinstance(studio.prediction, StoredPrediction)


def test_r65_n11_n5_options_reach_the_prediction(studio):
    fields = studio._predict.fields
    fields._tta.value, fields._grids.value, fields._blend.value, fields._blur.value = True, 2, "gaussian", 3.0
    fields._probabilities.value = False
    found = predicted(studio)
    options = {"tta": True, "grids": 2, "blend": "gaussian", "blur_um": 3.0}
    expected = studio.classifier.predict(studio.project.image("slide one"), **options)
    assert (found.read_labels() == expected.labels).mean() > 0.999
    assert not found.has_probabilities
    fields._adapt.value = True
    predicted(studio)
    assert "has no batch norm" in said(studio), "this stand-in is no network"


def test_n9_an_image_unlike_those_of_training_is_said_where_the_person_looks(studio):
    dark = hw.open_image(picture(600, 700).read(0, 0, 700, 600) // 8, name="dark", pixel_size_um=0.5)
    studio.project.add_image(dark)
    studio._strip.shown = "dark"
    assert studio._live.network.idle.wait(20)
    assert "Image dark differs from those the classifier was trained on" in studio._results._numbers.value
    assert studio.log.count("Image dark differs") == 1
    predicted(studio)
    assert "Image dark differs" in studio._results._numbers.value
    assert studio.log.count("Image dark differs") == 1, "once an image and classifier"


def test_what_can_be_taken_away(studio, tmp_path):
    studio.project.annotate("slide one", hw.Rectangle(50, 60, 100, 100), "Dark")
    assert studio._live.quick.idle.wait(20)
    predicted(studio)
    panel = studio._results
    panel.fields._background.value = "Dark"
    assert "of tissue" in panel._numbers.value
    panel.fields._least.value = 100.0
    found = studio.prediction
    assert tifffile.imread(panel.save_tiff()).shape == (600, 700)
    assert panel.save_png().stat().st_size > 0
    features = json.loads(panel.save_geojson().read_text())["features"]
    assert len(features) == len(found.objects(100.0))
    assert all("Mean probability" in feature["properties"]["measurements"] for feature in features)
    with panel.save_objects().open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == len(features)
    with panel.save_measurements().open(encoding="utf-8") as file:
        whole, inside = csv.DictReader(file)
    assert float(whole["Bright (% of tissue)"]) == 100.0
    assert inside["Annotated class"] == "Dark"
    assert float(inside["Dark area (um2)"]) + float(inside["Bright area (um2)"]) == 100 * 100 * 0.25
    assert open_prediction(found.path).measurements() == found.measurements()


def test_n11_a_saved_classifier_is_loaded_adapts_to_the_image_and_predicts(studio, network_folder):
    studio._predict._load(str(network_folder))
    assert studio._predict.tasks.wait(60)
    assert studio._live.network.idle.wait(60)
    assert studio.classifier.name == "colon"
    studio._predict.fields._adapt.value = True
    found = predicted(studio, "what is in view")
    assert isinstance(found, StoredPrediction)
    assert "adapted" in studio._live.best.about
    assert studio.classifier.scores["adapted_to"] == ["slide one"]
    studio._predict._load("/nowhere/at/all")
    assert studio._predict.tasks.wait(60)
    assert "/nowhere/at/all" in said(studio)


@pytest.fixture
def network_folder(tmp_path):
    from histowidgets.models import NetworkSpec, build_network
    from histowidgets.prediction import Classifier, ClassifierSpec, NetworkModel

    spec = NetworkSpec(n_classes=2, decoder_channels=(8, 8, 8, 8), output_stride=2)
    classifier = Classifier(
        ClassifierSpec(
            NetworkModel(build_network(spec, pretrained=False)),
            classes=["Dark", "Bright"],
            colors=["#d55e00", "#0072b2"],
            channel_names=["Red", "Green", "Blue"],
            normalization=hw.Normalization().fitted([picture(96, 96)]),
            name="colon",
        )
    )
    classifier.save(tmp_path / "saved")
    return tmp_path / "saved"


def test_without_a_classifier_it_says_what_to_do(tmp_path):
    studio = hw.Studio(picture(64, 64), classes=["A", "B"], fresh=True)
    studio._predict.start()
    assert "paint at least two classes" in said(studio)
    studio.close()


def test_what_was_predicted_is_said_with_the_score():
    answer = LearnerAnswer(None, SimpleNamespace(resampling=""), "U-Net", 0.5, scored_on={"A": 2}, scope="whole image")
    assert answer.caption == "U-Net, score 0.50 (0.09 to 0.91)"
    assert answer.about.startswith(
        "U-Net, score 0.50 (0.09 to 0.91); whole image; measured on 2 strokes in the test area"
    )
