"""Pixels without data are not labelled, and do not count."""

import numpy as np
import pytest

from histowidgets.annotations import Project, Rectangle, Split
from histowidgets.images import ArrayImage
from histowidgets.prediction import open_prediction
from histowidgets.training.data import labels_without_data, plan_sampling
from tests.prediction.models import brightness_classifier, picture

HOLE = np.s_[20:50, 30:90]


class Holed(ArrayImage):
    """A float image that has no data in a rectangle."""

    def _read_level(self, level, x, y, width, height):
        pixels = self._pixels.copy()
        pixels[HOLE] = np.nan
        return pixels[y : y + height, x : x + width]


@pytest.fixture
def image():
    return Holed(picture(100, 120).read(0, 0, 120, 100).astype(np.float32), name="holed", pixel_size_um=0.5)


@pytest.mark.filterwarnings("ignore")
def test_nothing_is_predicted_where_there_is_no_data(image, tmp_path):
    classifier = brightness_classifier(picture(100, 120), pixel_size_um=0.5)
    expected = np.zeros((100, 120), bool)
    expected[HOLE] = True
    whole = classifier.predict(image, image.region)
    for labels in (
        whole.labels,
        classifier.predict(image, image.region, probabilities=False).labels,
        classifier.predict_to(image, tmp_path / "x.zarr", image.region).read_labels(),
    ):
        np.testing.assert_array_equal(labels == 255, expected)
    part = classifier.predict(image, (10, 5, 60, 40))
    np.testing.assert_array_equal(part.labels == 255, expected[5:45, 10:70])
    for found in (whole, open_prediction(tmp_path / "x.zarr")):
        assert found.no_data_share == pytest.approx(30 * 60 / 12_000)
        measured = found.measurements()
        assert measured["Dark (%)"] + measured["Bright (%)"] == pytest.approx(100)
        assert measured["Dark area (um2)"] + measured["Bright area (um2)"] == pytest.approx((12_000 - 1800) / 4)
        assert "15.0 % without data" in repr(found)


def test_labels_without_data_are_counted(image):
    project = Project(["Dark", "Bright"])
    name = project.add_image(image)
    project.annotate(name, Rectangle(20, 10, 40, 40), "Dark")
    project.annotate(name, Rectangle(100, 10, 15, 40), "Bright")
    snapshot = project.snapshot()
    plan = plan_sampling(snapshot, Split({}), 64, 1, 0.25, 0)
    assert labels_without_data(snapshot, plan.windows, 1) == {name: 30 * 30}
