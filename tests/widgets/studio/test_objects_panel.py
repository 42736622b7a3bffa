"""Counting and splitting objects in the studio: switches, sliders, table, outlines, and what is saved."""

import csv
import re
import threading

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.images import Region
from histowidgets.prediction import Prediction
from histowidgets.widgets.live_prediction._controller import LearnerAnswer
from histowidgets.widgets.studio._objects_panel import IN_VIEW, SELECTED, table_html
from tests.prediction.results.test_split import discs
from tests.widgets.canvas.helpers import parts

CLASSES = ["Background", "Negative", "Positive"]
#: Two pairs of negative nuclei that touch, and a positive one.
NEGATIVE, POSITIVE = [(30, 30), (54, 30), (130, 30), (154, 30)], [(60, 100)]


@pytest.fixture(scope="module")
def prediction():
    labels = discs((140, 200), NEGATIVE, 15)
    labels[discs((140, 200), POSITIVE, 15) == 1] = 2
    probabilities = np.where(np.arange(3) == labels[..., None], 0.9, 0.05).astype(np.float32)
    colors = ["#999999", "#0072B2", "#D55E00"]
    region = Region(0, 0, 200, 140)
    return Prediction(probabilities, classes=CLASSES, colors=colors, region=region, pixel_size_um=0.5, image_name="a")


@pytest.fixture
def studio(prediction, tmp_path):
    pixels = np.full((140, 200, 3), 240, np.uint8)
    image = hw.open_image(pixels, name="a", pixel_size_um=0.5)
    studio = hw.Studio(image, classes=CLASSES, folder=tmp_path / "project", fresh=True)
    assert studio._live.quick.idle.wait(60)
    answer = LearnerAnswer.of(None, prediction, "quick", {}, {})
    studio._live.show_prediction_on_disk("a", answer)
    yield studio
    studio.close()


def drawn_all(studio):
    """Wait until the canvas has drawn all that was asked for."""
    done = threading.Event()
    studio.canvas._queue.submit(done.set)
    assert done.wait(20)


def counted(studio):
    """Return the count and the density of each class in the table."""
    panel = studio._results.objects
    assert panel.worker.idle.wait(30)
    rows = re.findall(r"<th scope='row'>(\w+)</th><td>(\d+)</td><td>([\d.,–]+)</td>", panel._table.value)
    return {name: (int(n), density) for name, n, density in rows}


def test_x6_the_switch_is_off_and_nothing_is_counted_until_it_is_on(studio):
    panel = studio._results.objects
    assert not panel.active
    assert not studio._results.fields.split.value
    assert panel._body.layout.display == "none"
    assert counted(studio) == {}
    panel.count.value = True
    assert {name: n for name, (n, _) in counted(studio).items()} == {"Negative": 2, "Positive": 1}


def test_x6_splitting_counts_nuclei_with_density_and_positivity(studio):
    panel, fields = studio._results.objects, studio._results.fields
    fields.split.value = True
    assert panel.active  # what is split is also shown
    found = counted(studio)
    assert {name: n for name, (n, _) in found.items()} == {"Negative": 4, "Positive": 1}
    area_mm2 = 200 * 140 * 0.25 / 1e6
    assert float(found["Negative"][1].replace(",", "")) == pytest.approx(4 / area_mm2, rel=0.005)
    assert "20.0 % positive</b>, 95 % interval 3.6 to 62.4 % (1 of 5)" in panel._table.value  # Wilson
    fields.depth.value = 4.0
    assert counted(studio)["Negative"][0] == 2
    fields.depth.value, fields.least.value = 0.5, 200.0
    assert "Positive" in counted(studio)
    assert counted(studio)["Positive"][0] == 0  # 177 um2
    assert fields._least.value == 200.0
    panel.count.value = False
    assert not fields.split.value
    assert counted(studio) == {}


def test_x6_outlines_follow_the_switch_and_the_classes(studio):
    fields, renderer = studio._results.fields, parts(studio.canvas).renderer
    fields.split.value = True
    counted(studio)
    assert fields.classes.value == ("Negative", "Positive")  # the background is an area, by its name
    drawn_all(studio)
    paint, place = renderer._outline_patch(renderer._drawn_image(1.0), 1.0)
    view = renderer.view
    drawn = {tuple(color) for color in paint.colors[np.unique(paint.numbers)].tolist()}
    assert (*bytes.fromhex(studio.project.colors["Negative"][1:]), 255) in drawn
    assert (*bytes.fromhex(studio.project.colors["Background"][1:]), 255) not in drawn

    def at(x, y):
        column, row = view.to_stage(x, y)
        return paint.numbers[round(row) - place.y, round(column) - place.x]

    assert at(42, 30) != 0  # the cut between two nuclei
    assert at(30, 30) == 0
    studio._results.objects.count.value = False
    drawn_all(studio)
    assert renderer._outline_patch(renderer._drawn_image(1.0), 1.0) is None


def test_x6_measure_here(studio):
    panel = studio._results.objects
    studio._results.fields.split.value = True
    panel.where.value = SELECTED
    counted(studio)
    assert "Select annotations with the select tool" in panel._table.value
    annotation = studio.project.annotate("a", hw.Rectangle(0, 0, 100, 70), "Background")
    studio._live.show_learner("on-disk")
    studio.canvas.tool = "select"
    assert studio.canvas.pick(50, 65)
    assert studio.canvas.selection == (annotation,)
    found = counted(studio)
    assert {name: n for name, (n, _) in found.items()} == {"Negative": 2, "Positive": 0}
    assert float(found["Negative"][1].replace(",", "")) == pytest.approx(2 / (100 * 70 * 0.25 / 1e6), rel=0.005)
    panel.where.value = IN_VIEW
    studio.canvas.look(studio.canvas.view.look(60, 100, 20))
    drawn_all(studio)
    found = counted(studio)
    assert {name: n for name, (n, _) in found.items()} == {"Negative": 0, "Positive": 1}


def test_x6_what_is_saved_is_what_is_shown(studio):
    studio._results.fields.split.value = True
    counted(studio)
    with studio._results.save_objects().open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["Class"] for row in rows].count("Negative") == 4
    assert float(rows[0]["Mean Red"]) == 240
    with studio._results.save_measurements().open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert row["Negative count"] == "4"
    assert float(row["Positivity (%)"]) == 20


def test_x6_classes_can_be_chosen_where_names_do_not_tell():
    labels = discs((60, 120), [(30, 30), (80, 30)], 12)
    found = Prediction(
        None,
        classes=["A", "<b>"],
        colors=["#000000", "#ffffff"],
        region=Region(0, 0, 120, 60),
        labels=labels,
    ).counts()
    text = table_html(found, ["A", "<b>"], "in view")
    assert "<td>–</td>" in text
    assert "Densities need the pixel size" in text
    assert "<b>" not in text.split("<p")[0]
    assert "positive" not in text
    assert "66.7 % positive" in table_html(found, ["A", "<b>"], "in view", "<b>", "A")
