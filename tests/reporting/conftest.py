"""A small session that was trained, audited and predicted, and its report, made once."""

from contextlib import closing

import pytest
import tifffile

import histowidgets as hw
from tests.training.helpers import quick, striped

#: A class name that HTML must not take for a tag.
TAG = "<b>Bright</b>"


@pytest.fixture(scope="session")
def session(tmp_path_factory):
    """Folder of a project with an image in micrometres, a run and an audit."""
    folder = tmp_path_factory.mktemp("session") / "project"
    slide = folder.parent / "slide.ome.tif"
    microns = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeYUnit": "µm"}
    tifffile.imwrite(slide, striped(), photometric="rgb", ome=True, metadata={"axes": "YXS", **microns})
    with closing(hw.Project(["Dark", TAG], folder=folder)) as project:
        name = project.add_image(slide, name="a <slide>")
        for i in range(6):
            for k, class_name in enumerate(project.classes):
                x, y = 32 * ((2 * i + k) % 8) + 16, 20 + 30 * i
                project.annotate(name, hw.Stroke([(x, y), (x + 3, y + 20)], width=8), class_name)
        run = hw.train(project, quick(epochs=3, seed=7, scheduler="none"))
        audit = hw.audit(project, run.classifier, n=12)
        while (point := audit.next_point) is not None:
            audit.judge(point, project.classes[point.x // 32 % 2])
    return folder, run


@pytest.fixture(scope="session")
def page(session):
    """The report of the session."""
    folder, _ = session
    return hw.report(folder, folder.parent / "out" / "report.html")
