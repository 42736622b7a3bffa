"""The command line does on a folder what the studio does by hand."""

import json

import numpy as np
import pytest
from PIL import Image

import histowidgets as hw
from histowidgets.cli import EXIT_OK, EXIT_REFUSED, main


@pytest.fixture
def project_folder(tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 60, (96, 128, 3)).astype(np.uint8)
    pixels[:, 64:] += 150
    project = hw.Project(["Dark", "Bright"], folder=tmp_path / "project")
    name = project.add_image(pixels, name="halves")
    for y in range(10, 90, 16):
        project.annotate(name, hw.Stroke([(8, y), (50, y)], width=6), "Dark")
        project.annotate(name, hw.Stroke([(76, y), (120, y)], width=6), "Bright")
    project.close()
    Image.fromarray(pixels).save(tmp_path / "halves.png")
    return tmp_path / "project"


@pytest.mark.slow
def test_train_then_predict(project_folder, tmp_path, capsys):
    settings = hw.TrainingSettings(
        tile_size=64, downsample=1, batch_size=2, epochs=2, max_seconds=None, steps_per_epoch=4
    )
    (tmp_path / "settings.json").write_text(settings.to_json())
    out = tmp_path / "classifier"
    assert (
        main(["train", str(project_folder), "--settings", str(tmp_path / "settings.json"), "--out", str(out)])
        == EXIT_OK
    )
    assert json.loads((out / "classifier.json").read_text())["classes"]
    bad = tmp_path / "bad.png"
    bad.write_text("no image")
    code = main(["predict", str(out), str(bad), str(tmp_path / "halves.png"), "--out", str(tmp_path / "results")])
    assert code == EXIT_REFUSED, "the bad image is reported"
    assert "bad.png" in capsys.readouterr().err
    labels = np.asarray(Image.open(tmp_path / "results" / "halves.png"))
    assert labels.shape == (96, 128), "the good image is predicted all the same"


def test_what_is_refused_is_a_line_and_an_exit_code(tmp_path, capsys):
    assert main(["train", str(tmp_path / "nothing"), "--out", str(tmp_path / "out")]) == EXIT_REFUSED
    assert "nothing" in capsys.readouterr().err
    (tmp_path / "settings.json").write_text('{"epoch": 3}')
    project = hw.Project(["A"], folder=tmp_path / "p")
    project.close()
    arguments = [
        "train",
        str(tmp_path / "p"),
        "--settings",
        str(tmp_path / "settings.json"),
        "--out",
        str(tmp_path / "o"),
    ]
    assert main(arguments) == EXIT_REFUSED
    assert "did you mean 'epochs'" in capsys.readouterr().err
