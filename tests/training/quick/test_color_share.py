"""How much colour counts is found on held-out strokes."""

import numpy as np
import pytest
import torch

import histowidgets as hw
from histowidgets.errors import ClassifierError
from histowidgets.prediction import QuickModel
from histowidgets.training.quick import _color_share
from histowidgets.training.quick._color_share import _dealt, _shares, _sharpened, color_share


def strokes_of(n_strokes, n_classes=2, size=40):
    """Labels of strokes that take turns between the classes, and the number of each pixel's stroke."""
    strokes = np.repeat(np.arange(n_strokes), size)
    return torch.from_numpy(strokes % n_classes), strokes


def values_of(labels, strokes, told, width, seed):
    """Features that tell the classes apart, or only strokes: what is learned from them does not carry over."""
    generator = torch.Generator().manual_seed(seed)
    by_stroke = torch.randn(int(strokes.max()) + 1, width, generator=generator)[torch.from_numpy(strokes)]
    values = by_stroke + 0.1 * torch.randn(len(labels), width, generator=generator)
    if told:
        values[:, 0] = 3.0 * labels
    return values


@pytest.mark.parametrize("n_classes", [2, 3, 8])
def test_colour_counts_where_it_alone_carries_over(n_classes):
    labels, strokes = strokes_of(40, n_classes)
    told, untold = (
        [values_of(labels, strokes, is_told, width, i) for i, (is_told, width) in enumerate(kinds)]
        for kinds in ([(False, 20), (False, 30), (True, 6)], [(True, 20), (True, 30), (False, 6)])
    )
    assert color_share(told, labels, strokes, n_classes, 3, 0) > 0.8
    assert color_share(untold, labels, strokes, n_classes, 3, 0) == 0


def test_few_strokes_are_little_evidence():
    shares = [_sharpened(0.9, n_strokes, 3, 1.5) for n_strokes in (2, 4, 8, 40)]
    assert shares == sorted(shares)
    assert shares[0] < 0.5 < 0.9 < shares[-1]
    assert _sharpened(1.0, 10**9, 3, 1.5) == pytest.approx(1.0)


def test_colour_must_be_clearly_better_on_strokes_to_count():
    assert _sharpened(0.5, 100, 3, 1.5) < 0.2
    assert 0.4 < _sharpened(0.6, 10**6, 3, 1.5) < 0.6
    assert _sharpened(0.75, 100, 3, 1.5) > 0.8


@pytest.mark.parametrize("numbers", [[0, 1], [0, 1, 1], [0, 1, 2]])
def test_without_two_strokes_of_two_classes_colour_has_no_share(numbers):
    """Classes 0, 1 and 1: what is held out of a class must leave some of it to learn from."""
    labels = torch.tensor([0] * 30 + [1] * 30 + [1] * 30)
    strokes = np.repeat([0, 1, 2] if len(numbers) == 3 else [0, 1, 1], 30)
    strokes[60:] = numbers[-1]
    kinds = [values_of(labels, np.arange(90), True, width, 0) for width in (20, 30, 6)]
    found = color_share(kinds, labels, strokes, 2, 3, 0)
    assert 0 <= found <= 1
    if numbers == [0, 1]:
        assert found == 0


def test_of_more_channels_than_the_encoder_sees_less_is_enough(monkeypatch):
    labels, strokes = strokes_of(40)
    kinds = [values_of(labels, strokes, True, width, i) for i, width in enumerate((20, 30, 6))]
    monkeypatch.setattr(_color_share, "_shares", lambda *_: np.array([0.25, 0.25, 0.5]))
    assert color_share(kinds, labels, strokes, 2, 3, 0) == 0
    assert color_share(kinds, labels, strokes, 2, 4, 0) > 0.6


def test_each_class_is_dealt_evenly_and_a_single_stroke_is_left_out():
    labels, strokes = np.repeat([0, 0, 0, 0, 1], 10), np.repeat(np.arange(5), 10)
    fold, lonely = _dealt(strokes, labels, 2, 0)
    assert sorted(fold[:40:10]) == [0, 0, 1, 1]
    assert (lonely == (labels == 1)).all()
    for number in range(5):
        assert len(np.unique(fold[strokes == number])) == 1, "a stroke is in one part"


def test_a_useless_network_gets_the_least_share_and_a_sure_error_does_not_rule():
    labels = np.tile([0, 1], 200)
    good, useless = np.full(400, 0.9), np.full(400, 0.5)
    shares = _shares(np.column_stack([good, useless]), labels, 2)
    assert shares[0] > 0.8
    wrong_once = np.where(np.arange(400) == 7, 0.0, 0.95)
    assert _shares(np.column_stack([wrong_once, good]), labels, 2)[0] > 0.5
    rare = np.where(np.arange(400) < 380, 0, 1)
    knows_rare = np.where(rare == 1, 0.95, 0.3)
    assert _shares(np.column_stack([knows_rare, 1 - knows_rare]), rare, 2)[0] > 0.4, "classes count equally"


def colored(seed, side=160):
    """Two colours in patches of a few pixels: smoothing and context mislead, colour tells all."""
    rng = np.random.default_rng(seed)
    truth = np.kron(rng.integers(0, 2, (side // 8, side // 8)), np.ones((8, 8), int)).astype(np.uint8)
    pixels = np.where(truth[..., None], [200, 90, 90], [90, 90, 200]) + rng.normal(0, 12, (side, side, 3))
    return np.clip(pixels, 0, 255).astype(np.uint8), truth


def test_saved_and_loaded_it_answers_the_same(tmp_path):
    pixels, truth = colored(0)
    project = hw.Project(classes=["Blue", "Red"])
    name = project.add_image(hw.open_image(pixels, name="patches"))
    for k, class_name in enumerate(project.classes):
        for y, x in np.argwhere(truth[::8, ::8] == k)[:12]:
            project.annotate(name, hw.Rectangle(8 * int(x) + 1, 8 * int(y) + 1, 6, 6), class_name)
    classifier = hw.quick_classifier(project)
    assert 0.1 < classifier.model.color_share <= 1
    found = classifier.predict(project.image(name))
    assert (found.labels == truth).mean() > 0.9
    classifier.save(tmp_path / "colour")
    loaded = hw.Classifier.load(tmp_path / "colour")
    assert loaded.model.color_share == classifier.model.color_share
    again = loaded.predict(hw.open_image(pixels, name="patches"))
    np.testing.assert_allclose(again.probabilities, found.probabilities, atol=1e-5)


@pytest.mark.parametrize(("share", "layers"), [(0.5, 0), (-0.1, 3), (1.5, 3), (float("nan"), 3)])
def test_a_file_with_an_impossible_share_is_refused(share, layers):
    layer = torch.zeros(2, 2), torch.zeros(2)
    model = QuickModel([layer] * 3, [layer] * 3, 3, color=[layer] * 3, color_share=0.5)
    tensors = {name: value for name, value in model.tensors().items() if layers or not name.startswith("color.")}
    assert QuickModel.restore(model.spec(), model.tensors()).color_share == 0.5
    with pytest.raises(ClassifierError, match="share of colours"):
        QuickModel.restore({**model.spec(), "color_share": share}, tensors)


def halves_project(n_images, strokes):
    """Images whose left half is dark, right half bright, and lowest quarter striped."""
    project = hw.Project(classes=["Dark", "Bright", "Striped"])
    truth = np.zeros((128, 192), np.uint8)
    truth[:, 96:] = 1
    truth[96:] = 2
    for number in range(n_images):
        rng = np.random.default_rng(number)
        pixels = 70 + 90 * (truth == 1) + 60 * ((truth == 2) & (np.arange(192) // 4 % 2 == 1))
        pixels = np.clip(pixels[..., None] + rng.normal(0, 8, (128, 192, 3)), 0, 255).astype(np.uint8)
        project.add_image(hw.open_image(pixels, name=f"image {number}"))
    for number, class_name, x, y in strokes:
        project.annotate(f"image {number}", hw.Rectangle(x, y, 24, 12), class_name)
    return project, truth


DARK, BRIGHT, STRIPED = (
    [(name, x, y) for x, y in places]
    for name, places in (
        ("Dark", [(10, 10), (50, 40), (20, 70)]),
        ("Bright", [(110, 10), (150, 40), (120, 70)]),
        ("Striped", [(10, 105), (80, 108), (150, 105)]),
    )
)


@pytest.mark.parametrize(
    ("n_images", "strokes"),
    [
        (1, [(0, *DARK[0]), (0, *BRIGHT[0]), (0, *STRIPED[0])]),  # a single stroke of each class
        (1, [(0, *s) for s in DARK + BRIGHT] + [(0, *STRIPED[0])]),  # of one class
        (3, [(0, *s) for s in DARK + BRIGHT + STRIPED]),  # all in one of three images
        (2, [(0, *s) for s in DARK + STRIPED] + [(1, *s) for s in DARK + BRIGHT]),  # classes missing in an image
    ],
)
def test_few_or_oddly_spread_strokes_degenerate_nothing(n_images, strokes):
    project, truth = halves_project(n_images, strokes)
    classifier = hw.quick_classifier(project)
    assert 0 <= classifier.model.color_share <= 1
    for name in project.image_names:
        found = classifier.predict(project.image(name))
        assert np.isfinite(found.probabilities).all()
        assert (found.labels == truth).mean() > 0.85
