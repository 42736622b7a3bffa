"""The prediction over a large image follows the view, and computes only what is new."""

import threading
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from histowidgets.annotations import Project, Stroke, split_project
from histowidgets.images import Region, open_image, samples
from histowidgets.prediction import Classifier, shift_sensitivity
from histowidgets.training import TrainingSettings, train
from histowidgets.widgets.live_prediction._answer import SHIFTED_PIXELS, LearnerAnswer, RangeNotice
from histowidgets.widgets.live_prediction._controller import WHOLE_IMAGE_PIXELS, LivePrediction
from tests.prediction.models import brightness_classifier


class Screen:
    """What the studio gives a live prediction: where the person looks, and a place to show things."""

    def __init__(self, project):
        self.name = project.image_names[0]
        self.region = Region(0, 0, 400, 300)
        self.shown, self.said = [], []
        self._came = threading.Condition()
        self.live = LivePrediction(
            project,
            lambda: (self.name, self.region),
            self._show,
            lambda *said: self.said.append(said),
            self.said.append,
        )

    def _say(self, text, level):
        self.said.append((text, level))

    def _show(self, prediction, caption):
        with self._came:
            self.shown.append((prediction, caption))
            self._came.notify_all()

    def look(self, region):
        self.region = region
        self.live.view_changed()

    def wait_for_view(self, region, seconds=60):
        """Return the prediction that is shown once it covers a region."""

        def covered():
            prediction = self.shown[-1][0] if self.shown else None
            return prediction is not None and prediction.region.contains(region)

        with self._came:
            assert self._came.wait_for(covered, seconds), self.said
            return self.shown[-1][0]

    def wait_for_about(self, text, seconds=60):
        """Wait for what is said of the answer that is shown, which the caption shortens."""
        with self._came:
            found = self._came.wait_for(lambda: self.live.best is not None and text in self.live.best.about, seconds)
        assert found, (self.live.best and self.live.best.about, self.said)

    def wait_for_caption(self, text, seconds=60):
        with self._came:
            assert self._came.wait_for(lambda: self.shown and text in self.shown[-1][1], seconds), self.shown[-1:]


@pytest.fixture
def screen():
    tissue = samples.colon_ihc()
    pixels = np.tile(tissue.read(0, 0, tissue.width, tissue.height), (5, 4, 1))
    assert pixels.shape[0] * pixels.shape[1] > WHOLE_IMAGE_PIXELS
    project = Project(["Epithelium", "Stroma"])
    name = project.add_image(open_image(pixels, name="slide"))
    project.annotate(name, Stroke([(118, 60), (150, 92)], width=8), "Epithelium")
    project.annotate(name, Stroke([(260, 230), (285, 262)], width=8), "Stroma")
    screen = Screen(project)
    yield screen
    screen.live.close()
    assert screen.said == []


def test_after_a_pan_the_prediction_is_of_what_is_in_view_and_only_what_is_new_is_computed(screen):
    screen.live.refresh()
    first = screen.wait_for_view(screen.region)
    assert first.region.area < WHOLE_IMAGE_PIXELS / 4
    predictor = screen.live._predictors["quick"]
    tiles = predictor.computed
    there = Region(700, 0, 400, 300)  # tiles are 800 pixels wide, with 64 pixels of context on each side
    screen.look(there)
    screen.wait_for_view(there)
    assert screen.shown[-1][1].startswith("Prediction: quick")
    assert predictor.computed == tiles + 1
    between = Region(300, 0, 400, 300)
    screen.look(between)
    second = screen.wait_for_view(between)
    common = Region(310, 0, 80, 300)
    np.testing.assert_array_equal(_part(first, common), _part(second, common))
    screen.look(Region(0, 0, 400, 300))
    screen.wait_for_view(Region(0, 0, 400, 300))
    assert predictor.computed == tiles + 1


def test_a_stroke_renews_the_prediction_where_the_person_looks_now(screen):
    screen.live.refresh()
    screen.wait_for_view(screen.region)
    there = Region(1200, 1500, 400, 300)
    screen.look(there)
    before = screen.wait_for_view(there)
    project = screen.live._project
    project.annotate(screen.name, Stroke([(1300, 1600), (1340, 1640)], width=8), "Stroma")
    screen.live.refresh()
    screen.live.quick.idle.wait(60)
    after = screen.wait_for_view(there)
    assert after is not before


def test_of_a_view_that_is_too_large_to_wait_for_the_middle_is_predicted(screen):
    screen.live.refresh()
    screen.wait_for_view(screen.region)
    screen.look(Region(0, 0, 2048, 2560))
    middle = Region(960, 1216, 128, 128)
    prediction = screen.wait_for_view(middle)
    assert prediction.region.area <= 1.1 * WHOLE_IMAGE_PIXELS
    assert "middle of the view only" in screen.shown[-1][1]
    screen.look(Region(960, 1216, 128, 128))
    screen.live.show_learner("best")
    assert "middle of the view only" not in screen.shown[-1][1]


def _part(prediction, region):
    rows = slice(region.y - prediction.region.y, region.bottom - prediction.region.y)
    columns = slice(region.x - prediction.region.x, region.right - prediction.region.x)
    return prediction.labels[rows, columns]


@pytest.fixture
def small():
    project = Project(["Epithelium", "Stroma"])
    name = project.add_image(open_image(samples.colon_ihc().read(0, 0, 256, 256), name="corner"))
    for points in ([(60, 70), (90, 110)], [(118, 60), (150, 92)], [(190, 40), (200, 90)], [(20, 200), (50, 240)]):
        project.annotate(name, Stroke(points, width=8), "Epithelium")
    for points in (
        [(226, 236), (246, 244)],
        [(150, 245), (190, 248)],
        [(120, 232), (130, 250)],
        [(240, 215), (252, 240)],
    ):
        project.annotate(name, Stroke(points, width=8), "Stroma")
    screen = Screen(project)
    yield project, screen
    screen.live.close()


def test_when_the_hand_rests_the_quick_learner_has_a_score_before_any_training(small):
    _, screen = small
    screen.live.refresh()
    screen.wait_for_about("8 views; measured on 8 strokes, each left out once, so it is rough")
    assert 0.5 < screen.live.best.score <= 1
    assert set(screen.live.best.class_scores) == {"Epithelium", "Stroma"}


def test_a_score_in_turn_is_not_compared_with_that_of_a_run(small):
    project, screen = small
    screen.live.refresh()
    screen.wait_for_about("left out once")
    screen.live.score_on(split_project(project.snapshot(), 0.25))
    screen.wait_for_about("in the test area")
    assert not screen.live.best.held_out_in_turn


def test_a_network_that_is_trained_is_asked_from_eight_sides_and_one_in_training_is_not(small):
    project, screen = small
    settings = TrainingSettings(tile_size=64, batch_size=2, epochs=1, steps_per_epoch=2)
    network = train(project, settings).classifier
    image = project.image(screen.name)
    screen.live.offer_network(network, "U-Net, epoch 1", network.scores, final=False)
    screen.wait_for_caption("U-Net, epoch 1")
    assert screen.live.network.idle.wait(60)
    assert np.array_equal(screen.live.best.prediction.labels, network.predict(image).labels)
    screen.live.offer_network(network, "U-Net, epoch 1", network.scores)
    screen.wait_for_about("8 views")
    turned = network.predict(image, tta=True)
    assert np.array_equal(screen.live.best.prediction.labels, turned.labels)
    assert not np.array_equal(turned.labels, network.predict(image).labels)


def test_when_the_hand_rests_the_quick_learner_looks_again_from_eight_sides(small):
    project, screen = small
    screen.live.refresh()
    screen.wait_for_about("8 views")
    best = screen.live.best
    turned = best.classifier.predict(project.image(screen.name), tta=True)
    assert np.array_equal(best.prediction.labels, turned.labels)
    assert screen.live.score.idle.wait(60)
    assert "8 views" in screen.live.best.about, "the score in turn leaves the prediction"


def test_x1_how_much_the_answer_changes_when_the_image_is_moved_is_measured_at_rest(small):
    project, screen = small
    screen.live.refresh()
    screen.wait_for_about("8 views")
    assert screen.live.score.idle.wait(60)
    best = screen.live.best
    screen.live.shifts.request(best, rest=0)
    assert screen.live.shifts.idle.wait(60)
    options = {"tta": True, "max_pixels": SHIFTED_PIXELS}
    expected = shift_sensitivity(best.classifier, project.image(screen.name), **options)
    assert screen.live.best.changed_by_shifts == expected.changed


@pytest.fixture
def trained(small):
    project, screen = small
    run = train(project, TrainingSettings(tile_size=64, batch_size=2, epochs=1, steps_per_epoch=2))
    screen.live.score_on(run.split)
    return project, screen, run.classifier


def answer_together(screen, network):
    """Offer a network, and return once its mean with the quick learner is shown and nothing more is asked."""
    screen.live.show_learner("both")
    screen.live.offer_network(network, "U-Net, epoch 1", network.scores)
    screen.wait_for_caption("U-Net, epoch 1 + quick, score")
    assert screen.live.network.idle.wait(60)


def test_a_calibrated_network_stays_so_when_a_request_of_before_is_answered(trained, monkeypatch):
    _, screen, network = trained
    live, predict = screen.live, screen.live._predict
    begun, go_on = threading.Event(), threading.Event()

    def slow(learner, classifier, request, is_stale):
        found = predict(learner, classifier, request, is_stale)
        if request.tta and threading.current_thread() is not threading.main_thread():
            begun.set()
            assert go_on.wait(60)
        return found

    monkeypatch.setattr(live, "_predict", slow)
    live.show_learner("network")
    live.offer_network(network, "U-Net, epoch 1", network.scores, alone=True)
    assert begun.wait(60)  # from eight sides, with the network as it was
    scaled = Classifier(replace(network.spec, model=network.spec.model.with_temperature(2.0)))
    assert live.use_scaled(network, scaled, 2.0, lambda: False)
    go_on.set()
    assert live.network.idle.wait(60)
    assert live.answer_of("network").classifier is scaled
    assert live.answer_of("network").scope == "8 views"
    assert live.take_back(network, scaled)
    assert live.network.idle.wait(60)
    assert live.answer_of("network").classifier is network


def test_network_and_quick_learner_together_take_in_strokes_without_training(trained):
    project, screen, network = trained
    answer_together(screen, network)
    before = screen.live.best
    assert [part.kind for part in before.classifier.parts] == ["network", "quick"]
    project.annotate(screen.name, Stroke([(100, 20), (110, 50)], width=8), "Epithelium")
    screen.live.edited()
    assert screen.live.network.idle.wait(60)
    after = screen.live.best
    kept = {
        name: np.array_equal(*(answer.classifier.model.tensors()[name] for answer in (before, after)))
        for name in ("0.input_mean", "1.deep.0.bias")
    }
    assert kept == {"0.input_mean": True, "1.deep.0.bias": False}
    screen.live.forget_network()
    assert screen.live.best.classifier.kind == "quick"


def test_a_class_that_the_network_does_not_know_ends_what_both_say(trained):
    project, screen, network = trained
    answer_together(screen, network)
    project.add_class("Lumen")
    screen.live.edited()
    assert screen.live.network.idle.wait(60)
    assert "both" not in screen.live._answers
    assert not [said for said in screen.said if said[1:] == ("error",)]


def test_a_classifier_that_was_loaded_speaks_alone(trained):
    _, screen, network = trained
    screen.live.show_learner("network")
    screen.live.offer_network(network, "loaded", {}, alone=True)
    screen.wait_for_about("loaded; 8 views")
    assert screen.live.network.idle.wait(60)
    assert set(screen.live._answers) <= {"network", "quick"}
    screen.live.image_changed()
    screen.wait_for_about("loaded; 8 views")
    assert screen.live.network.idle.wait(60)
    assert "both" not in screen.live._answers


def test_n9_what_an_image_is_unlike_is_said_once_an_image_and_classifier():
    said = []
    notice = RangeNotice(lambda *words: said.append(words))

    def heed(name, warning):
        notice.check(LearnerAnswer(None, SimpleNamespace(image_name=name), "U-Net", warning=warning))

    notice.check(None)
    heed("dark", None)
    assert said == [], "not compared yet"
    for _ in range(2):  # each better epoch is a new answer, compared a moment after it is shown
        heed("dark", None)
        heed("dark", "Too dark.")
        heed("pale", "")
    assert said == [("Too dark.", "warning")]
    heed("dark", "")
    heed("dark", "Too dark.")
    assert len(said) == 2, "a classifier that knew such images was shown in between"


def test_n9_the_first_image_is_told_of_too_when_the_person_went_on_before_it_was_compared():
    tissue = samples.colon_ihc()
    part = tissue.read(0, 0, 128, 128)
    project = Project(["Dark", "Bright"])
    for name, pixels in (("like", part), ("dark", part // 8)):
        project.add_image(open_image(pixels, name=name))
    screen = Screen(project)
    screen.live.show_learner("network")
    screen.live.offer_network(brightness_classifier(project.image("like")), "loaded", {}, alone=True)
    screen.name = "dark"
    screen.live.image_changed()
    screen.name = "like"
    screen.live.image_changed()
    screen.wait_for_caption("loaded")
    assert screen.live.network.idle.wait(20)
    screen.name = "dark"
    screen.live.image_changed()
    screen.live.offer_network(brightness_classifier(project.image("like")), "loaded", {}, alone=True)
    assert screen.live.network.idle.wait(20)
    screen.live.close()
    unlike = [words for words in screen.said if "Image dark differs" in words[0]]
    assert len(unlike) == 1
    assert screen.live.best.warning
