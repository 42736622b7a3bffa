"""The card of a prediction on disk, and the interface that it shares with one in memory."""

import inspect
import json

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.errors import PredictionError, RegionError
from histowidgets.images import Region
from histowidgets.prediction import Prediction, PredictionResults, StoredPrediction, open_prediction
from histowidgets.prediction.results import Card, PredictionInfo
from tests.prediction.models import brightness_classifier, picture

NOTE = "histowidgets-prediction.json"


@pytest.fixture
def image():
    return hw.open_image(picture(120, 150).read(0, 0, 150, 120), name="slide", pixel_size_um=0.5)


@pytest.fixture
def both(image, tmp_path):
    """The same prediction in memory and on disk."""
    classifier, region = brightness_classifier(image), (10, 20, 130, 90)
    stored = classifier.predict_to(image, tmp_path / "x.zarr", region, probabilities=True)
    return classifier.predict(image, region), stored


def test_a_view_need_not_know_which_it_has(both):
    memory, disk = both
    assert (memory.pyramid, disk.pyramid) == (False, True)
    assert memory.info == PredictionInfo(**{name: getattr(disk.info, name) for name in PredictionInfo.model_fields})
    part, rows, columns = (40, 50, 30, 20), np.arange(0, 90, 3), np.arange(5, 130)
    for found in both:
        assert found.has_probabilities
        assert found.read_labels().shape == (90, 130)
        assert found.read_labels(part).shape == (20, 30)
        assert found.read_probabilities(part).shape == (20, 30, 2)
        assert found.read_probabilities(part).dtype == np.float32
        with pytest.raises(RegionError, match="is not inside the predicted region"):
            found.read_labels((0, 0, 30, 20))
    assert (memory.read_labels(part) == disk.read_labels(part)).mean() > 0.99
    assert (memory.labels_on(rows, columns) == disk.labels_on(rows, columns)).mean() > 0.99
    np.testing.assert_allclose(memory.probabilities_at(45, 55), disk.probabilities_at(45, 55), atol=0.01)
    with pytest.raises(PredictionError, match="no probabilities in memory"):
        _ = disk.probability_map


def test_methods_of_the_interface_take_the_same_parameters_in_both():
    shared = [name for name in vars(PredictionResults) if inspect.isfunction(getattr(PredictionResults, name))]
    for name in (name for name in shared if not name.startswith("_")):
        wanted = inspect.signature(getattr(PredictionResults, name))
        for kind in (Prediction, StoredPrediction):
            assert inspect.signature(getattr(kind, name)) == wanted, (kind, name)


def change(path, **values):
    note = json.loads((path / NOTE).read_text(encoding="utf-8")) | values
    (path / NOTE).write_text(json.dumps({k: v for k, v in note.items() if v is not None}), encoding="utf-8")


def test_what_the_version_before_wrote_opens_and_counts(image, tmp_path):
    """It counted no pixels, and its classes could have any colour that CSS knows."""
    classifier = brightness_classifier(image)
    stored = classifier.predict_to(image, tmp_path / "x.zarr")
    counts = stored.pixel_counts()
    change(stored.path, pixels=None, colors={"Dark": "red", "Bright": "#0072b2"})
    earlier = open_prediction(stored.path)
    assert earlier.complete
    assert earlier.colors == {"Dark": "#ff0000", "Bright": "#0072b2"}
    assert earlier.pixel_counts() == counts
    np.testing.assert_array_equal(earlier.read_labels(), stored.read_labels())
    again = classifier.predict_to(image, tmp_path / "x.zarr")  # it is complete: taken as it is
    np.testing.assert_array_equal(again.read_labels(), stored.read_labels())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"classes": None}, "classes: Field required"),
        ({"more": 1}, "more: Extra inputs are not permitted"),
        ({"region": [1, 2]}, "region"),
        ({"pixels": [1, 2]}, "pixels"),
        ({"done": -1}, "done"),
        ({"format": "else"}, "it has another format"),
        ({"version": 2}, "newer version"),
    ],
)
def test_a_damaged_card_is_named_and_left_alone(image, tmp_path, values, message):
    classifier = brightness_classifier(image)
    stored = classifier.predict_to(image, tmp_path / "x.zarr")
    change(stored.path, **values)
    with pytest.raises(PredictionError, match=message):
        open_prediction(stored.path)
    before = (stored.path / NOTE).read_bytes()
    with pytest.raises(PredictionError, match="Give another name"):
        classifier.predict_to(image, stored.path)
    assert (stored.path / NOTE).read_bytes() == before


def test_a_card_goes_through_json():
    card = Card(
        image_name="a",
        region=Region(1, 2, 3, 4),
        pixel_size_um=None,
        classes=["x"],
        colors={"x": "#123456"},
        probabilities=True,
        fingerprint="f",
    )
    values = json.loads(json.dumps(card.to_dict()))
    assert values["region"] == [1, 2, 3, 4]
    again = Card.from_dict(values, "somewhere")
    assert again == card
    assert isinstance(again.region, Region)
