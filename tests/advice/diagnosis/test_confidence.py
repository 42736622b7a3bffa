"""A score on a handful of held-out strokes comes with the range in which it probably lies."""

import numpy as np
import pytest

from histowidgets.advice import held_out_counts, likely_range, strokes_of_mean
from histowidgets.annotations import Project, Split, Stroke
from histowidgets.errors import AdviceError
from histowidgets.images import Region


def test_the_range_is_that_of_wilson():
    # Worked example of Newcombe (1998), table I: 81 of 263, and 1 of 29.
    assert likely_range(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert likely_range(1 / 29, 29) == pytest.approx((0.0061, 0.1718), abs=1e-4)


def test_a_perfect_score_on_three_strokes_is_not_certain():
    low, high = likely_range(1.0, 3)
    assert (round(low, 2), high) == (0.44, 1.0)
    assert likely_range(1.0, 0) is None


def test_the_range_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    truth, strokes = 0.8, 20
    found = [likely_range(right / strokes, strokes) for right in rng.binomial(strokes, truth, 4000)]
    assert 0.92 < np.mean([low <= truth <= high for low, high in found]) < 0.98


def test_a_mean_over_classes_has_the_variance_that_it_should():
    rng = np.random.default_rng(1)
    counts, p = (4, 9, 25), 0.7
    means = np.mean([rng.binomial(n, p, 40_000) / n for n in counts], axis=0)
    assert p * (1 - p) / strokes_of_mean(counts) == pytest.approx(means.var(), rel=0.03)
    assert strokes_of_mean([3, 0]) == 0
    assert strokes_of_mean([]) == 0


def test_strokes_in_what_is_held_out_are_counted_by_class():
    project = Project(["Dark", "Bright"])
    name = project.add_image(np.zeros((100, 200, 3), np.uint8))
    for y in (20, 50):
        project.annotate(name, Stroke([(110, y), (140, y)], width=4), "Dark")
    project.annotate(name, Stroke([(10, 20), (60, 20)], width=4), "Dark")
    project.annotate(name, Stroke([(90, 80), (120, 80)], width=4), "Bright")
    split = Split({name: (Region(100, 0, 100, 100),)})
    assert held_out_counts(project.snapshot(), split) == {"Dark": 2, "Bright": 1}


def test_a_score_that_is_none_is_refused():
    with pytest.raises(AdviceError, match="from 0 to 1"):
        likely_range(1.5, 3)
