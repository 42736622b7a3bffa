"""Counts, densities, positivity and H-score."""

import csv
import math

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.errors import PredictionError, RegionError
from histowidgets.images import Region
from histowidgets.prediction import Prediction
from histowidgets.prediction.results import intensity_classes

KI67 = ["Background", "Negative", "Positive"]


def field(classes=KI67, pixel_size_um=0.5, spots=((1, 7), (2, 3)), side=120):
    """Squares of 8 x 8 pixels, so many of each class, from left to right and top to bottom."""
    labels = np.zeros((side, side), np.uint8)
    place = 0
    for index, count in spots:
        for _ in range(count):
            row, column = divmod(place, side // 12)
            labels[12 * row + 2 : 12 * row + 10, 12 * column + 2 : 12 * column + 10] = index
            place += 1
    colors = ["#000000", "#56B4E9", "#E69F00", "#009E73", "#CC79A7"][: len(classes)]
    region = Region(0, 0, side, side)
    return Prediction(None, classes=classes, colors=colors, region=region, pixel_size_um=pixel_size_um, labels=labels)


def wilson(hits, n):
    """The shares that a score test does not reject at 5 %, by trying them."""
    p = np.linspace(1e-6, 1 - 1e-6, 2_000_001)
    kept = p[np.abs(hits / n - p) <= 1.959964 * np.sqrt(p * (1 - p) / n)]
    return kept[0], kept[-1]


def test_x6_counts_and_densities_by_class():
    prediction = field()
    counts = prediction.counts()
    assert dict(counts) == {"Background": 1, "Negative": 7, "Positive": 3}
    area_mm2 = 120 * 120 * 0.25 / 1e6
    assert counts.per_mm2["Positive"] == pytest.approx(3 / area_mm2)
    tissue = prediction.counts(background=["Background"])
    assert tissue.area_um2 == 10 * 64 * 0.25
    assert tissue.per_mm2["Negative"] == pytest.approx(7 / (160 / 1e6))
    with pytest.raises(PredictionError, match="no class 'Glass'"):
        prediction.counts(background=["Glass"])


def test_x6_ignored_classes_are_no_part_of_the_area():
    prediction = field(["Artefact*", "Negative", "Positive"])
    counts = prediction.counts()
    assert dict(counts) == {"Negative": 7, "Positive": 3}
    assert counts.area_um2 == 160
    measured = prediction.measurements()
    assert measured["Negative (%)"] == pytest.approx(70)
    assert not [name for name in measured if "Artefact" in name]
    assert "Artefact" not in repr(prediction)


def test_x6_without_a_pixel_size_counts_stay_and_densities_say_why():
    counts = field(pixel_size_um=None).counts()
    assert counts["Negative"] == 7
    assert counts.per_mm2["Negative"] is None
    assert "Densities need the pixel size" in counts.note
    assert "pixel_size_um=0.5" in counts.note
    assert field().counts().note == ""


def test_x6_positivity_has_wilsons_interval():
    found = field().counts().positivity()
    assert (found.n_positive, found.n, found.share) == (3, 10, 0.3)
    assert (found.low, found.high) == pytest.approx(wilson(3, 10), abs=2e-6)
    assert str(found) == "30.0 % positive (95 % interval 10.8 to 60.3 %; 3 of 10)"
    none = hw.positivity({"Ki67-": 20, "Ki67+": 0})
    assert (none.low, none.high) == (0, pytest.approx(wilson(0, 20)[1], abs=2e-6))
    assert none.h_score is None
    chosen = hw.positivity({"A": 1, "B": 2, "C": 5}, positive="A", negative=["B", "C"])
    assert (chosen.share, chosen.n) == (1 / 8, 8)


def test_x6_h_score_of_three_intensities():
    counts = {"Tumour: Negative": 10, "Tumour: 1+": 20, "Tumour: 2+": 30, "Tumour: 3+": 40, "Stroma": 99}
    found = hw.positivity(counts)
    assert found.h_score == pytest.approx(1 * 20 + 2 * 30 + 3 * 40)
    assert (found.n, found.share) == (100, 0.9)
    assert hw.positivity({"negative": 1, "weak": 1, "moderate": 1, "strong": 1}).h_score == pytest.approx(150)
    assert hw.positivity({"negative": 1, "weak": 1, "strong": 1}).h_score is None


@pytest.mark.parametrize(
    ("classes", "pair"),
    [
        (["Positive", "Negative", "Other"], (("Positive",), ("Negative",))),
        (["Negative nuclei", "Positive nuclei"], (("Positive nuclei",), ("Negative nuclei",))),
        (["Ki67+", "Ki67-"], (("Ki67+",), ("Ki67-",))),
        (["CD3-positive", "CD3-negative", "CD3"], (("CD3-positive",), ("CD3-negative",))),
        (["Tumor: Positive", "Tumor: Negative", "Stroma: Positive"], (("Tumor: Positive",), ("Tumor: Negative",))),
        (["Tumor: Positive", "Stroma: Negative"], None),
        (["A: +", "A: -", "B: +", "B: -"], None),  # two pairs: which one is meant?
        (["Nucleus", "Background"], None),
        (["class 0", "class 1"], None),
        (["HER2 0", "HER2 1+", "HER2 2+", "HER2 3+"], (("HER2 1+", "HER2 2+", "HER2 3+"), ("HER2 0",))),
        (["Positive", "Negative", "Region 0"], (("Positive",), ("Negative",))),
        (["Field 0 positive", "Field 0 negative"], (("Field 0 positive",), ("Field 0 negative",))),
        (["non-positive", "positive"], None),
        (["Ki67+", "Ki67\u2212"], (("Ki67+",), ("Ki67\u2212",))),
        (["Ki67 +", "Ki67 \u2013"], (("Ki67 +",), ("Ki67 \u2013",))),
        (
            ["Negative", "Weak positive", "Moderate positive", "Strong positive"],
            (("Weak positive", "Moderate positive", "Strong positive"), ("Negative",)),
        ),
        (["ER weakly positive", "ER negative"], (("ER weakly positive",), ("ER negative",))),
        (["positive to negative", "Stroma"], None),
        (["weak to strong", "negative"], None),
    ],
)
def test_x6_pairs_are_recognized_by_their_names(classes, pair):
    assert intensity_classes(classes) == pair


def test_x6_what_has_no_positivity_is_refused():
    with pytest.raises(PredictionError, match=r"\(A, B\) do not say which are positive and negative"):
        hw.positivity({"A": 1, "B": 2})
    with pytest.raises(PredictionError, match="Only one of positive and negative"):
        hw.positivity({"A": 1, "B": 2}, positive="A")
    with pytest.raises(PredictionError, match="no class 'C'"):
        hw.positivity({"A": 1, "B": 2}, "A", "C")
    with pytest.raises(PredictionError, match="both positive and negative"):
        hw.positivity({"A": 1, "B": 2}, "A", ["A", "B"])
    for number in (-1, math.nan):
        with pytest.raises(PredictionError, match=r"objects of the class 'A' is (-1|nan); expected 0"):
            hw.positivity({"A": number, "B": 2}, "A", "B")
    with pytest.raises(PredictionError, match="There is no object"):
        hw.positivity({"A": 0, "B": 0}, "A", "B")


def test_x6_a_part_of_the_image_is_measured_alone():
    prediction = field()
    top = prediction.counts(within=Region(0, 0, 60, 12))
    assert dict(top) == {"Background": 0, "Negative": 5, "Positive": 0}
    assert top.area_um2 == 60 * 12 * 0.25
    assert top.per_mm2["Negative"] == pytest.approx(5 / (180 / 1e6))
    shape = hw.Polygon([(60, 0), (120, 0), (120, 12), (60, 12)])
    assert dict(prediction.counts(within=shape)) == {"Background": 0, "Negative": 2, "Positive": 3}
    with pytest.raises(RegionError, match="outside the predicted region"):
        prediction.counts(within=(500, 500, 10, 10))


def test_x6_annotations_are_counted_each_by_itself(tmp_path):
    prediction = field()
    project = hw.Project(classes=["Tumour", "Other"])
    name = project.add_image(np.zeros((120, 120, 3), np.uint8))
    project.annotate(name, hw.Rectangle(0, 0, 120, 12), "Tumour")
    project.erase(name, hw.Rectangle(96, 0, 24, 12))  # two positive ones
    project.annotate(name, hw.Rectangle(0, 60, 120, 12), "Other")
    objects = prediction.objects(0)
    tumour, other = prediction.measure_annotations(project.annotations(name), objects=objects)
    assert (tumour["Negative count"], tumour["Positive count"]) == (7, 1)
    assert tumour["Positivity (%)"] == pytest.approx(12.5)
    assert tumour["Positive (1/mm2)"] == pytest.approx(1 / (96 * 12 * 0.25 / 1e6))
    assert other["Positive count"] == 0
    assert math.isnan(other["Positivity (%)"])
    prediction.save_measurements(tmp_path / "a.csv", project.annotations(name), objects=objects)
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        whole, first, _ = csv.DictReader(file)
    assert [row["Positive count"] for row in (whole, first)] == ["3", "1"]
    assert float(whole["Positivity 95 % from (%)"]) == pytest.approx(100 * wilson(3, 10)[0], abs=1e-3)


def test_pixels_without_data_are_no_part_of_the_shares_of_an_annotation():
    labels = np.zeros((40, 40), np.uint8)
    labels[:10], labels[10:15], labels[15:20, :8] = 255, 1, 2
    region = Region(0, 0, 40, 40)
    colors = ["#000000", "#56B4E9", "#E69F00"]
    prediction = Prediction(None, classes=["A", "B", "C*"], colors=colors, region=region, labels=labels)
    project = hw.Project(classes=["X"])
    name = project.add_image(np.zeros((40, 40, 3), np.uint8))
    project.annotate(name, hw.Rectangle(0, 0, 40, 20), "X")
    project.annotate(name, hw.Rectangle(0, 0, 40, 40), "X")
    project.annotate(name, hw.Rectangle(0, 0, 40, 8), "X")
    upper, whole, empty = prediction.measure_annotations(project.annotations(name))
    seen = labels[:20][(labels[:20] != 255) & (labels[:20] != 2)]
    assert upper["A (%)"] == pytest.approx(100 * np.mean(seen == 0))
    assert upper["A (%)"] + upper["B (%)"] == pytest.approx(100)
    assert {key: whole[key] for key in prediction.measurements()} == prediction.measurements()
    assert (empty["A (%)"], empty["A area (px2)"]) == (0, 0)


def test_x6_an_h_score_follows_from_weak_moderate_and_strong_positive():
    counts = {"Negative": 40, "Weak positive": 30, "Moderate positive": 20, "Strong positive": 10}
    assert hw.positivity(counts).h_score == pytest.approx(1 * 30 + 2 * 20 + 3 * 10)
