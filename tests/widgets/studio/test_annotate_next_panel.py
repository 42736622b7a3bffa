"""Where to paint next, in the studio: a click goes to the place, the next one to another, with the reason."""

import numpy as np
import pytest

from histowidgets.annotations import Project, Stroke
from histowidgets.images import open_image
from histowidgets.prediction import Prediction
from histowidgets.widgets.studio._annotate_next_panel import AnnotateNextPanel
from histowidgets.widgets.studio._state import StudioState


class Wavering:
    """Sure at the left and the right, in doubt around the middle column."""

    classes = ("<Left>", "Right")
    softness = 40

    def predict(self, image, region=None):
        region = image.region if region is None else region
        right = np.clip((np.arange(region.x, region.right) - 256) / self.softness + 0.5, 0, 1).astype(np.float32)
        both = np.broadcast_to(np.stack([1 - right, right], -1), (region.height, region.width, 2)).copy()
        return Prediction(both, classes=self.classes, colors=["#0072B2", "#E69F00"], region=region)


@pytest.fixture
def project():
    project = Project(["<Left>", "Right"])
    pixels = np.random.default_rng(0).integers(60, 90, (512, 512, 3)).astype(np.uint8)
    project.add_image(open_image(pixels, name="texture"))
    return project


@pytest.fixture
def shown():
    return []


@pytest.fixture
def places(project, shown):
    places = AnnotateNextPanel(StudioState(project, classifier=lambda: Wavering(), show_region=shown.append))
    yield places
    places.close()


def click(places):
    places._button.click()
    assert places.idle.wait(30)


def test_r17_r22_r51_r61_a_click_goes_to_the_best_place_and_the_next_to_another(places, shown):
    assert "teach most" in places.text
    click(places)
    assert shown == [places.places[0].region]
    assert "In doubt between &lt;Left&gt; and Right" in places.text
    assert "<b>1/8</b>" in places.text
    assert places.places[0].guide in places.text
    assert "uncertainty" in places.text, "its numbers are in the tooltip"
    click(places)
    assert shown[1] == places.places[1].region != shown[0]
    assert "<b>2/8</b>" in places.text


def test_r17_after_a_stroke_it_looks_anew_and_leaves_out_what_was_painted(places, project, shown):
    click(places)
    click(places)
    best = shown[0]
    middle = best.y + best.height / 2
    project.annotate("texture", Stroke([(best.x, middle), (best.right, middle)], width=best.height), "Right")
    click(places)
    assert "<b>1/8</b>" in places.text
    assert shown[-1] != best


def test_r22_says_that_all_strokes_lie_where_it_is_sure_anyway(places, project, monkeypatch):
    monkeypatch.setattr(Wavering, "softness", 160)
    project.annotate("texture", Stroke([(20, 100), (20, 400)], width=10), "<Left>")
    project.annotate("texture", Stroke([(490, 100), (490, 400)], width=10), "Right")
    click(places)
    assert "All strokes lie where the classifier is sure anyway" in places.text


def test_before_there_is_a_classifier_and_when_it_fails_it_says_so(project):
    class Broken(Wavering):
        def predict(self, image, region=None):
            raise OSError("the disk is gone")

    answers = [None, Broken()]
    places = AnnotateNextPanel(StudioState(project, classifier=lambda: answers[0]))
    click(places)
    assert "Paint at least two classes first" in places.text
    answers.pop(0)
    click(places)
    assert "the disk is gone" in places.text
    assert not places._button.disabled
    places.close()
