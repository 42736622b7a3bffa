"""Two annotators on the same pixels: their agreement, its intervals, and the places where they differ."""

import numpy as np
import pytest
from scipy import stats

import histowidgets as hw
from histowidgets.errors import ImageSizeError, ProjectError


def rectangle(x, y, width, height):
    return hw.Rectangle(x, y, width, height)


def project_of(drawn, classes=("A", "B", "C"), size=(100, 200), names=("one",)):
    """Make a project from (annotator, image, class or None, rectangle)."""
    project = hw.Project(classes)
    for name in names:
        project.add_image(np.zeros((*size, 3), np.uint8), name=name)
    for annotator, image, class_name, shape in drawn:
        project.annotator = annotator
        if class_name is None:
            project.erase(image, shape)
        else:
            project.annotate(image, shape, class_name)
    return project


def test_x12_who_drew_what_the_agreement_with_its_interval_and_the_places_of_disagreement():
    drawn = [
        ("Anna", "one", "A", rectangle(0, 0, 40, 20)),
        ("Ben", "one", "A", rectangle(0, 0, 30, 20)),  # 600 pixels alike
        ("Ben", "one", "B", rectangle(30, 0, 20, 20)),  # 200 of them are Anna's A
        ("Anna", "one", "B", rectangle(100, 50, 10, 20)),
        ("Ben", "one", "B", rectangle(100, 50, 10, 20)),  # 200 alike
        ("Anna", "one", "C", rectangle(160, 0, 10, 10)),  # only she painted there
    ]
    project = project_of(drawn)
    assert [a.annotator for a in project.annotations("one")] == ["Anna", "Ben", "Ben", "Anna", "Ben", "Anna"]
    found = hw.compare_annotators(project)
    assert found.annotators == ("Anna", "Ben")
    assert found.confusion.tolist() == [[600, 200, 0], [0, 200, 0], [0, 0, 0]]
    assert (found.pixels, found.places) == (1000, 2)
    assert found.agreement.value == 0.8
    by_chance = (800 * 600 + 200 * 400) / 1000**2
    assert found.kappa.value == pytest.approx((0.8 - by_chance) / (1 - by_chance))
    # Two places of 800 and 200 pixels are worth 1000^2 / (800^2 + 200^2) = 1.47 places.
    trials = 1000**2 / (800**2 + 200**2)
    for end in (found.agreement.low, found.agreement.high):  # where Wilson's equation holds
        assert (0.8 - end) ** 2 == pytest.approx(1.959964**2 * end * (1 - end) / trials, rel=1e-4)
    assert found.kappa.low == pytest.approx((found.agreement.low - by_chance) / (1 - by_chance))
    assert found.by_class["A"].value == 2 * 600 / (800 + 600)
    assert found.by_class["B"].value == 2 * 200 / (200 + 400)
    assert found.by_class["C"] is None
    (where,) = found.disagreements
    assert (where.image_name, where.region, where.pixels) == ("one", hw.Region(30, 0, 10, 20), 200)
    assert (where.first, where.second) == ("A", "B")
    assert str(found).startswith("Anna and Ben agree on 80 % (")
    assert "1,000 pixels in 2 places" in str(found)


def test_two_projects_are_compared_as_wholes_by_the_names_of_images_and_classes():
    first = project_of(
        [("", "one", "A", rectangle(0, 0, 10, 10)), ("x", "two", "B", rectangle(0, 0, 10, 10))],
        classes=("A", "B"),
        names=("one", "two"),
    )
    second = project_of(
        [("", "one", "A", rectangle(0, 0, 10, 10)), ("", "two", "Other", rectangle(0, 0, 10, 5))],
        classes=("Other", "A"),
        names=("two", "one", "three"),
    )
    found = hw.compare_annotators(first, second, annotators=("Anna", "Ben"))
    assert found.classes == ("A", "B", "Other")
    assert found.confusion.tolist() == [[100, 0, 0], [0, 0, 50], [0, 0, 0]]
    assert found.disagreements[0].image_name == "two"
    assert hw.compare_annotators(first, first).kappa.value == 1, "of itself"


def test_what_was_erased_is_nobodys_label_and_the_own_later_stroke_wins():
    project = project_of(
        [
            ("Anna", "one", "A", rectangle(0, 0, 20, 10)),
            ("Ben", "one", "A", rectangle(0, 0, 20, 10)),
            ("Ben", "one", None, rectangle(10, 0, 10, 10)),
            ("Anna", "one", "B", rectangle(0, 0, 5, 10)),
        ]
    )
    found = hw.compare_annotators(project)
    assert found.confusion.tolist() == [[50, 0, 0], [50, 0, 0], [0, 0, 0]]


def test_on_a_slide_only_blocks_with_labels_of_both_are_drawn():
    project = project_of(
        [
            ("Anna", "one", "A", rectangle(2040, 10, 16, 10)),
            ("Ben", "one", "B", rectangle(2040, 10, 16, 10)),
        ],
        size=(2100, 4200),
    )
    found = hw.compare_annotators(project)
    assert found.pixels == 160
    assert sum(d.pixels for d in found.disagreements) == 160
    assert found.agreement.value == 0
    assert found.agreement.high > 0.5, "nothing is certain after one place or two"


def test_a_place_that_lies_over_the_borders_of_blocks_counts_once():
    drawn = []
    for annotator, other in (("Anna", "A"), ("Ben", "B")):
        drawn += [
            (annotator, "one", other, rectangle(2000, 2030, 100, 60)),  # in four blocks
            (annotator, "one", "C", rectangle(10, 2040, 30, 20)),  # in two, and alike
            (annotator, "one", "A", rectangle(3000, 2047, 1, 1)),
            (annotator, "one", "A", rectangle(3001, 2048, 1, 1)),  # touches the one before at a corner
            (annotator, "one", "A", rectangle(0, 2048, 1, 1)),
            (annotator, "one", "A", rectangle(4199, 2047, 1, 1)),  # at the end of the row before
        ]
    found = hw.compare_annotators(project_of(drawn, size=(2100, 4200)))
    assert found.places == 5
    assert found.confusion.tolist() == [[4, 6000, 0], [0, 0, 0], [0, 0, 600]]
    (where,) = found.disagreements
    assert (where.region, where.pixels) == (hw.Region(2000, 2030, 100, 60), 6000)
    assert (where.first, where.second) == ("A", "B")
    trials = 6604**2 / (6000**2 + 600**2 + 2**2 + 1 + 1)
    value, high = found.agreement.value, found.agreement.high
    assert (value - high) ** 2 == pytest.approx(1.959964**2 * high * (1 - high) / trials, rel=1e-4)


def test_annotators_without_a_name_are_called_so_and_classes_match_in_any_case():
    shape = rectangle(0, 0, 10, 10)
    found = hw.compare_annotators(project_of([("", "one", "A", shape), ("Ben", "one", "B", shape)]))
    assert str(found).startswith("Someone without a name and Ben agree on 0 %")
    first = project_of([("", "one", "Tumour", shape)], classes=("Tumour", "stroma"))
    second = project_of([("", "one", "tumour", shape)], classes=("Stroma", "tumour", "Lumen"))
    found = hw.compare_annotators(first, second)
    assert found.classes == ("Tumour", "stroma", "Lumen")
    assert found.agreement.value == 1
    own = project_of([("", "one", "tumour", shape)], classes=("tumour", "Tumour"))  # tells the two apart
    assert hw.compare_annotators(first, own).agreement.value == 0


def test_perfect_agreement_on_few_places_does_not_look_certain():
    drawn = []
    for i in range(6):
        shape = rectangle(20 * i, 0, 10, 10)
        drawn += [("Anna", "one", "AB"[i % 2], shape), ("Ben", "one", "AB"[i % 2], shape)]
    found = hw.compare_annotators(project_of(drawn))
    exact = stats.binomtest(6, 6).proportion_ci(method="wilson")
    assert found.agreement.low == pytest.approx(exact.low)
    assert (found.kappa.value, found.kappa.high) == (1, 1)
    assert found.kappa.low == pytest.approx((exact.low - 0.5) / 0.5)


def test_kappa_of_a_single_class_is_not_defined():
    shape = rectangle(0, 0, 10, 10)
    found = hw.compare_annotators(project_of([("Anna", "one", "A", shape), ("Ben", "one", "A", shape)]))
    assert found.kappa is None
    assert "not defined" in str(found)


@pytest.mark.parametrize("alike_within", [True, False])
def test_the_interval_holds_the_truth_in_about_95_of_100_draws(alike_within):
    """Places of very different sizes, right or wrong as a whole or in parts."""
    from histowidgets.annotations.agreement._compare import _estimate

    rng, truth, held, widths = np.random.default_rng(3), 0.8, 0, []
    for _ in range(2000):
        sizes = rng.integers(50, 400, 30)
        hits = sizes * (rng.random(30) < truth) if alike_within else rng.binomial(sizes, rng.beta(16, 4, 30))
        found = _estimate(hits, sizes)
        held += found.low <= truth <= found.high
        widths.append(found.high - found.low)
    assert 0.92 < held / 2000 < 0.98
    if not alike_within:  # parts of places agree, so the places scatter less than whole ones would
        assert np.median(widths) < 0.12


def test_bad_input_is_named():
    shape = rectangle(0, 0, 10, 10)
    alone = project_of([("Anna", "one", "A", shape)])
    with pytest.raises(ProjectError, match=r"All annotations are by 'Anna'. Set `project.annotator`"):
        hw.compare_annotators(alone)
    with pytest.raises(ProjectError, match="All annotations are by nobody"):
        hw.compare_annotators(project_of([]))
    both = project_of([("Anna", "one", "A", shape), ("Ben", "one", "A", rectangle(50, 50, 5, 5))])
    with pytest.raises(ProjectError, match="No pixel was labelled by both Anna and Ben"):
        hw.compare_annotators(both)
    with pytest.raises(ProjectError, match="no image of the same name: the first has 'one', the second 'two'"):
        hw.compare_annotators(both, project_of([("Ben", "two", "A", shape)], names=("two",)))
    with pytest.raises(ProjectError, match="Nothing was drawn by 'Carl'; the annotators are 'Anna', 'Ben'"):
        hw.compare_annotators(both, annotators=("Anna", "Carl"))
    with pytest.raises(ProjectError, match="two different annotators"):
        hw.compare_annotators(both, annotators=("Anna", "Anna"))
    with pytest.raises(ImageSizeError, match="200 x 100 pixels in the first project and 90 x 80 in the second"):
        hw.compare_annotators(alone, project_of([("Ben", "one", "A", shape)], size=(80, 90)))
    with pytest.raises(ProjectError, match="give a name as text"):
        hw.Project(["A"], annotator=7)
    with pytest.raises(ProjectError, match="give a name as text"):
        alone.annotator = None


def test_the_annotator_is_given_once(tmp_path):
    pixels = np.zeros((20, 20, 3), np.uint8)
    project = hw.Project(["A"], folder=tmp_path / "p", annotator=" Anna ")
    project.add_image(hw.open_image(pixels, name="one"), name="one")
    project.annotate("one", rectangle(0, 0, 5, 5), "A")
    project.close()
    again = hw.Project.open(tmp_path / "p", annotator="Ben")
    again.annotate("one", rectangle(0, 0, 5, 5), "A")
    assert [a.annotator for a in again.annotations("one")] == ["Anna", "Ben"]
    again.close()
