"""Random edits against a simple model; what damaged files do is tried in ``tests/fuzz``."""

import os

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from histowidgets.annotations import Project
from tests.annotations.project.edit_model import EDITS, Model

CALM = {
    "deadline": None,
    "database": None,
    "suppress_health_check": list(HealthCheck),
    "phases": [Phase.generate, Phase.shrink],
}
#: The same cases each time: a run that fails can be run again. The slow test looks elsewhere each time.
SAME = {**CALM, "derandomize": True}
#: Cases of the slow test: 20,000 take about two minutes of a processor.
MANY = int(os.environ.get("HISTOWIDGETS_CASES", "1000"))


def edited(project, edits, check_each=False):
    """Make edits on a project and its model."""
    model = Model(project)
    model.edit("add_image", 0)
    model.edit("add_image", 1)
    for edit in edits:
        model.edit(*edit)
        if check_each:
            model.check()
    return model


def seen(project):
    """All that comes back from a folder."""
    images = [
        (name, project.role(name), project.annotations(name), project.label_map(name).tobytes())
        for name in project.image_names
    ]
    return list(project.colors.items()), images, project.count(), project.removed_images


def compare_with_model(edits):
    """Hold a project in memory against the model after each edit, then through all of undo and redo."""
    model = edited(Project(["A", "B", "C"]), edits, check_each=True)
    states = [seen(model.project)]
    while model.project.undo():
        states.append(seen(model.project))
    for state in reversed(states[:-1]):
        assert model.project.redo()
        assert seen(model.project) == state


@settings(max_examples=100, **SAME)
@given(st.lists(EDITS, min_size=8, max_size=30))
def test_any_edits_give_what_a_simple_model_gives(edits):
    compare_with_model(edits)


@pytest.mark.slow
@settings(max_examples=MANY, **CALM)
@given(st.lists(EDITS, min_size=4, max_size=12))
def test_many_cases_of_edits_give_what_a_simple_model_gives(edits):
    compare_with_model(edits)


@settings(max_examples=15, **SAME)
@given(edits=st.lists(EDITS, min_size=8, max_size=30))
def test_the_journal_gives_the_same_state_again(tmp_path_factory, edits):
    folder = tmp_path_factory.mktemp("project") / "project"
    project = edited(Project(["A", "B", "C"], folder), edits).project
    states = [seen(project)]
    while project.undo():
        states.append(seen(project))
    for state in reversed(states[:-1]):
        assert project.redo()
        assert seen(project) == state
    project.close()
    again = Project.open(folder)
    for state in states:
        assert seen(again) == state
        again.undo()
    assert not again.can_undo
    again.close()
