"""Projects and shapes that the tests of this room share."""

import numpy as np
import pytest

from histowidgets.annotations import Line, Polygon, Project, Rectangle, Stroke
from histowidgets.images import ArrayImage

CLASSES = ["Stroma", "Gland", "Lumen"]


def blank(width=120, height=90, name="blank"):
    return ArrayImage(np.zeros((height, width), np.uint8), name)


@pytest.fixture
def project():
    """A project in memory, with one image of 120 x 90 named "blank"."""
    project = Project(CLASSES)
    project.add_image(blank())
    return project


@pytest.fixture
def shapes():
    """One shape of each kind, all on the blank image."""
    return [
        Stroke([[10.5, 10.25], [30, 20], [35, 50]], 8),
        Stroke([[60, 60]], 11),
        Line([[5, 80], [110, 70.5]], 3),
        Polygon([[40, 5], [90, 5], [95, 40], [50, 45]], [[[60, 15], [75, 15], [70, 30]]]),
        Rectangle(70, 50, 30.5, 20),
    ]


def random_stroke(rng, width=120, height=90, brush=None):
    start = rng.uniform([0, 0], [width, height])
    points = start + np.cumsum(rng.normal(0, 5, (rng.integers(1, 12), 2)), axis=0) - [0, 0]
    points[0] = start
    return Stroke(points, brush or rng.uniform(2, 15))
