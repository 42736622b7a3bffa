"""The classifier that comes as a sample: small, without pickle, and as good as the one that it was made from."""

import json

import numpy as np
from safetensors.numpy import load_file

import histowidgets as hw
from histowidgets.prediction._sample import FOLDER, HEADS


def test_the_sample_predicts_before_anything_is_trained():
    classifier = hw.samples.classifier()
    assert classifier.classes == ["Epithelium", "Stroma", "Lumen"]
    image = hw.samples.colon_ihc()
    shares = classifier.predict(image).measurements()
    assert 40 < shares["Epithelium (%)"] < 75
    assert 20 < shares["Stroma (%)"] < 50
    assert 3 < shares["Lumen (%)"] < 25
    # At places that a person sees as such, beside the strokes.
    labels = classifier.predict(image).labels
    for name, (x, y) in {"Epithelium": (100, 440), "Stroma": (240, 345), "Lumen": (15, 375)}.items():
        around = labels[y - 3 : y + 4, x - 3 : x + 4]
        assert (around == classifier.classes.index(name)).mean() > 0.8, name


def test_it_is_small_and_goes_where_other_classifiers_go(tmp_path):
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 1_000_000
    assert {path.suffix for path in FOLDER.iterdir()} == {".json", ".safetensors"}
    assert not any(name.startswith("stages.") for name in load_file(FOLDER / HEADS))
    assert json.loads((FOLDER / "classifier.json").read_text(encoding="utf-8"))["kind"] == "quick"
    classifier = hw.samples.classifier()
    classifier.save(tmp_path / "saved")
    image = hw.samples.colon_ihc()
    again = hw.Classifier.load(tmp_path / "saved").predict(image, (0, 0, 128, 128))
    np.testing.assert_array_equal(again.labels, classifier.predict(image, (0, 0, 128, 128)).labels)
    project = hw.Project(classifier.classes)
    project.add_image(image)
    assert hw.suggest_regions(project, classifier, n=1), "also before a stroke is painted"
