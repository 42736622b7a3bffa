import numpy as np
import pytest
from scipy.spatial import cKDTree

from histowidgets.advice import only_easy_regions, suggest_regions
from histowidgets.annotations import Project, Rectangle, Stroke
from histowidgets.errors import AdviceError, ImageNameError
from histowidgets.images import open_image, samples
from histowidgets.prediction import Prediction


class ByColumn:
    """A classifier that is sure at the left and the right, and wavers in a band around `border`."""

    classes = ("Left", "Right")

    def __init__(self, border=256, softness=40):
        self.border, self.softness = border, softness

    def predict(self, image, region=None):
        region = image.region if region is None else region
        x = np.arange(region.x, region.right)
        right = np.clip((x - self.border) / self.softness + 0.5, 0, 1).astype(np.float32)
        probabilities = np.broadcast_to(np.stack([1 - right, right], -1), (region.height, region.width, 2)).copy()
        return Prediction(probabilities, classes=self.classes, colors=["#0072B2", "#E69F00"], region=region)


def textured(size=(512, 512), seed=0):
    rng = np.random.default_rng(seed)
    return open_image(rng.integers(60, 90, (*size, 3)).astype(np.uint8), name=f"texture {seed}")


def project_of(image=None):
    project = Project(["Left", "Right"])
    return project, project.add_image(textured() if image is None else image)


def centre(advice):
    return advice.region.x + advice.region.width / 2


def test_r17_r22_uncertain_places_come_first():
    project, name = project_of()
    found = suggest_regions(project, ByColumn(), n=4)
    assert len(found) == 4
    assert all(abs(centre(advice) - 256) < 80 for advice in found)
    assert found[0].title == "Uncertain between Left and Right"
    assert found[0].image_name == name
    assert found[0].evidence["uncertainty"] > 0.2
    assert found[0].guide_title == "Where to annotate next"


def test_r51_a_sharp_boundary_is_suggested():
    project, _ = project_of()
    found = suggest_regions(project, ByColumn(softness=0.5), n=4)
    assert all(advice.region.x <= 256 <= advice.region.right for advice in found)
    assert any("boundary" in advice.about["reasons"] for advice in found)


def test_r61_a_place_unlike_everything_labelled_is_suggested():
    pixels = textured().read(0, 0, 512, 512).copy()
    pixels[40:140, 380:480] += 150
    project, name = project_of(open_image(pixels, name="spot"))
    project.annotate(name, Rectangle(40, 300, 60, 60), "Left")
    found = suggest_regions(project, ByColumn(border=-1e6), n=1)
    region = found[0].region
    assert region.intersect(type(region)(380, 40, 100, 100)) is not None
    assert found[0].title == "Looks unlike all labelled places"


def test_r17_with_a_real_classifier():
    from histowidgets.training import quick_classifier

    project, name = project_of(samples.colon_ihc())
    project.annotate(name, Stroke([(330, 180), (350, 200)], 10), "Left")
    project.annotate(name, Stroke([(60, 60), (80, 90)], 10), "Right")
    classifier = quick_classifier(project)
    found = suggest_regions(project, classifier, n=5)
    assert len(found) == 5
    margins = np.abs(np.diff(classifier.predict(project.image(name)).probabilities, axis=-1))[..., 0]
    region = found[0].region
    assert margins[region.y : region.bottom, region.x : region.right].mean() < margins.mean()


def test_suggestions_are_spread_out_and_inside():
    project, name = project_of(samples.colon_ihc())
    found = suggest_regions(project, ByColumn(softness=400), n=10)
    assert len(found) == 10
    inside = project.image(name).region
    for i, a in enumerate(found):
        assert inside.contains(a.region)
        for b in found[:i]:
            assert a.region.intersect(b.region) is None


def test_labelled_places_are_left_out():
    project, name = project_of()
    project.annotate(name, Rectangle(200, 0, 120, 400), "Left")
    for advice in suggest_regions(project, ByColumn(softness=200), n=6):
        painted = advice.region.intersect(type(advice.region)(200, 0, 120, 400))
        assert painted is None or painted.area <= 0.25 * advice.region.area


def test_several_images_share_the_suggestions_and_one_can_be_asked_for():
    project, name = project_of()
    other = project.add_image(textured(seed=1))
    found = suggest_regions(project, ByColumn(), n=8)
    assert {advice.image_name for advice in found} == {name, other}
    assert {advice.image_name for advice in suggest_regions(project, ByColumn(), 3, other)} == {other}


def test_a_large_image_is_looked_at_through_windows():
    project, name = project_of(textured((2200, 2600)))
    found = suggest_regions(project, ByColumn(border=1300, softness=300), n=5)
    assert len(found) == 5
    assert all(project.image(name).region.contains(advice.region) for advice in found)


@pytest.mark.parametrize("size", [(8, 8), (12, 400), (60, 60)])
def test_small_images(size):
    project, _ = project_of(textured(size))
    found = suggest_regions(project, ByColumn(border=size[1] / 2), n=3)
    assert 1 <= len(found) <= 3


def test_the_same_answer_twice():
    project, _ = project_of(samples.colon_ihc())
    assert suggest_regions(project, ByColumn(), 5) == suggest_regions(project, ByColumn(), 5)


def test_without_images_there_is_nothing_to_suggest():
    assert suggest_regions(Project(["Left", "Right"]), ByColumn()) == []


def test_bad_arguments_are_refused():
    project, _ = project_of()
    with pytest.raises(AdviceError, match="n is 0"):
        suggest_regions(project, ByColumn(), n=0)
    with pytest.raises(ImageNameError, match="no image named 'other'"):
        suggest_regions(project, ByColumn(), image_name="other")


def test_r17_r22_only_easy_regions():
    project, name = project_of()
    project.annotate(name, Stroke([(30, 100), (30, 300)], 8), "Left")
    project.annotate(name, Stroke([(480, 100), (480, 300)], 8), "Right")
    advice = only_easy_regions(project, ByColumn(softness=300))
    assert advice.id == "only-easy-regions"
    assert advice.guide_title == "All strokes lie in easy places"
    project.annotate(name, Stroke([(256, 100), (256, 300)], 8), "Right")
    assert only_easy_regions(project, ByColumn(softness=300)) is None


def test_the_warning_about_easy_places_comes_first_and_the_images_are_predicted_once():
    project, name = project_of()
    project.annotate(name, Stroke([(30, 100), (30, 300)], 8), "Left")
    project.annotate(name, Stroke([(480, 100), (480, 300)], 8), "Right")
    classifier, told, asked = ByColumn(softness=300), [], []
    predict = classifier.predict
    classifier.predict = lambda *args: asked.append(args) or predict(*args)
    found = suggest_regions(project, classifier, 3, warn_if_easy=True, progress=lambda *done: told.append(done))
    assert [advice.id for advice in found] == ["only-easy-regions", *["annotate-here"] * 3]
    assert told == [(1, 1)]
    assert len(asked) == 1
    assert suggest_regions(project, classifier, 3, should_stop=lambda: True) == []
    assert "only-easy-regions" not in [advice.id for advice in suggest_regions(project, classifier, 3)]


def test_r22_a_sure_classifier_is_no_reason_to_complain():
    project, name = project_of()
    project.annotate(name, Stroke([(30, 100), (30, 300)], 8), "Left")
    assert only_easy_regions(project, ByColumn(border=-1e6)) is None


class ByColour:
    """A classifier that is sure near colours that were labelled, and the less so the further away."""

    classes = ("Left", "Right")

    def __init__(self, project, name):
        pixels, labels = project.image(name).read(0, 0, 256, 256).astype(float), project.label_map(name)
        self.trees = [cKDTree(pixels[labels == k][::7]) for k in (0, 1)]

    def predict(self, image, region=None):
        region = image.region if region is None else region
        pixels = image.read(*region).reshape(-1, 3).astype(float)
        far = np.stack([np.minimum(tree.query(pixels)[0], 60) + 4 for tree in self.trees], -1)
        share = (1 / far**2) / (1 / far**2).sum(-1, keepdims=True)
        probabilities = share.reshape(region.height, region.width, 2).astype(np.float32)
        return Prediction(probabilities, classes=self.classes, colors=["#0072B2", "#E69F00"], region=region)


def patchwork(seed, side=32):
    """Two common colours and six rare ones in squares; the odd ones are of the second class: image and truth."""
    rng = np.random.default_rng(seed)
    kinds = rng.choice(8, (256 // side, 256 // side), p=[0.4, 0.4, *[0.2 / 6] * 6])
    kinds.flat[rng.permutation(kinds.size)[:8]] = np.arange(8)
    kinds = kinds.repeat(side, 0).repeat(side, 1)
    colors = np.random.default_rng(seed + 100).uniform(40, 215, (8, 3))
    pixels = colors[kinds] + rng.normal(0, 3, (256, 256, 3))
    return open_image(np.clip(pixels, 0, 255).astype(np.uint8), name="patchwork"), kinds % 2


def accuracy_after(suggest, seed, strokes=7):
    """Paint at suggested or at random places; return the share of pixels that is right."""
    image, truth = patchwork(seed)
    project, name = project_of(image)
    rng = np.random.default_rng(seed)

    def paint(x, y):
        x, y = min(max(x, 4), 251), min(max(y, 4), 251)
        project.annotate(name, Stroke([(x - 2, y), (x + 2, y)], 4), project.classes[truth[int(y), int(x)]])

    for k in (0, 1):
        rows, cols = np.nonzero(truth == k)
        first = rng.integers(len(rows))
        paint(float(cols[first]), float(rows[first]))
    for _ in range(strokes):
        place = (float(rng.uniform(0, 256)), float(rng.uniform(0, 256)))
        if suggest:
            region = suggest_regions(project, ByColour(project, name), n=1)[0].region
            place = (region.x + region.width / 2, region.y + region.height / 2)
        paint(*place)
    return float((ByColour(project, name).predict(image).labels == truth).mean())


def test_r17_suggested_places_teach_more_than_random_ones():
    random, suggested = (np.mean([accuracy_after(how, seed) for seed in range(6)]) for how in (False, True))
    assert suggested > random + 0.05
