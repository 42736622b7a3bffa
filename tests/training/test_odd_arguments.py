"""What is no project, no settings, no classifier: refused in words, before anything starts."""

import pytest

from histowidgets.advice import coach, suggest_regions
from histowidgets.errors import AdviceError, ProjectError, SettingsError, TrainingDataError, TrainingError
from histowidgets.training import cross_validate, quick_classifier, quick_score, resume_training, start_training, train
from tests.training.helpers import painted, quick


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("my_project", None), "project is 'my_project'; it must be a Project. .*Project.open"),
        ((None, None), "project is None; it must be a Project"),
        ((..., {"epochs": 1}), "settings are {'epochs': 1}; expected TrainingSettings, such as"),
        ((..., "workshop"), "settings are 'workshop'; .*preset"),
    ],
)
def test_what_is_no_project_and_no_settings_is_refused_with_how_to_get_one(arguments, message):
    project, settings = arguments
    project = painted() if project is ... else project
    for ask in (start_training, train, cross_validate):
        with pytest.raises((ProjectError, SettingsError), match=message):
            ask(project, settings)


@pytest.mark.parametrize("odd", [None, "my_project"])
def test_what_is_no_project_is_refused_wherever_one_is_wanted(odd):
    asks = (coach, quick_classifier, quick_score, lambda project: suggest_regions(project, quick_classifier(painted())))
    for ask in asks:
        with pytest.raises(ProjectError, match="it must be a Project"):
            ask(odd)
    with pytest.raises(AdviceError, match="classifier is a NoneType; expected a Classifier"):
        suggest_regions(painted(), None)


def test_other_odd_arguments_are_refused_in_words():
    with pytest.raises(TrainingDataError, match="continue_from is 'folder'; expected a Classifier"):
        start_training(painted(), quick(), continue_from="folder")
    with pytest.raises(TrainingDataError, match=r"The split is 0\.2; expected a Split"):
        start_training(painted(), quick(), split=0.2)
    for folds in ("5", 2.5, None):
        with pytest.raises(SettingsError, match=f"folds is {folds!r}; use 2 to 20"):
            cross_validate(painted(), quick(), folds=folds)


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        (None, "The path is None; expected text or a Path"),
        (7, "The path is 7"),
        ("", "The path is ''"),
        (b"run", "The path is b'run'"),
        ("no/such/folder", "There is no run in no/such/folder"),
    ],
)
def test_what_is_no_run_cannot_be_resumed(odd, words):
    with pytest.raises(TrainingError, match=words):
        resume_training(odd)


def test_a_run_is_resumed_with_settings_or_without_not_with_anything_else(tmp_path):
    with pytest.raises(SettingsError, match=r"settings are 'cpu'; .*preset"):
        resume_training(tmp_path, settings="cpu")
    with pytest.raises(TrainingError, match="The project has no folder"):
        resume_training(painted())
    with pytest.raises(TrainingError, match="There is no run in"):
        resume_training(painted(folder=tmp_path / "project"))
