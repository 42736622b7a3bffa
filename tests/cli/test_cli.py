"""The command line does on a folder what the studio does by hand."""

import csv
import inspect
import io
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import tifffile
from PIL import Image

import histowidgets as hw
from histowidgets.cli import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, EXIT_REFUSED, build_parser, main
from histowidgets.cli._inputs import choice_of
from tests.prediction.models import brightness_classifier

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
    assert main([*command, settings_file(epochs=1, steps_per_epoch=1), "--force"]) == EXIT_INTERRUPTED
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
def test_an_interrupt_keeps_the_best_weights(project_folder, settings_file, tmp_path, sent, quick_python):
    out = tmp_path / "classifier"
    settings = settings_file(epochs=5000, early_stopping_metric="none")
    words = ["train", str(project_folder), "--settings", settings, "-o", str(out)]
    command = [*quick_python, "-m", "histowidgets", *words]
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
def test_a_killed_run_goes_on(project_folder, settings_file, tmp_path, capsys, quick_python):
    settings = settings_file(epochs=3, early_stopping_metric="none")
    code = (
        "import os, sys\nfrom histowidgets.training.loop import Trainer\nfrom histowidgets.cli import main\n"
        "train = Trainer._train\n"
        "Trainer._train = lambda self, epoch: os._exit(9) if epoch == 3 else train(self, epoch)\n"
        "main(sys.argv[1:])"
    )
    command = ["train", str(project_folder), "--settings", settings]
    assert subprocess.run([*quick_python, "-c", code, *command], stderr=subprocess.DEVNULL).returncode == 9
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
    wrong = [*command, "--format", "csv", "--split", "distance", "--split-depth-um", "0"]
    assert main(wrong) == EXIT_REFUSED
    assert "split_depth_um is 0.0; expected a number above 0" in capsys.readouterr().err
    split = [*command, "--format", "csv", "--split", "probability", "--split-depth-um", "1", "--min-area-um2", "5"]
    assert main([*split, "--split-classes", "Bright"]) == EXIT_OK
    options = {"split": "probability", "split_depth_um": 1, "split_classes": ["Bright"]}
    expected = hw.Classifier.load(saved / "classifier").predict(saved / "noise.png").objects(5, **options)
    with (tmp_path / "noise.csv").open(newline="", encoding="utf-8") as file:
        assert [float(row["Circularity"]) for row in csv.DictReader(file)] == [one.circularity for one in expected]


@pytest.mark.parametrize("command", [[], ["train"], ["predict"], ["cross-validate"], ["audit"]])
def test_help_tells_the_exit_codes_and_explains_each_argument(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == EXIT_OK
    assert "130 interrupted" in " ".join(capsys.readouterr().out.split())


def test_bars_show_epochs_steps_losses_and_the_time_left():
    from histowidgets.cli._log import Log
    from histowidgets.cli._progress import RunProgress
    from histowidgets.training import BatchEnded, EpochEnded

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    bars = RunProgress(2, Log(), terminal)
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
    from histowidgets.prediction.results import ObjectOptions

    with pytest.raises(SystemExit):
        main(["predict", "--help"])
    listed = capsys.readouterr().out
    objects = [field.name for field in fields(ObjectOptions)]
    assert set(inspect.signature(Prediction.objects).parameters) == {"self", *objects, "image", "should_stop"}
    for name in [*(field.name for field in fields(PredictOptions)), *objects]:
        assert f"--{name.replace('_', '-')}" in listed


def test_the_version_is_told_and_the_package_is_a_command(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == EXIT_OK
    assert capsys.readouterr().out == f"histowidgets {hw.__version__}\n"
    done = subprocess.run([sys.executable, "-m", "histowidgets.cli", "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"histowidgets {hw.__version__}\n")


@pytest.mark.parametrize("command", [["info", "{folder}"], ["info", "{folder}", "--json"], ["presets"]])
def test_a_reader_that_has_enough_ends_the_command_without_a_traceback(command, project_folder):
    given = [one.format(folder=project_folder) for one in command]
    read, write = os.pipe()
    os.close(read)
    run = [sys.executable, "-m", "histowidgets.cli", *given]
    done = subprocess.run(run, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (EXIT_FAILED, "")


@pytest.mark.parametrize("command", ["train", "cross-validate", "predict"])
def test_a_wrong_folder_is_refused_before_anything_is_loaded(tmp_path, command):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / ("classifier.json" if command == "predict" else "project.json")).write_text("{}")
    (tmp_path / "file").write_text("x")
    more = ["x.png", "-o", str(tmp_path / "out")] if command == "predict" else []
    code = (
        "import sys; from histowidgets.cli import main; code = main(sys.argv[1:]); "
        "print([one for one in ('torch', 'numpy', 'pydantic') if one in sys.modules]); sys.exit(code)"
    )
    for name, said in (
        ("nothing", "There is no folder"),
        ("file", "is a file"),
        ("", "There is one in its subfolder inner"),
    ):
        given = [command, str(tmp_path / name), *more]
        done = subprocess.run([sys.executable, "-c", code, *given], capture_output=True, text=True)
        assert done.returncode == EXIT_REFUSED
        assert said in done.stderr
        assert done.stdout.strip() == "[]"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["epochs=3"], {"epochs": 3}),
        (["learning_rate=0.001", "learning-rate=2e-3"], {"learning_rate": 0.002}),
        (["channels=DAPI, CD8"], {"channels": ("DAPI", "CD8")}),
        (["channels=DAPI"], {"channels": ("DAPI",)}),
        (["freeze=stem,block1"], {"freeze": ("stem", "block1")}),
        (["freeze=none"], {"freeze": "none"}),
        (["max_seconds="], {"max_seconds": None}),
        (["pixel_size_um=0.5"], {"pixel_size_um": 0.5}),
        (["augmentation=false"], {"augmentation": False}),
        (['class_weights={"Dark": 2}'], {"class_weights": {"Dark": 2.0}}),
        (["backbone=resnet18"], {"backbone": "resnet18"}),
    ],
)
def test_single_settings_are_set_by_name(given, expected):
    from histowidgets.cli import build_parser
    from histowidgets.cli._settings import read_settings, settings_are_given

    arguments = build_parser("train").parse_args(["train", "p", *(part for one in given for part in ("--set", one))])
    settings = read_settings(arguments)
    assert {name: getattr(settings, name) for name in expected} == expected
    assert settings_are_given(arguments)


def test_what_is_set_wins_and_what_cannot_be_set_is_named(project_folder, settings_file, capsys):
    from histowidgets.cli import build_parser
    from histowidgets.cli._settings import read_settings

    given = ["train", "p", "--settings", settings_file(epochs=7), "--epochs", "5", "--set", "epochs=3", "--seed", "9"]
    settings = read_settings(build_parser("train").parse_args(given))
    assert (settings.epochs, settings.seed, settings.tile_size) == (3, 9, 64)
    train = ["train", str(project_folder)]
    for given, said in [
        (["--set", "epoch=3"], "did you mean 'epochs'"),
        (["--set", "epochs"], "expected NAME=VALUE"),
        (["--set", "epochs=many"], "epochs"),
        (["--settings", "missing.json"], "The settings file missing.json cannot be read: No such file or directory."),
        (["--settings", str(project_folder)], "cannot be read"),
    ]:
        assert main([*train, *given]) == EXIT_REFUSED
        error = capsys.readouterr().err
        assert said in error
        assert "Errno" not in error


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["train", "--epoch", "3"], "there is no option --epoch; did you mean --epochs?"),
        (["train", "p", "--settin=x"], "there is no option --settin; did you mean --settings?"),
        (["cross-validate", "p", "--resume"], "there is no option --resume"),
        (["predict", "c", "x.png", "--min-area"], "there is no option --min-area; did you mean --min-area-um2?"),
    ],
)
def test_an_option_that_does_not_exist_is_named(given, said, capsys, monkeypatch):
    monkeypatch.setattr("histowidgets.cli._main._refuse_wrong_folder", lambda given: None)
    with pytest.raises(SystemExit) as ended:
        main(given)
    assert ended.value.code == EXIT_REFUSED
    assert said in capsys.readouterr().err


def test_images_come_from_folders_patterns_and_lists(tmp_path, monkeypatch):
    from histowidgets.cli._inputs import images_of
    from histowidgets.errors import PredictionError

    monkeypatch.chdir(tmp_path)
    for name in ("b.png", "a.TIF", "notes.txt", ".hidden.png", "deep/er/c.svs"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "z.zarr").mkdir()
    (tmp_path / "z.zarr" / "zarr.json").write_text("{}")
    (tmp_path / "list.txt").write_text("# slides\nb.png\n\ndeep/**/*.svs\n")
    (tmp_path / "[x].png").write_bytes(b"x")
    assert images_of(["."]) == ["[x].png", "a.TIF", "b.png", "z.zarr"]
    assert images_of(["*.png"]) == ["[x].png", "b.png"]
    assert images_of(["**/*.svs"]) == ["deep/er/c.svs"]
    assert images_of(["z.zarr", "b.png", "*.png"]) == ["z.zarr", "b.png", "[x].png"]
    assert images_of(["[x].png"]) == ["[x].png"]
    assert images_of([], [tmp_path / "list.txt"]) == ["b.png", "deep/er/c.svs"]
    assert images_of(["missing.png"]) == ["missing.png"]
    assert images_of(["https://example.org/x.zarr"]) == ["https://example.org/x.zarr"]
    for given, listed, said in [
        ([], [], "No image was given"),
        (["*.ndpi"], [], "No file matches"),
        (["deep"], [], "holds no image"),
        ([], [tmp_path / "none.txt"], "cannot be read"),
    ]:
        with pytest.raises(PredictionError, match=said.replace("*", ".")):
            images_of(given, listed)


def test_predict_takes_a_folder_and_overwrites_nothing_unless_forced(saved, tmp_path, capsys):
    (tmp_path / "images").mkdir()
    for name in ("noise.png", "dark.png"):
        (tmp_path / "images" / name).write_bytes((saved / name).read_bytes())
    command = ["predict", str(saved / "classifier"), str(tmp_path / "images"), "-o", str(tmp_path / "out")]
    assert main(command) == EXIT_OK
    assert "2 done" in capsys.readouterr().out
    before = (tmp_path / "out" / "noise.png").read_bytes()
    assert main([*command, "--tta"]) == EXIT_FAILED
    assert "with another classifier or other options" in capsys.readouterr().err
    assert (tmp_path / "out" / "noise.png").read_bytes() == before
    assert main([*command, "--tta", "--force"]) == EXIT_OK
    assert "2 done" in capsys.readouterr().out


def test_results_beside_the_images_are_no_images_of_the_next_call(saved, tmp_path, capsys):
    content = (saved / "noise.png").read_bytes()
    (tmp_path / "noise.png").write_bytes(content)
    for given in (tmp_path, tmp_path / "*.png", tmp_path / "**" / "*.png"):
        assert main(["predict", str(saved / "classifier"), str(given), "-o", str(tmp_path)]) == EXIT_OK
        said = capsys.readouterr().out
        assert ("1 done;" in said) if given == tmp_path else ("1 already there;" in said)
        assert "1 done, 1" not in said
    assert len(list(tmp_path.glob("*.png"))) == 2
    assert (tmp_path / "noise.png").read_bytes() == content


def test_what_is_there_is_not_overwritten_by_training(project_folder, settings_file, tmp_path, capsys):
    (tmp_path / "scores.json").write_text("mine")
    (tmp_path / "classifier").mkdir()
    common = [str(project_folder), "--settings", settings_file()]
    assert main(["train", *common, "-o", str(tmp_path / "classifier")]) == EXIT_REFUSED
    assert "already exists" in capsys.readouterr().err
    assert main(["cross-validate", *common, "-o", str(tmp_path / "scores.json")]) == EXIT_REFUSED
    assert "--force" in capsys.readouterr().err
    assert (tmp_path / "scores.json").read_text() == "mine"


def test_a_dry_run_says_what_it_would_take_and_trains_nothing(project_folder, settings_file, capsys):
    assert main(["train", str(project_folder), "--settings", settings_file(), "--dry-run"]) == EXIT_OK
    assert "2 epochs of 4 steps" in capsys.readouterr().out
    assert not (project_folder / "runs").exists()


def test_info_says_what_something_is(project_folder, saved, capsys):
    for path, what in [
        (project_folder, "project"),
        (saved / "classifier", "classifier"),
        (saved / "dark.png", "image"),
    ]:
        assert main(["info", str(path), "--json"]) == EXIT_OK
        (line,) = capsys.readouterr().out.splitlines()
        found = json.loads(line)
        assert found["what"] == what
        assert main(["info", str(path)]) == EXIT_OK
        assert f"what: {what}" in capsys.readouterr().out
    assert found["size (px)"] == [128, 96]
    assert main(["info", str(saved / "nothing.png")]) == EXIT_REFUSED


def test_presets_are_listed_and_printed_as_a_settings_file(tmp_path, capsys):
    assert main(["presets"]) == EXIT_OK
    assert "workshop: tile_size=160" in capsys.readouterr().out
    assert main(["presets", "workshop"]) == EXIT_OK
    assert hw.TrainingSettings.from_json(capsys.readouterr().out) == hw.TrainingSettings.preset("workshop")
    assert main(["presets", "workshp"]) == EXIT_REFUSED


def test_export_refuses_what_is_there_and_what_is_no_classifier(saved, tmp_path, capsys):
    (tmp_path / "model.onnx").write_text("mine")
    command = ["export", str(saved / "classifier"), "-o", str(tmp_path / "model.onnx")]
    assert main(command) == EXIT_REFUSED
    assert (tmp_path / "model.onnx").read_text() == "mine"
    assert main(["export", str(tmp_path), "-o", str(tmp_path / "x.onnx")]) == EXIT_REFUSED
    assert "holds no classifier" in capsys.readouterr().err


def test_an_image_and_a_plane_of_a_file_are_chosen(saved, tmp_path, capsys):
    path, noise = tmp_path / "two.ome.tif", np.asarray(Image.open(saved / "noise.png"))
    with tifffile.TiffWriter(path, ome=True) as file:
        for pixels in (np.zeros((200, 200, 3), np.uint8), noise):
            file.write(pixels, photometric="rgb", metadata={"axes": "YXS"})
    assert main(["info", str(path), "--series", "1", "--json"]) == EXIT_OK
    assert json.loads(capsys.readouterr().out)["size (px)"] == [128, 96]
    command = ["predict", str(saved / "classifier"), str(path), "-o", str(tmp_path / "out")]
    assert main([*command, "--series", "1"]) == EXIT_OK
    labels = np.asarray(Image.open(tmp_path / "out" / "two.png"))
    np.testing.assert_array_equal(labels, hw.Classifier.load(saved / "classifier").predict(noise).labels)
    assert main([*command, "--series", "2"]) == EXIT_FAILED
    capsys.readouterr()


@pytest.mark.parametrize(("given", "value"), [("0,0", 0), ("1,2", 5), (",2", 4), ("1,", 1)])
def test_a_plane_is_given_by_depth_and_time(given, value, tmp_path, capsys):
    stack = tmp_path / "stack.ome.tif"
    values = np.arange(6, dtype=np.uint8).reshape(3, 2, 1, 1)
    planes = np.broadcast_to(values, (3, 2, 64, 64))
    tifffile.imwrite(stack, planes, ome=True, photometric="minisblack", metadata={"axes": "TZYX"})
    arguments = build_parser().parse_args(["info", str(stack), "--plane", given])
    assert hw.open_image(stack, **choice_of(arguments)).read(0, 0, 1, 1).item() == value


def test_a_word_is_no_plane(capsys):
    with pytest.raises(SystemExit):
        main(["info", "stack.tif", "--plane", "x"])
    assert "'x' is no plane" in capsys.readouterr().err


def test_the_pixel_size_of_images_without_one_is_given(saved, tmp_path, capsys):
    command = ["predict", str(saved / "classifier"), str(saved / "noise.png"), "-o", str(tmp_path / "out")]
    assert main(command) == EXIT_OK
    assert "(um2)" not in (tmp_path / "out" / "measurements.csv").read_text()
    assert main([*command, "--pixel-size-um", "0.5"]) == EXIT_FAILED, "nothing is overwritten"
    capsys.readouterr()
    assert main([*command, "--pixel-size-um", "0.5", "--force"]) == EXIT_OK
    assert "1 done" in capsys.readouterr().out
    (row,) = csv.DictReader((tmp_path / "out" / "measurements.csv").read_text().splitlines())
    assert sum(float(value) for name, value in row.items() if "(um2)" in name) == 96 * 128 * 0.25


def test_with_json_each_line_of_training_is_an_object(project_folder, settings_file, tmp_path, capsys):
    arguments = ["train", str(project_folder), "--settings", settings_file(), "--output", str(tmp_path / "c"), "--json"]
    assert main(arguments) == EXIT_OK
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    events = [line["event"] for line in lines]
    assert events.count("started") == 1
    assert events.count("epoch") == 2
    assert events[-1] == "result"
    epoch = next(line for line in lines if line["event"] == "epoch")
    assert (epoch["epoch"], epoch["steps"]) == (1, 4)
    assert epoch["train_loss"] > 0
    assert lines[-1]["classifier"] == str(tmp_path / "c")
    assert lines[-1]["state"] == "finished"
    assert main(arguments) == EXIT_REFUSED
    (refused,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert refused["event"] == "error"
    assert "--force" in refused["text"]


def test_quiet_says_only_the_result_and_verbose_says_each_step(project_folder, settings_file, tmp_path, capsys):
    common = ["train", str(project_folder), "--settings", settings_file(epochs=1)]
    assert main([*common, "--output", str(tmp_path / "q"), "-q"]) == EXIT_OK
    said = capsys.readouterr()
    assert said.out.startswith(f"saved {tmp_path / 'q'}")
    assert all(line.startswith("warning: ") for line in said.err.splitlines())
    assert main([*common, "--output", str(tmp_path / "v"), "--verbose"]) == EXIT_OK
    said = capsys.readouterr()
    assert [f"epoch 1, step {step}/4: loss" in said.err for step in range(1, 5)] == [True] * 4
    with pytest.raises(SystemExit):
        main([*common, "-q", "-v"])
    assert "not allowed with" in capsys.readouterr().err


def test_predict_says_images_as_lines_and_python_warnings_without_their_code(saved, tmp_path, capsys):
    classifier, images = str(saved / "classifier"), [str(saved / "noise.png"), str(saved / "dark.png")]
    arguments = ["predict", classifier, *images, "--output", str(tmp_path / "out"), "--json"]
    assert main(arguments) == EXIT_OK
    said = capsys.readouterr()
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert [line["done"] for line in lines if line["event"] == "progress"][-1] == 2
    assert [image["state"] for image in lines[-1]["images"]] == ["done", "done"]
    assert [line["source"] for line in lines if line["event"] == "warning"] == [images[1]]
    assert said.err == ""
    arguments = ["predict", classifier, str(tmp_path / "none.png"), "--output", str(tmp_path / "out"), "--verbose"]
    assert main(arguments) == EXIT_FAILED
    assert "none.png" in capsys.readouterr().err


# --- audit ---


@pytest.fixture
def halves(project_folder, tmp_path):
    """What a person sees on the image of a project, and its prediction, which finds too much bright area."""
    image = hw.open_image(tmp_path / "halves.png")
    truth = np.zeros((96, 128), np.uint8)
    truth[:, 90:] = 1
    path = tmp_path / "halves.zarr"
    brightness_classifier(image).predict_to(image, path)
    return truth, path


def test_points_are_drawn_listed_judged_and_counted(project_folder, halves, tmp_path, capsys):
    truth, path = halves
    table, out = tmp_path / "points.csv", tmp_path / "numbers.csv"
    command = ["audit", str(project_folder)]
    assert main([*command, "--prediction", str(path), "--points", "60", "--list", str(table)]) == EXIT_OK
    assert capsys.readouterr().out.startswith("0 of 60 points judged.")
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows[:-1]:
        row["class"] = ["Dark", "Bright"][truth[int(row["y"]), int(row["x"])]]
    rows[-1]["class"] = "?"
    filled = tmp_path / "filled.csv"
    with filled.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert main([*command, "--judgements", str(filled), "--json", "--output", str(out)]) == EXIT_OK
    found = json.loads(capsys.readouterr().out)
    assert (found["points"], found["judged"], found["cannot_tell"]) == (60, 59, 1)
    share = found["classes"]["Dark"]["share"]
    assert share["low"] < 90 / 128 < share["high"]
    assert found["classes"]["Dark"]["pixel_share"] == pytest.approx(0.5, abs=0.03)
    with out.open(newline="", encoding="utf-8") as file:
        numbers = {(row["class"], row["measure"]): row for row in csv.DictReader(file)}
    assert float(numbers["Dark", "share"]["value"]) == share["value"]
    assert float(numbers["", "accuracy"]["value"]) == found["accuracy"]["value"]
    assert main(command) == EXIT_OK
    assert "; the pixel count alone says 5" in capsys.readouterr().out
    assert main([*command, "--output", str(out)]) == EXIT_REFUSED
    assert "already exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "There is no prediction to audit"),
        (["--classifier", "no_such"], "There is no folder no_such"),
        (["--prediction", "PATH", "--points", "5"], "n is 5; expected a whole number from 10"),
        (["--prediction", "PATH", "--image", "other"], "no image named 'other'"),
        (["--prediction", "PATH", "--image", "halves", "--role", "both"], "either --image or --role"),
        (["--role", "both"], "need --classifier or --prediction"),
        (["--prediction", "PATH", "--output", "a.txt"], "ends neither in .json nor in .csv"),
        (["--prediction", "PATH", "--judgements", "none.csv"], "none.csv cannot be read"),
    ],
)
def test_an_audit_that_cannot_be_drawn_is_refused(project_folder, halves, options, words, capsys):
    given = [str(halves[1]) if option == "PATH" else option for option in options]
    assert main(["audit", str(project_folder), *given]) == EXIT_REFUSED
    assert words in capsys.readouterr().err
