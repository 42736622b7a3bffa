"""Whole images held out: each class on both sides where that can be, and the same ones again."""

import numpy as np
import pytest

from histowidgets.annotations import Project, Split, Stroke, split_project
from histowidgets.annotations.split._split_images import CANDIDATES, choose_images
from histowidgets.errors import ProjectError


def project_of(*painted, roles=None):
    """Images with strokes of the given classes, such as "AAB"."""
    project = Project(["A", "B", "C"])
    for number, classes in enumerate(painted):
        name = project.add_image(
            np.zeros((80, 100, 3), np.uint8), name=str(number), role=(roles or {}).get(number, "both")
        )
        for place, class_name in enumerate(classes):
            project.annotate(name, Stroke([(10, 6 + 8 * place), (60, 6 + 8 * place)], width=4), class_name)
    return project


def held(split):
    return {name for name, regions in split.held_out.items() if regions}


@pytest.mark.parametrize("seed", range(5))
def test_b10_by_image_no_image_is_on_both_sides_and_each_class_is(seed):
    project = project_of("AAB", "AB", "BC", "AC", "ABC", "AA")
    split = split_project(project.snapshot(), 0.3, seed, by="image")
    assert 0 < len(held(split)) < 6
    for name in held(split):
        assert split.held_out[name] == (project.image(name).region,)
        assert split.training_regions(name, project.image(name)) == []
    on_either_side = [set(), set()]
    for name in project.image_names:
        on_either_side[name in held(split)] |= {a.class_name for a in project.annotations(name)}
    assert on_either_side == [{"A", "B", "C"}, {"A", "B", "C"}]
    assert split.messages == ()


def test_about_the_share_that_is_wanted_is_held_out():
    project = project_of(*["AB"] * 10)
    assert len(held(split_project(project.snapshot(), 0.2, by="image"))) == 2
    assert len(held(split_project(project.snapshot(), 0.5, by="image"))) == 5


def test_a_class_in_one_image_alone_is_trained_on_and_it_is_said():
    split = split_project(project_of("ABC", "AB", "AB", "AB").snapshot(), 0.25, by="image")
    assert "0" not in held(split)
    assert any("C is only in training" in message for message in split.messages)


def test_roles_hold_and_images_without_labels_are_left_in():
    project = project_of("AB", "AB", "AB", "", "AB", roles={0: "train", 4: "validation"})
    split = split_project(project.snapshot(), 0.4, by="image")
    assert "4" in held(split)
    assert not {"0", "3"} & held(split)
    assert len(held(split) & {"1", "2"}) == 1


def test_with_labels_in_one_image_a_part_of_it_is_held_out_and_it_is_said():
    project = project_of("AABB", "")
    split = split_project(project.snapshot(), 0.3, by="image")
    (region,) = split.held_out["0"]
    assert region.area < project.image("0").region.area
    assert "Whole images cannot be held out" in split.messages[0]


def test_what_an_earlier_run_held_out_stays_held_out():
    project = project_of(*["AB"] * 6)
    first = split_project(project.snapshot(), 0.3, seed=0, by="image")
    for seed in range(1, 6):
        again = split_project(project.snapshot(), 0.3, seed, previous=first, by="image")
        assert held(again) == held(first)
    assert {
        frozenset(held(split_project(project.snapshot(), 0.3, seed, previous=Split({}), by="image")))
        for seed in range(6)
    } != {frozenset(held(first))}


def test_of_many_images_neither_none_nor_all_are_chosen():
    pixels = np.random.default_rng(0).integers(1, 100, (200, 3))
    assert CANDIDATES < 2**200
    chosen = choose_images(pixels, 0.2, seed=0)
    assert 0.1 < pixels[chosen].sum() / pixels.sum() < 0.3


def test_an_unknown_way_to_split_is_refused():
    with pytest.raises(ProjectError, match="by is 'tile'; choose one of part, image"):
        split_project(project_of("AB").snapshot(), by="tile")
