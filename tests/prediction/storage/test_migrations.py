"""A classifier folder of an older version is read, and written again as one of today."""

import json

import numpy as np
import pytest

from histowidgets.errors import ClassifierError
from histowidgets.images import Region
from histowidgets.prediction import Classifier
from histowidgets.prediction.storage._folder import MIGRATIONS, VERSION

REGION = Region(64, 32, 128, 96)


@pytest.fixture
def version_0(tmp_path, network_classifier):
    """A folder as it was before the first release."""
    folder = tmp_path / "old"
    network_classifier.save(folder)
    card = json.loads((folder / "classifier.json").read_text())
    card["version"] = 0
    card["colors"] = [card["colors"][name] for name in card["classes"]]
    for name in ("kind", "history", "trained_on"):
        del card[name]
    (folder / "classifier.json").write_text(json.dumps(card))
    return folder


def test_an_older_version_is_migrated(version_0, network_classifier, sample, tmp_path):
    before = (version_0 / "classifier.json").read_bytes()
    loaded = Classifier.load(version_0)
    assert loaded.colors == network_classifier.colors
    assert loaded.kind == "network"
    assert loaded.history == []
    expected = network_classifier.predict(sample, REGION).probabilities
    np.testing.assert_array_equal(loaded.predict(sample, REGION).probabilities, expected)
    assert (version_0 / "classifier.json").read_bytes() == before, "reading changes nothing on disk"
    loaded.save(tmp_path / "new")
    assert json.loads((tmp_path / "new" / "classifier.json").read_text())["version"] == VERSION
    assert Classifier.load(tmp_path / "new").colors == network_classifier.colors


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colors": ["#000000"]}, r"classifier\.json is damaged: zip"),
        ({"colors": 3}, r"classifier\.json is damaged"),
        ({"classes": None}, r"classifier\.json is damaged: 'classes' is missing"),
        ({"version": -1}, r"classifier\.json is damaged: its version is -1"),
        ({"version": True}, r"classifier\.json is damaged: its version is True"),
    ],
)
def test_a_damaged_older_card_is_named(version_0, changes, message):
    path = version_0 / "classifier.json"
    card = {name: value for name, value in (json.loads(path.read_text()) | changes).items() if value is not None}
    path.write_text(json.dumps(card))
    with pytest.raises(ClassifierError, match=message):
        Classifier.load(version_0)


def test_there_is_a_step_from_each_older_version():
    assert sorted(MIGRATIONS) == list(range(VERSION))
