"""The places where a stroke teaches most: the best first, then the others, and anew after a stroke."""

import numpy as np
import pytest

from histowidgets.advice import Advice
from histowidgets.annotations import Project, Stroke
from histowidgets.images import Region, open_image
from histowidgets.prediction import Prediction
from histowidgets.widgets.studio._places import Places
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
def failed():
    return []


@pytest.fixture
def places(project, shown, failed):
    state = StudioState(project, classifier=lambda: Wavering())
    places = Places(state, shown.append, failed.append, lambda: None)
    yield places
    places.close()


def go(places):
    places.next()
    assert places.idle.wait(30)


def test_r17_r51_r61_it_goes_to_the_best_place_and_then_to_another_and_round(places, shown):
    go(places)
    assert shown == [places.found[0]]
    assert shown[0].title == "Uncertain between <Left> and Right"
    assert (places.number, len(places.found), places.seen) == (1, 8, False)
    for _ in range(7):
        go(places)
    assert shown == list(places.found)
    assert places.seen
    go(places)
    assert shown[-1] == places.found[0]


def test_r17_after_a_stroke_it_looks_anew_and_leaves_out_what_was_painted(places, project, shown):
    go(places)
    best = shown[0].region
    middle = best.y + best.height / 2
    project.annotate("texture", Stroke([(best.x, middle), (best.right, middle)], width=best.height), "Right")
    places.forget()
    assert places.current is None
    go(places)
    assert shown[-1].region != best


def test_after_one_place_that_was_given_the_next_is_looked_for(places, shown):
    given = Advice("annotations-few", "Right needs 3 more strokes", "", region=Region(1, 2, 3, 4))
    places.show_only(given)
    assert places.current is given
    go(places)
    assert shown[0] is given
    assert places.current is places.found[0] is not given


def test_before_there_is_a_classifier_and_when_it_fails_it_says_so(project, shown, failed):
    class Broken(Wavering):
        def predict(self, image, region=None):
            raise OSError("the disk is gone")

    answers = [None, Broken()]
    places = Places(StudioState(project, classifier=lambda: answers[0]), shown.append, failed.append, lambda: None)
    go(places)
    assert "paint at least two classes first" in failed[-1]
    answers.pop(0)
    go(places)
    assert "the disk is gone" in failed[-1]
    assert not places.looking
    assert shown == []
    places.close()
