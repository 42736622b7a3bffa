"""A run that cannot be written warns once and continues."""

import csv
import json
from contextlib import closing

import pytest

from histowidgets.models import NetworkSpec, build_network
from histowidgets.training.data import make_request
from histowidgets.training.loop import fitted_normalization
from histowidgets.training.storage import BestWeights, RunWriter, read_run
from tests.training.helpers import painted, quick
from tests.training.storage.test_run_reader import RECORD


@pytest.fixture
def writer_of():
    """Return what makes a writer for a project, and the warnings that it has emitted."""

    def make(project):
        request, emitted = make_request(project, quick()), []
        network = build_network(NetworkSpec(decoder_channels=(8, 8, 8, 8), output_stride=2), pretrained=False, seed=0)
        formats = {"precision": "fp32", "memory_format": "contiguous"}
        writer = RunWriter(request, fitted_normalization(request), network, formats, emitted.append)
        return writer, request.folder, network, emitted

    return make


def test_what_is_written_is_read_back(writer_of, tmp_path):
    with closing(painted(folder=tmp_path / "project")) as project:
        writer, folder, network, emitted = writer_of(project)
        assert read_run(folder).state == "running"
        kept = BestWeights(network, RECORD, [[3, 1], [0, 2]])
        writer.write_history([RECORD])
        writer.write_best(kept)
        writer.close([RECORD], kept)
    run = read_run(folder)
    assert (run.state, run.history, run.best, run.confusion) == ("ended", [RECORD], RECORD, [[3, 1], [0, 2]])
    assert json.loads((folder / "run.json").read_text())["arithmetic"] == {
        "precision": "fp32",
        "memory_format": "contiguous",
    }
    with (folder / "history.csv").open() as file:
        assert next(csv.DictReader(file))["iou_Dark"] == "0.6"
    assert sorted(path.name for path in folder.iterdir()) == [
        "checkpoint.safetensors",
        "history.csv",
        "labels.json",
        "run.json",
        "settings.json",
    ]
    assert emitted == []


def test_a_folder_that_cannot_be_written_warns_once_with_what_to_do(writer_of, tmp_path):
    with closing(painted(folder=tmp_path / "project")) as project:
        (tmp_path / "project" / "runs").write_text("a file where a folder is needed")
        writer, _, network, emitted = writer_of(project)
        writer.write_history([RECORD])
        writer.close([RECORD], BestWeights(network, RECORD))
    (warning,) = emitted
    assert warning.level == "warning"
    assert "no longer written to disk" in warning.text
    assert "Free some space, and save the classifier" in warning.text
