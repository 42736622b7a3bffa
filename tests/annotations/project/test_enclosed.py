"""What the last annotation encloses."""

import numpy as np

import histowidgets as hw
from histowidgets.annotations import enclosed_areas

RING = [(20, 20), (60, 20), (60, 60), (20, 60), (20, 20)]


def project_with(*strokes, size=(100, 120)):
    project = hw.Project(["A", "B"])
    project.add_image(np.zeros((*size, 3), np.uint8), name="one")
    for points, class_name in strokes:
        project.annotate("one", hw.Stroke(points, width=4), class_name)
    return project


def enclosed(project):
    return enclosed_areas(project.snapshot(), "one", project.annotations("one")[-1])


def filled_labels(project):
    for area in enclosed(project):
        project.annotate("one", area, project.annotations("one")[-1].class_name)
    return project.snapshot().labels("one")


def test_the_inside_of_a_closed_ring_is_found_pixel_by_pixel():
    project = project_with((RING, "A"))
    (area,) = enclosed(project)
    assert area.bounds == (22, 22, 58, 58)
    assert (filled_labels(project)[18:62, 18:62] == 0).sum() == 44 * 44 - 4, "but for a pixel at each round corner"


def test_several_strokes_of_a_class_form_a_ring_and_other_labels_inside_stay():
    project = project_with((RING[:3], "A"), ([(30, 30), (40, 40)], "B"), (RING[2:], "A"))
    before = project.snapshot().labels("one").copy()
    after = filled_labels(project)
    assert (after[before == 1] == 1).all()
    assert (after[22:58, 22:58] != 255).all()
    assert (after[:18] == 255).all()


def test_an_open_stroke_and_a_ring_of_another_class_enclose_nothing():
    assert enclosed(project_with((RING[:4], "A"))) == []
    assert enclosed(project_with((RING, "A"), ([(90, 80), (100, 90)], "B"))) == []
    assert enclosed(project_with((RING, "A"), ([(90, 80), (100, 90)], "A"))) == [], "a ring that the last one touches"


def test_the_edge_of_the_image_closes_no_ring():
    assert enclosed(project_with(([(0, 50), (60, 50), (60, 0)], "A"))) == []


def test_a_ring_across_a_slide_is_filled_at_a_coarser_scale():
    project = hw.Project(["A", "B"])
    project.add_image(np.zeros((6000, 6000), np.uint8), name="one")
    ring = [(500, 500), (5500, 500), (5500, 5500), (500, 5500), (500, 500)]
    project.annotate("one", hw.Stroke(ring, width=20), "A")
    (area,) = enclosed(project)
    left, top, right, bottom = area.bounds
    assert max(abs(left - 510), abs(top - 510), abs(right - 5490), abs(bottom - 5490)) <= 4
