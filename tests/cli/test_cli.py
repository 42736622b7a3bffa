"""The command line does on a folder what the studio does by hand."""

import inspect
import io
import json
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import histowidgets as hw
from histowidgets.cli import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, EXIT_REFUSED, main

TINY = {
    "tile_size": 64,
    "downsample": 1,
    "batch_size": 2,
    "epochs": 2,
    "max_seconds": None,
    "steps_per_epoch": 4,
    "precision": "fp32",
    "memory_format": "contiguous",
}


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


@pytest.fixture
def settings_file(tmp_path):
    def write(**changes):
        path = tmp_path / "settings.json"
        path.write_text(json.dumps(TINY | changes))
        return str(path)

    return write


@pytest.mark.slow
def test_train_then_predict(project_folder, settings_file, tmp_path, capsys):
    out = tmp_path / "classifier"
    boards = tmp_path / "boards"
    command = ["train", str(project_folder), "--settings", settings_file(), "--output", str(out)]
    assert main([*command, "--tensorboard", str(boards)]) == EXIT_OK
    said = capsys.readouterr()
    assert f"saved {out}" in said.out
    assert "epoch 2/2: loss" in said.err
    assert "mIoU" in said.err
    assert json.loads((out / "classifier.json").read_text())["classes"]
    assert list(boards.glob("*/events.out.tfevents.*"))
    bad = tmp_path / "bad.png"
    bad.write_text("no image")
    code = main(["predict", str(out), str(bad), str(tmp_path / "halves.png"), "--out", str(tmp_path / "results")])
    assert code == EXIT_FAILED, "the bad image is reported"
    assert "bad.png" in capsys.readouterr().err
    labels = np.asarray(Image.open(tmp_path / "results" / "halves.png"))
    assert labels.shape == (96, 128), "the good image is predicted all the same"


def test_settings_change_a_preset_and_the_classifier_goes_into_the_project(project_folder, settings_file, capsys):
    assert (
        main(["train", str(project_folder), "--preset", "workshop", "--settings", settings_file(epochs=1)]) == EXIT_OK
    )
    (made,) = (project_folder / "classifiers").iterdir()
    settings = json.loads((made / "classifier.json").read_text())["settings"]
    assert settings["consistency"] == 0, "from the preset"
    assert settings["epochs"] == 1, "from the file"


def test_a_run_that_fails_is_another_exit_code(project_folder, settings_file, capsys):
    # One step at the highest rate there is, without clipping, and the loss is no number any more.
    wild = settings_file(learning_rate=1.0, gradient_clip=0, scheduler="none", steps_per_epoch=50, freeze="none")
    from histowidgets.training.loop import _trainer as _loop

    step = _loop.Trainer.take_step
    try:
        _loop.Trainer.take_step = lambda self, scores: step(self, scores) + float("nan")
        assert main(["train", str(project_folder), "--settings", wild]) == EXIT_FAILED
    finally:
        _loop.Trainer.take_step = step
    assert "the training failed: The loss became nan" in capsys.readouterr().err


def test_r64_cross_validation_writes_its_scores_and_an_interrupt_keeps_what_is_finished(
    project_folder, settings_file, tmp_path, capsys, monkeypatch
):
    scores = tmp_path / "scores.json"
    command = ["cross-validate", str(project_folder), "--folds", "2", "--output", str(scores), "--settings"]
    assert main([*command, settings_file(epochs=1, steps_per_epoch=1)]) == EXIT_OK
    assert "2 of 2 folds" in capsys.readouterr().out
    written = json.loads(scores.read_text())
    assert [fold["epoch"] for fold in written["folds"]] == [1, 1]
    assert set(written["iou"]) == {"Dark", "Bright"}
    assert written["miou"]["sd"] >= 0
    from histowidgets.training.evaluation import _cross_validation

    def interrupted(request, number, *others, real=_cross_validation._train_fold):
        if number == 2:
            raise KeyboardInterrupt
        return real(request, number, *others)

    monkeypatch.setattr(_cross_validation, "_train_fold", interrupted)
    assert main([*command, settings_file(epochs=1, steps_per_epoch=1)]) == EXIT_INTERRUPTED
    assert "1 of 2 folds" in capsys.readouterr().out
    assert json.loads(scores.read_text())["miou"]["sd"] is None


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ("[1]", "must be a JSON object of image names and groups"),
        ("{", "not JSON"),
        ('{"x": "p"}', "names 'x', which is not an image"),
    ],
)
def test_r64_groups_of_a_file_are_checked(project_folder, settings_file, tmp_path, capsys, groups, message):
    (tmp_path / "groups.json").write_text(groups)
    command = ["cross-validate", str(project_folder), "--settings", settings_file(), "--groups"]
    assert main([*command, str(tmp_path / "groups.json")]) == EXIT_REFUSED
    assert message in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_keeps_the_best_weights(project_folder, settings_file, tmp_path, sent):
    out = tmp_path / "classifier"
    settings = settings_file(epochs=5000, early_stopping_metric="none")
    command = [
        sys.executable,
        "-m",
        "histowidgets",
        "train",
        str(project_folder),
        "--settings",
        settings,
        "-o",
        str(out),
    ]
    # Where the tests run in the background of a shell, SIGINT is ignored, and children inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        # The best of the first epoch is kept before its line is written.
        assert any(line.startswith("epoch 1/5000") for line in process.stderr)
        process.send_signal(sent)
        stdout, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == EXIT_INTERRUPTED
    assert "saved" in stdout
    assert hw.Classifier.load(out).classes == ["Dark", "Bright"]


@pytest.mark.slow
def test_a_killed_run_goes_on(project_folder, settings_file, tmp_path, capsys):
    settings = settings_file(epochs=3, early_stopping_metric="none")
    code = (
        "import os, sys\nfrom histowidgets.training.loop import Trainer\nfrom histowidgets.cli import main\n"
        "train = Trainer._train\n"
        "Trainer._train = lambda self, epoch: os._exit(9) if epoch == 3 else train(self, epoch)\n"
        "main(sys.argv[1:])"
    )
    command = ["train", str(project_folder), "--settings", settings]
    assert subprocess.run([sys.executable, "-c", code, *command], stderr=subprocess.DEVNULL).returncode == 9
    assert main([*command, "--resume", "-o", str(tmp_path / "c")]) == EXIT_OK
    said = capsys.readouterr().err
    assert "resuming: Run" in said
    assert "epoch 3/3" in said
    assert len(list((project_folder / "runs").iterdir())) == 1


def test_what_is_refused_is_a_line_and_an_exit_code(tmp_path, capsys):
    assert main(["train", str(tmp_path / "nothing"), "--output", str(tmp_path / "out")]) == EXIT_REFUSED
    assert "nothing" in capsys.readouterr().err
    (tmp_path / "settings.json").write_text('{"epoch": 3}')
    hw.Project(["A"], folder=tmp_path / "p").close()
    with_settings = ["train", str(tmp_path / "p"), "--settings", str(tmp_path / "settings.json")]
    assert main(with_settings) == EXIT_REFUSED
    said = capsys.readouterr().err
    assert "did you mean 'epochs'" in said
    assert "settings.json" in said
    assert main(["train", str(tmp_path / "p"), "--preset", "gpu"]) == EXIT_REFUSED
    assert "first-run" in capsys.readouterr().err
    assert main(["train", str(tmp_path / "p")]) == EXIT_REFUSED
    assert "Nothing is painted yet" in capsys.readouterr().err
    assert main(["cross-validate", str(tmp_path / "p"), "--folds", "1"]) == EXIT_REFUSED
    assert main(["predict", str(tmp_path / "p"), "x.png", "-o", str(tmp_path / "o")]) == EXIT_REFUSED


@pytest.mark.parametrize("arguments", [[], ["train"], ["paint"], ["train", "p", "--epochs", "many"]])
def test_bad_arguments_are_refused_by_the_parser(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == EXIT_REFUSED
    assert "usage: histowidgets" in capsys.readouterr().err


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A saved network, and an image."""
    from histowidgets.models import NetworkSpec, build_network
    from histowidgets.prediction import Classifier, ClassifierSpec, NetworkModel

    folder = tmp_path_factory.mktemp("saved")
    pixels = np.random.default_rng(0).integers(0, 256, (96, 128, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(folder / "noise.png")
    Image.fromarray(pixels // 9).save(folder / "dark.png")
    spec = NetworkSpec(n_classes=2, decoder_channels=(8, 8, 8, 8), output_stride=2)
    Classifier(
        ClassifierSpec(
            NetworkModel(build_network(spec, pretrained=False, seed=0)),
            classes=["Dark", "Bright"],
            colors=["#d55e00", "#0072b2"],
            channel_names=["Red", "Green", "Blue"],
            normalization=hw.Normalization().fitted([hw.open_image(pixels)]),
        )
    ).save(folder / "classifier")
    return folder


def test_predict_takes_the_options_that_python_has(saved, tmp_path, capsys):
    command = ["predict", str(saved / "classifier"), str(saved / "noise.png"), str(saved / "dark.png")]
    command += ["--out", str(tmp_path), "--format", "zarr", "--region", "8", "16", "64", "48", "--tta", "--grids", "2"]
    command += ["--overlap", "0.25", "--blend", "linear", "--blur-px", "2", "--probabilities", "--background", "Dark"]
    assert main(command) == EXIT_OK
    said = capsys.readouterr()
    assert "2 done" in said.out
    assert "warning: " in said.err, "row N9"
    assert "Image dark differs" in said.err
    stored = hw.open_prediction(tmp_path / "noise.zarr")
    options = {"tta": True, "grids": 2, "overlap": 0.25, "blend": "linear", "blur_px": 2.0}
    expected = hw.Classifier.load(saved / "classifier").predict(saved / "noise.png", (8, 16, 64, 48), **options)
    np.testing.assert_array_equal(stored.read_labels(), expected.labels)
    assert stored.has_probabilities
    assert "Bright (% of tissue)" in (tmp_path / "measurements.csv").read_text()
    assert main(command) == EXIT_OK
    assert "2 already there" in capsys.readouterr().out


def test_predict_refuses_what_does_not_exist(saved, tmp_path, capsys):
    command = ["predict", str(saved / "classifier"), str(saved / "noise.png"), "--out", str(tmp_path)]
    assert main([*command, "--overlap", "2"]) == EXIT_REFUSED
    assert "overlap is 2.0" in capsys.readouterr().err
    assert main([*command, "--format", "geojson", "--min-area-um2", "1e9"]) == EXIT_OK
    assert json.loads((tmp_path / "noise.geojson").read_text())["features"] == []


@pytest.mark.parametrize("command", [[], ["train"], ["predict"], ["cross-validate"]])
def test_help_tells_the_exit_codes_and_explains_each_argument(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == EXIT_OK
    assert "130 interrupted" in " ".join(capsys.readouterr().out.split())


def test_bars_show_epochs_steps_losses_and_the_time_left():
    from histowidgets.cli._progress import ProgressBars
    from histowidgets.training import BatchEnded, EpochEnded

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    bars = ProgressBars(2, terminal)
    bars.show(BatchEnded(1, 1, 4, 0.75, 1e-3, 75.0))
    record = {"epoch": 1, "train_loss": 0.5, "val_loss": 0.25, "val_miou": 0.8, "seconds": 3.0}
    bars.show(EpochEnded(record, True))
    bars.close()
    written = terminal.getvalue()
    assert "1/2" in written
    assert "loss 0.500, validation 0.250, mIoU 0.800, best" in written
    assert "loss 0.750, 1:15 left" in written


def test_the_options_of_predict_have_the_names_of_python(capsys):
    from dataclasses import fields

    from histowidgets.prediction import Prediction, PredictOptions

    with pytest.raises(SystemExit):
        main(["predict", "--help"])
    listed = capsys.readouterr().out
    objects = inspect.signature(Prediction.objects).parameters
    for name in [*(field.name for field in fields(PredictOptions)), *list(objects)[1:]]:
        assert f"--{name.replace('_', '-')}" in listed
