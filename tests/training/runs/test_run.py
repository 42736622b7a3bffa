import csv
import json
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from histowidgets.annotations import Project, Split, Stroke
from histowidgets.errors import BackboneError, SettingsError, TrainingDataError, TrainingError
from histowidgets.images import Region, open_image
from histowidgets.training import (
    BatchEnded,
    EpochEnded,
    RunEnded,
    RunFailed,
    RunStarted,
    StateChanged,
    TrainingSettings,
    find_unfinished_run,
    start_training,
    train,
)
from histowidgets.training.data import make_request
from histowidgets.training.loop import ModelSelection
from histowidgets.training.loop import _trainer as loop_module
from tests.training.helpers import painted, quick, striped

CLASSES = ["Dark", "Bright"]


def kinds(run, kind):
    return [event for event in run.events if isinstance(event, kind)]


def warnings_of(run):
    return " ".join(message.text for message in run.messages)


def weights_of(classifier):
    return {name: value.copy() for name, value in classifier.model.tensors().items()}


def when(run, kind, number=1):
    """An event that is set when the run has told `number` things of a kind."""
    seen, lock, reached = [0], threading.Lock(), threading.Event()

    def hear(event):
        if isinstance(event, kind):
            with lock:
                seen[0] += 1
                if seen[0] >= number:
                    reached.set()

    run.subscribe(hear)
    return reached


@pytest.fixture
def endless():
    """Settings of a run that does not end by itself within a test."""
    return quick(epochs=5000, steps_per_epoch=3, early_stopping_metric="none")


@pytest.fixture(scope="module")
def learned():
    """A short but real training, and what it ended with."""
    settings = quick(epochs=6, steps_per_epoch=8, batch_size=4, learning_rate=5e-3, seed=1)
    return train(painted(), settings)


def test_training_learns_stripes(learned):
    assert learned.state == "finished"
    assert max(record["val_miou"] for record in learned.history) > 0.8
    assert learned.history[-1]["train_loss"] < learned.history[0]["train_loss"]


def test_events_tell_the_whole_story(learned):
    started = kinds(learned, RunStarted)[0]
    assert started.steps_per_epoch == learned.steps_per_epoch == 8
    assert started.n_train_tiles == learned.n_train_tiles > 0
    assert started.n_validation_tiles == learned.n_validation_tiles > 0
    assert [e.state for e in kinds(learned, StateChanged)] == ["preparing", "running", "finished"]
    assert len(kinds(learned, BatchEnded)) == 48
    assert [e.record["epoch"] for e in kinds(learned, EpochEnded)] == [1, 2, 3, 4, 5, 6]
    assert learned.events[-1] == RunEnded("finished", learned.best_epoch)
    assert all(left >= 0 for left in (e.seconds_left for e in kinds(learned, BatchEnded)))


def test_record_has_every_number(learned):
    record = learned.history[0]
    assert set(record) == {
        "epoch",
        "train_loss",
        "val_loss",
        "train_miou",
        "val_miou",
        "val_iou",
        "val_accuracy",
        "learning_rate",
        "seconds",
        "steps",
    }
    assert set(record["val_iou"]) == set(CLASSES)
    assert record["val_miou"] == pytest.approx(np.mean(list(record["val_iou"].values())))
    assert 0 < record["seconds"] < learned.history[-1]["seconds"]
    json.dumps(learned.history)


def test_n3_learning_rate_goes_one_cycle(learned):
    rates = [event.learning_rate for event in kinds(learned, BatchEnded)]
    peak = int(np.argmax(rates))
    assert rates[0] == pytest.approx(5e-3 / 25)
    assert 0.25 < peak / len(rates) < 0.35
    assert rates[-1] < 1e-4


def test_classifier_predicts_the_stripes(learned):
    image = open_image(striped(seed=99), name="unseen")
    labels = learned.classifier.predict(image).labels
    truth = np.tile(np.arange(256) // 32 % 2, (256, 1))
    assert (labels == truth).mean() > 0.85
    assert learned.classifier.classes == tuple(CLASSES) or list(learned.classifier.classes) == CLASSES
    assert learned.classifier.scores["epoch"] == learned.best_epoch
    assert learned.classifier is learned.classifier


def test_classifier_survives_its_folder(learned, tmp_path):
    from histowidgets.prediction import Classifier

    learned.classifier.save(tmp_path / "classifier")
    again = Classifier.load(tmp_path / "classifier")
    image = open_image(striped(seed=5), name="unseen")
    assert np.array_equal(again.predict(image).labels, learned.classifier.predict(image).labels)


def test_r41_b4_weights_kept_are_those_of_the_epoch_reported_as_best(monkeypatch):
    """The best epoch is made to be the second; the weights are compared with those that epoch validated."""
    validated = []
    real = loop_module.Trainer.validate

    def validate(self):
        validated.append({n: v.clone() for n, v in self.state.averaged.network.state_dict().items()})
        loss, scores = real(self)
        wanted = {2: 90, 3: 40}.get(len(validated), 20)
        scores.counts[:] = [[wanted, 100 - wanted], [100 - wanted, wanted]]
        return loss, scores

    monkeypatch.setattr(loop_module.Trainer, "validate", validate)
    run = train(painted(), quick(epochs=5))
    assert run.best_epoch == 2
    assert run.events[-1].best_epoch == 2
    assert run.classifier.scores["epoch"] == 2
    for name, value in weights_of(run.classifier).items():
        assert np.array_equal(value, validated[1][name].numpy()), name


def test_r41_stops_early_and_says_so(monkeypatch):
    real = loop_module.Trainer.validate

    def validate(self):
        _, scores = real(self)
        scores.counts[:] = [[5, 5], [5, 5]]
        return 1.0, scores

    monkeypatch.setattr(loop_module.Trainer, "validate", validate)
    run = train(painted(), quick(epochs=50, steps_per_epoch=1, early_stopping_patience=3, best_tolerance=0))
    assert len(run.history) == 4
    lowest = min(run.history, key=lambda record: record["val_loss"])
    assert run.best_epoch == lowest["epoch"], "of epochs that score the same, the one of lowest loss is kept"
    assert "Stopped early: no better epoch in the last 3" in warnings_of(run)
    assert run.state == "finished"


def test_same_seed_same_curve_and_torch_left_alone():
    before = torch.get_rng_state()
    one, two = (train(painted(), quick(seed=4)) for _ in range(2))
    other = train(painted(), quick(seed=5))
    assert torch.equal(before, torch.get_rng_state())
    losses = [[e.loss for e in kinds(run, BatchEnded)] for run in (one, two, other)]
    assert losses[0] == losses[1]
    assert losses[0] != losses[2]
    for name, value in weights_of(one.classifier).items():
        assert np.array_equal(value, two.classifier.model.tensors()[name]), name


def test_same_seed_same_curve_with_a_trained_encoder_and_its_drop_path():
    before = torch.get_rng_state()
    one, two = (train(painted(), quick(freeze="none", epochs=1)) for _ in range(2))
    assert torch.equal(before, torch.get_rng_state())
    assert one.history[0]["train_loss"] == two.history[0]["train_loss"]


def test_max_seconds_ends_the_run_and_bends_the_schedule(endless):
    run = train(painted(), endless.model_copy(update={"max_seconds": 1.5}))
    assert run.state == "finished"
    assert run.history[-1]["seconds"] < 6
    rates = [event.learning_rate for event in kinds(run, BatchEnded)]
    # With few steps in that time (a busy computer) the last one begins far from the end.
    assert max(rates) > 10 * rates[-1] or len(rates) < 30


@pytest.mark.parametrize("keep", ["best", "last", "nothing"])
def test_n7_stop_acts_within_one_batch_and_keeps_what_was_asked(endless, keep):
    run = start_training(painted(), endless)
    assert when(run, EpochEnded, 2).wait(60)
    before = len(kinds(run, BatchEnded))
    run.stop(keep)
    assert run.wait(30) == "stopped"
    assert len(kinds(run, BatchEnded)) <= before + 2
    assert [e.state for e in kinds(run, StateChanged)][-2:] == ["stopping", "stopped"]
    if keep == "nothing":
        assert run.classifier is None
        assert run.best_epoch is None
    else:
        wanted = run.history[-1]["epoch"]
        assert run.classifier.scores["epoch"] == wanted
    run.stop()
    assert run.state == "stopped"


def test_n7_stop_before_the_first_epoch_keeps_unmeasured_weights():
    run = start_training(painted(), quick(epochs=2, steps_per_epoch=10_000))
    assert when(run, BatchEnded, 2).wait(60)
    run.stop("best")
    assert run.wait(30) == "stopped"
    assert run.classifier is not None
    assert run.best_epoch is None
    assert "have not been scored" in warnings_of(run)


def test_n7_pause_holds_and_resume_goes_on(endless):
    run = start_training(painted(), endless)
    paused = threading.Event()
    run.subscribe(lambda e: paused.set() if e == StateChanged("paused") else None)
    assert when(run, BatchEnded, 2).wait(60)
    run.pause()
    assert paused.wait(30)
    assert run.state == "paused"
    held = len(kinds(run, BatchEnded))
    assert not when(run, BatchEnded).wait(0.3)
    assert len(kinds(run, BatchEnded)) == held
    more = when(run, BatchEnded, 2)
    run.resume()
    assert more.wait(30)
    assert run.state == "running"
    run.stop("nothing")
    assert run.wait(30) == "stopped"


def test_n7_stop_ends_a_pause(endless):
    run = start_training(painted(), endless)
    paused = threading.Event()
    run.subscribe(lambda e: paused.set() if e == StateChanged("paused") else None)
    run.pause()
    assert paused.wait(60)
    run.stop()
    assert run.wait(30) == "stopped"


def test_who_hears_that_the_run_stops_may_wait_for_its_end(endless):
    run = start_training(painted(), endless)
    found = []
    run.subscribe(lambda e: found.append(run.wait(20)) if e == StateChanged("stopping") else None)
    assert when(run, BatchEnded).wait(60)
    run.stop()
    assert found == ["stopped"]


def test_n7_continues_from_a_classifier(learned):
    project = painted()
    settings = learned.settings.model_copy(update={"epochs": 1, "steps_per_epoch": 1})
    run = train(project, settings, continue_from=learned.classifier)
    assert "continues from the classifier" in warnings_of(run)
    assert run.history[0]["val_miou"] > 0.7
    assert run.split.held_out == learned.split.held_out
    assert run.classifier.normalization == learned.classifier.normalization


def test_continuing_with_other_classes_starts_anew_and_says_why(learned):
    project = painted(classes=("Dark", "Bright", "Third"))
    run = train(project, quick(epochs=1, steps_per_epoch=1), continue_from=learned.classifier)
    assert "Training starts from scratch: the classifier has the classes Dark, Bright" in warnings_of(run)


def test_continuing_at_another_downsample_starts_anew(learned):
    run = train(painted(), quick(epochs=1, steps_per_epoch=1, downsample=1), continue_from=learned.classifier)
    assert "starts from scratch: the classifier works at downsample 2" in warnings_of(run)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"normalization": "z_score"}, "normalizes by percentile_99, the settings by z_score"),
        (
            {"normalization_per_channel": True},
            "the settings by percentile_99, each channel by itself",
        ),
        ({"match_stain": True}, "by percentile_99, the settings by percentile_99, stains matched"),
        ({"channels": ("Blue", "Green", "Red")}, "channels Red, Green, Blue, training now has Blue, Green, Red"),
    ],
)
def test_continuing_with_other_numbers_for_the_pixels_starts_anew(learned, changes, why):
    settings = TrainingSettings(**{**learned.settings.model_dump(), **changes})
    request = make_request(painted(), settings, learned.classifier)
    assert request.start is None
    assert any(
        "Training starts from scratch: the classifier" in one.text and why in one.text for one in request.messages
    )


def test_continuing_goes_on_where_pixels_become_the_same_numbers(learned):
    def goes_on(images, **changes):
        project = Project(CLASSES)
        for name, image in images.items():
            project.add_image(image, name)
            for index, other in enumerate(painted().annotations("image 0")):
                project.annotate(name, other.shape, CLASSES[index % 2])
        settings = TrainingSettings(**{**learned.settings.model_dump(), **changes})
        return make_request(project, settings, learned.classifier).start is not None

    unnamed = open_image(striped(), name="x", channel_names=["a", "b", "c"])
    assert goes_on({"x": striped()}, normalization_per_channel=False)
    assert goes_on({"x": unnamed}), "as in prediction, it goes by their places"
    assert not goes_on({"x": unnamed}, channels=["a", "b", "c"])
    assert not goes_on({"x": open_image(striped(), name="x", channel_names=["Green", "b", "c"])})


def test_classifier_grows_during_the_run_and_is_a_snapshot(endless):
    run = start_training(painted(), endless)
    assert run.classifier is None
    assert when(run, EpochEnded).wait(60)
    first = run.classifier
    before = weights_of(first)
    assert when(run, EpochEnded, 2).wait(60)
    run.stop()
    run.wait(30)
    assert run.classifier is not first
    assert all(np.array_equal(before[name], value) for name, value in weights_of(first).items())


def test_classifier_tells_of_the_epochs_after_the_best_one_too_and_shares_its_weights(monkeypatch):
    seen = []
    monkeypatch.setattr(ModelSelection, "is_better", lambda self, record, *more: record["epoch"] == 1)
    run = start_training(painted(), quick(epochs=3))
    run.subscribe(lambda e: seen.append(run.classifier) if isinstance(e, EpochEnded) else None)
    run.wait(60)
    assert [len(one.history) for one in seen] == [1, 2, 3], "what was handed out stays as it was"
    assert len({id(one.model) for one in seen}) == 1
    assert run.classifier is run.classifier
    assert run.classifier.history == run.history
    assert run.classifier.scores["epoch"] == 1


def test_scores_of_the_best_epoch_are_had_without_a_classifier(learned, monkeypatch):
    monkeypatch.setattr("histowidgets.training.runs._run.make_classifier", None)
    assert learned.scores["epoch"] == learned.best_epoch
    assert np.array(learned.scores["confusion"]).shape == (2, 2)
    assert list(learned.scores["val_iou"]) == CLASSES


def test_who_hears_of_a_best_epoch_finds_its_classifier():
    found = []
    run = start_training(painted(), quick(epochs=3))
    run.subscribe(
        lambda e: (
            found.append((e.record["epoch"], run.classifier.scores["epoch"]))
            if isinstance(e, EpochEnded) and e.is_best
            else None
        )
    )
    run.wait(60)
    assert found
    assert all(told == kept for told, kept in found)


def test_subscriber_that_raises_does_not_kill_the_run(caplog):
    def broken(event):
        raise ValueError("the listener is broken")

    heard = []
    run = start_training(painted(), quick())
    run.subscribe(broken)
    run.subscribe(heard.append)
    assert run.wait(60) == "finished"
    assert any(isinstance(event, RunEnded) for event in heard)
    assert caplog.text.count("A subscriber of run") == 1


def test_error_in_the_thread_reaches_the_person(monkeypatch):
    def explode(self, scores):
        raise RuntimeError("out of memory, say")

    monkeypatch.setattr(loop_module.Trainer, "take_step", explode)
    run = start_training(painted(), quick())
    assert run.wait(60) == "failed"
    assert isinstance(run.error, RuntimeError)
    failed = kinds(run, RunFailed)[0]
    assert "out of memory, say" in failed.reason
    assert "explode" in failed.traceback
    assert "explode" in run.traceback
    assert run.events[-1] == RunEnded("failed", None)
    with pytest.raises(TrainingError, match="training failed: out of memory"):
        train(painted(), quick())


def test_nan_loss_ends_with_a_clear_error(monkeypatch):
    monkeypatch.setattr(loop_module.Trainer, "take_step", lambda self, scores: float("nan"))
    with pytest.raises(TrainingError, match=r"loss became nan in epoch 1, step 1\. Lower the learning rate"):
        train(painted(), quick())


def test_watch_drains_in_the_foreground(endless):
    run = start_training(painted(), endless.model_copy(update={"epochs": 3}))
    threads = []
    run.subscribe(lambda event: threads.append((type(event), threading.current_thread())))
    assert run.watch() == "finished"
    run.wait(5)
    assert any(thread is threading.main_thread() for kind, thread in threads if kind is EpochEnded)
    assert threads[-1][0] is RunEnded


def test_watch_ends_on_an_interrupt_and_the_run_goes_on(endless):
    run = start_training(painted(), endless)

    def interrupt(event):
        if isinstance(event, EpochEnded) and threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt

    unsubscribe = run.subscribe(interrupt)
    assert run.watch() in ("running", "preparing")
    unsubscribe()
    assert when(run, EpochEnded).wait(30)
    run.stop()
    assert run.wait(30) == "stopped"


def test_without_validation_labels_it_trains_says_so_and_keeps_the_last():
    run = train(painted(roles=["train"]), quick(epochs=3))
    assert run.n_validation_tiles == 0
    assert run.history[-1]["val_loss"] is None
    assert run.history[-1]["val_miou"] is None
    assert run.best_epoch == 3
    assert "nothing can be validated" in warnings_of(run)


def test_b12_class_absent_from_validation_is_none_and_said():
    project = painted(classes=("Dark", "Bright", "Third"), roles=["train"])
    name = project.image_names[0]
    project.annotate(name, Stroke([(100, 200), (110, 210)], width=6), "Third")
    other = project.add_image(open_image(striped(seed=8), name="measured"), role="validation")
    for x, class_name in ((16, "Dark"), (48, "Bright")):
        project.annotate(other, Stroke([(x, 40), (x, 100)], width=8), class_name)
    run = train(project, quick(epochs=1))
    record = run.history[0]
    assert record["val_iou"]["Third"] is None
    assert record["val_miou"] == pytest.approx((record["val_iou"]["Dark"] + record["val_iou"]["Bright"]) / 2)
    assert "Third is only in training" in warnings_of(run)


def test_n10_batch_beyond_the_tiles_and_single_steps_are_said():
    run = train(painted(strokes=2), quick(batch_size=16, epochs=1, steps_per_epoch=None))
    assert "A batch has 16 tiles, but the labels fill only" in warnings_of(run)
    assert "single step" in warnings_of(run)


def test_b11_class_without_any_label_is_said():
    run = train(painted(classes=("Dark", "Bright", "Empty")), quick(epochs=1))
    assert "Empty has no labels" in warnings_of(run)
    assert run.history[0]["val_iou"]["Empty"] is None


def test_r6_backbone_that_cannot_be_had_is_said_and_replaced(monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    run = train(painted(), quick(backbone="resnet18", epochs=1))
    assert run.state == "finished"
    assert "resnet18 could not be loaded" in warnings_of(run)
    assert kinds(run, RunStarted)[0].backbone == "efficientnet-lite0"


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_r8_other_channel_counts_train(channels):
    run = train(painted(channels=channels), quick(epochs=1))
    assert run.state == "finished"
    assert run.classifier.predict(open_image(striped(channels=channels), name="again")).labels.shape == (256, 256)


def test_one_or_two_strokes_are_all_trained_on():
    run = train(painted(strokes=1), quick(epochs=1))
    assert run.state == "finished"
    assert run.history[0]["train_loss"] > 0


def test_nothing_painted_and_one_class_only_are_refused():
    project = Project(CLASSES)
    name = project.add_image(open_image(striped(), name="image"))
    with pytest.raises(TrainingDataError, match="Nothing is painted yet"):
        start_training(project)
    project.annotate(name, Stroke([(10, 10), (20, 20)], width=5), "Dark")
    with pytest.raises(TrainingDataError, match=r"Only 'Dark' is painted.*'Bright'"):
        start_training(project)


def test_labels_that_only_validation_may_see_are_refused():
    with pytest.raises(TrainingDataError, match="on images for validation only"):
        start_training(painted(roles=["validation"]))


def test_images_with_other_channels_are_refused():
    project = painted()
    name = project.add_image(open_image(striped(channels=5), name="five"))
    project.annotate(name, Stroke([(10, 10), (20, 20)], width=5), "Dark")
    with pytest.raises(TrainingDataError, match="'five' has 5 channels, 'image 0' has 3"):
        start_training(project)


def test_settings_that_do_not_fit_the_project_are_refused():
    with pytest.raises(SettingsError, match="class_weights names 'Tumour'"):
        start_training(painted(), quick(class_weights={"Tumour": 2}))
    with pytest.raises(SettingsError, match="focus_class is 'Tumour'"):
        start_training(painted(), quick(focus_class="Tumour"))
    with pytest.raises(BackboneError, match="no backbone called 'resnet33'"):
        start_training(painted(), quick(backbone="resnet33"))
    run = start_training(painted(), quick())
    with pytest.raises(TrainingError, match="keep is 'all'"):
        run.stop("all")
    run.stop("nothing")
    run.wait(30)


def test_painting_on_does_not_disturb_the_run(endless):
    project = painted()
    run = start_training(project, endless)
    assert when(run, EpochEnded).wait(60)
    project.annotate(project.image_names[0], Stroke([(5, 5), (9, 9)], width=4), "Dark")
    project.add_class("Later")
    assert when(run, EpochEnded).wait(60)
    run.stop()
    assert run.wait(30) == "stopped"
    assert list(run.classifier.classes) == CLASSES


def test_run_folder_holds_settings_history_weights_and_summary(tmp_path):
    with_folder = painted(folder=tmp_path / "project")
    try:
        run = train(with_folder, quick(epochs=3))
        folder = tmp_path / "project" / "runs" / run.id
        assert sorted(p.name for p in folder.iterdir()) == [
            "checkpoint.safetensors",
            "history.csv",
            "labels.json",
            "run.json",
            "settings.json",
        ]
        assert type(run.settings).from_json((folder / "settings.json").read_text()) == run.settings
        rows = list(csv.DictReader((folder / "history.csv").open(newline="")))
        assert [float(r["val_miou"]) for r in rows] == pytest.approx([r["val_miou"] for r in run.history])
        assert "iou_Dark" in rows[0]
        stored = load_file(folder / "checkpoint.safetensors")
        for name, value in run.classifier.model.tensors().items():
            assert np.array_equal(stored[name].numpy(), value), name
        about = json.loads((folder / "run.json").read_text())
        assert about["kept"]["epoch"] == run.best_epoch
        assert about["classes"] == CLASSES
        assert about["state"] == "ended"
    finally:
        with_folder.close()


def test_stop_keeping_nothing_leaves_no_checkpoint(tmp_path, endless):
    with_folder = painted(folder=tmp_path / "project")
    try:
        run = start_training(with_folder, endless)
        assert when(run, EpochEnded).wait(60)
        run.stop("nothing")
        run.wait(30)
        assert not (tmp_path / "project" / "runs" / run.id / "checkpoint.safetensors").exists()
    finally:
        with_folder.close()


def test_folder_that_cannot_be_written_costs_a_warning_not_the_run(tmp_path):
    with_folder = painted(folder=tmp_path / "project")
    try:
        (tmp_path / "project" / "runs").write_text("a file where a folder is wanted")
        run = train(with_folder, quick(epochs=1))
        assert run.state == "finished"
        assert "no longer written to disk" in warnings_of(run)
    finally:
        with_folder.close()


def test_closing_the_kernel_ends_a_run_cleanly_and_keeps_its_checkpoint(tmp_path, quick_python):
    code = (
        "import sys, threading; from histowidgets.training import start_training, EpochEnded;"
        "from tests.training.helpers import painted, quick;"
        "project = painted(folder=sys.argv[1]);"
        "run = start_training(project, quick(epochs=5000, early_stopping_metric='none'));"
        "seen = threading.Event();"
        "run.subscribe(lambda e: seen.set() if isinstance(e, EpochEnded) else None);"
        "print(seen.wait(60))"
    )
    where = Path(__file__).parents[3]
    done = subprocess.run(
        [*quick_python, "-c", code, str(tmp_path / "project")],
        capture_output=True,
        text=True,
        check=False,
        cwd=where,
        timeout=120,
    )
    assert done.stdout.strip() == "True", done.stderr
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("project/runs/*/checkpoint.safetensors"))) == 1
    assert find_unfinished_run(tmp_path / "project").epoch >= 1


def test_unlabelled_pixels_are_learned_from_when_asked(monkeypatch):
    monkeypatch.setattr(loop_module, "TEACH_FROM_STEP", 3)
    taught, plain = (train(painted(), quick(epochs=1, steps_per_epoch=6, consistency=c)) for c in (1.0, 0.0))
    losses = [[e.loss for e in kinds(run, BatchEnded)] for run in (taught, plain)]
    assert losses[0][:3] == losses[1][:3]
    assert losses[0][3:] != losses[1][3:]


def test_given_split_is_used():
    project = painted()
    split = Split({project.image_names[0]: (Region(0, 0, 128, 128),)})
    run = train(project, quick(epochs=1), split=split)
    assert run.split is split


def test_a_loss_that_is_no_number_is_the_last_epoch_of_the_history_and_is_diagnosed(monkeypatch):
    from histowidgets.advice import diagnose

    step, taken = loop_module.Trainer.take_step, []

    def break_in_the_third_epoch(self, scores):
        taken.append(step(self, scores))
        return taken[-1] if len(taken) < 5 else float("nan")

    monkeypatch.setattr(loop_module.Trainer, "take_step", break_in_the_third_epoch)
    run = start_training(painted(), quick(epochs=9))
    assert run.wait(60) == "failed"
    assert [record["epoch"] for record in run.history] == [1, 2, 3]
    assert np.isnan(run.history[-1]["train_loss"])
    assert run.history[-1]["val_iou"] == {"Dark": None, "Bright": None}
    assert run.classifier is not None, "the best epoch before it is kept"
    (first, *_) = diagnose(run.history, run.settings)
    assert first.id == "loss-nan"
    assert first.patch["learning_rate"] < run.settings.learning_rate


def test_a_run_says_what_each_class_has_on_either_side():
    run = train(painted(), quick(epochs=1))
    (started,) = kinds(run, RunStarted)
    assert set(started.class_labels) == {"Dark", "Bright"}
    assert all(annotations > 0 and pixels > 0 for annotations, pixels in started.class_labels.values())
