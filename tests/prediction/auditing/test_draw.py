"""Where the points of an audit are drawn."""

import numpy as np
import pytest

from histowidgets.errors import AuditError
from histowidgets.images import Region
from histowidgets.prediction import Prediction
from histowidgets.prediction.auditing._draw import allocate, draw_places


def prediction(labels, x=0, y=0):
    height, width = labels.shape
    names = ["A", "B", "C"]
    return Prediction(
        None, labels=labels, classes=names, colors=["#d55e00", "#0072b2", "#009e73"], region=Region(x, y, width, height)
    )


@pytest.mark.parametrize(
    ("pixels", "n", "wanted"),
    [
        ([500, 500], 100, [50, 50]),
        ([900, 100], 100, [83, 17]),  # a third of 50
        ([9000, 0, 1000], 30, [25, 0, 5]),
        ([96_000, 3_000, 1_000], 90, [70, 10, 10]),
        ([1000, 2], 100, [98, 2]),
        ([10, 10], 50, [10, 10]),
        ([1_000_000, 1, 1, 1], 4, [1, 1, 1, 1]),
    ],
)
def test_points_go_to_classes_by_area_and_rare_ones_get_a_third_of_an_equal_number(pixels, n, wanted):
    assert allocate(pixels, n).tolist() == wanted


def test_fewer_points_than_classes_are_an_error():
    with pytest.raises(AuditError, match="2 points are too few for 3 predicted classes"):
        allocate([5, 5, 5], 2)


def test_places_have_the_predicted_class_and_none_is_drawn_twice():
    rng = np.random.default_rng(3)
    labels = rng.choice(np.array([0, 1, 2, 255], np.uint8), (40, 30), p=[0.7, 0.2, 0.05, 0.05])
    found = {"one": prediction(labels[:, :12], x=5, y=9), "two": prediction(labels[:, 12:])}
    indices = {"one": [0, 1, 2], "two": [2, 1, 0]}  # the classes of the audit are in another order
    pixels = {
        name: [int((one.labels == indices[name].index(k)).sum()) for k in range(3)] for name, one in found.items()
    }
    places = draw_places(found, indices, pixels, 200, np.random.default_rng(0))
    assert len(set(places)) == 200
    for name, x, y, k in places:
        region = found[name].region
        assert indices[name][found[name].labels[y - region.y, x - region.x]] == k
    totals = np.sum(list(pixels.values()), axis=0)
    assert np.bincount([p.predicted for p in places]).tolist() == allocate(totals, 200).tolist()
    early = np.bincount([p.predicted for p in places[:50]], minlength=3)
    assert np.abs(early - allocate(totals, 200) / 4).max() <= 1.5, "the classes take turns"
    assert places == draw_places(found, indices, pixels, 200, np.random.default_rng(0))
    assert places != draw_places(found, indices, pixels, 200, np.random.default_rng(1))


def test_each_pixel_of_a_class_is_drawn_equally_often():
    labels = np.zeros((4, 6), np.uint8)
    labels[1:3, 2:5] = 1
    one = {"a": prediction(labels)}
    hits = np.zeros(labels.shape)
    rng = np.random.default_rng(0)
    for _ in range(2000):
        for _, x, y, k in draw_places(one, {"a": [0, 1, 2]}, {"a": [18, 6, 0]}, 8, rng):
            assert labels[y, x] == k
            hits[y, x] += 1
    wanted = np.where(labels == 1, 2 / 6, 6 / 18) * 2000
    assert np.abs(hits - wanted).max() < 5 * np.sqrt(2000 / 3 * 2 / 3)


def test_a_prediction_that_changed_in_the_meantime_is_an_error():
    with pytest.raises(AuditError, match="changed while points were drawn"):
        draw_places(
            {"a": prediction(np.zeros((4, 4), np.uint8))}, {"a": [0, 1]}, {"a": [0, 16]}, 10, np.random.default_rng(0)
        )


def test_any_division_uses_all_points_and_leaves_no_class_out():
    rng = np.random.default_rng(0)
    for _ in range(500):
        pixels = np.floor(10 ** rng.uniform(0, 7, rng.integers(1, 12))).astype(int) * rng.integers(0, 2)
        pixels = np.append(pixels, 50)
        n = int(rng.integers((pixels > 0).sum(), 300))
        counts = allocate(pixels, n)
        assert counts.sum() == min(n, pixels.sum())
        assert ((counts >= 1) == (pixels > 0)).all()
        assert (counts <= pixels).all()
