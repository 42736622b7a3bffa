"""What is no project, no settings, no classifier: refused in words, before anything starts."""

import pytest

from histowidgets.advice import coach, suggest_regions
from histowidgets.errors import AdviceError, ProjectError, SettingsError, TrainingDataError
from histowidgets.training import cross_validate, quick_classifier, quick_score, start_training, train
from tests.training.helpers import painted, quick


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("my_project", None), "project is 'my_project'; a Project is wanted. .*Project.open"),
        ((None, None), "project is None; a Project is wanted"),
        ((..., {"epochs": 1}), "settings are {'epochs': 1}; TrainingSettings are wanted, such as"),
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
        with pytest.raises(ProjectError, match="a Project is wanted"):
            ask(odd)
    with pytest.raises(AdviceError, match="classifier is a NoneType; a Classifier is wanted"):
        suggest_regions(painted(), None)


def test_other_odd_arguments_are_refused_in_words():
    with pytest.raises(TrainingDataError, match="continue_from is 'folder'; a Classifier is wanted"):
        start_training(painted(), quick(), continue_from="folder")
    with pytest.raises(TrainingDataError, match=r"The split is 0\.2; a Split is wanted"):
        start_training(painted(), quick(), split=0.2)
    for folds in ("5", 2.5, None):
        with pytest.raises(SettingsError, match=f"folds is {folds!r}; use 2 to 20"):
            cross_validate(painted(), quick(), folds=folds)
