import json

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.annotations import Project
from histowidgets.errors import SettingsError, TrainingDataError, TrainingError
from histowidgets.training import EpochEnded, compare_runs, compare_settings, replay, train
from tests.training.helpers import painted, quick


def record(epoch, miou, **more):
    return {
        "epoch": epoch,
        "train_loss": 1.0,
        "val_loss": 1.0,
        "train_miou": None,
        "val_miou": miou,
        "val_iou": {"Dark": miou, "Bright": None},
        "val_accuracy": 0.9,
        "learning_rate": 0.01,
        "seconds": 2.0 * epoch,
        **more,
    }


@pytest.fixture
def two():
    """Runs that differ in tile size and loss; the second epoch of the first is its best."""
    return {
        "small": replay([record(1, 0.5), record(2, 0.75), record(3, 0.6)], quick(tile_size=64)),
        "large": replay([record(1, 0.875)], quick(tile_size=128, loss="focal")),
    }


def test_runs_side_by_side_with_the_settings_that_differ(two):
    table = compare_runs(two)
    assert table.differing == ("tile_size", "loss")
    assert table.classes == ("Dark", "Bright")
    small, large = table.rows
    assert (small.name, small.miou, small.best_epoch, small.epochs, small.seconds) == ("small", 0.75, 2, 3, 6.0)
    assert (large.miou, large.accuracy, large.iou) == (0.875, 0.9, {"Dark": 0.875, "Bright": None})
    text = table.to_text().splitlines()
    assert text[0].split("  ")[0] == "run"
    assert "time (s)" in text[0]
    assert "0.750" in text[1]
    assert "–" in text[1], "a class without labels has no score"
    assert str(table) == table.to_text()


def test_table_in_html_is_escaped(two):
    table = compare_runs({"<script>alert(1)</script>": two["small"], "b & c": two["large"]})
    page = table.to_html()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "b &amp; c" in page
    assert page == table._repr_html_()
    assert page.count("<tr>") == 3


def test_table_as_a_dataframe(two, monkeypatch):
    import sys

    frame = pytest.importorskip("pandas").DataFrame(compare_runs(two).records())
    made = compare_runs(two).to_dataframe()
    assert list(made.columns) == list(frame.columns)
    assert made["mIoU"].tolist() == [0.75, 0.875]
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(TrainingError, match="pandas is not installed"):
        compare_runs(two).to_dataframe()


def test_runs_on_disk_say_the_same_as_the_runs(tmp_path):
    project = painted(folder=tmp_path / "project")
    try:
        runs = [train(project, quick(epochs=2)), train(project, quick(epochs=1, learning_rate=1e-4))]
        living = compare_runs(runs)
        assert compare_runs(project) == living
        assert compare_runs(tmp_path / "project") == living
        folder = tmp_path / "project" / "runs" / runs[0].id
        assert compare_runs(folder).rows == living.rows[:1]
        assert living.differing == ("epochs", "learning_rate")
        assert living.rows[0].name == runs[0].id
        # A folder of version 1 reads the same.
        about = json.loads((folder / "run.json").read_text())
        del about["confusion"]
        (folder / "run.json").write_text(json.dumps({**about, "version": 1}))
        assert {row.name: row for row in compare_runs(project).rows} == {row.name: row for row in living.rows}
    finally:
        project.close()


def test_what_cannot_be_compared_names_the_file(tmp_path):
    project = painted(folder=tmp_path / "project")
    try:
        with pytest.raises(TrainingError, match="no runs to compare"):
            compare_runs(project)
        run = train(project, quick(epochs=1))
        folder = tmp_path / "project" / "runs" / run.id
        good = (folder / "history.csv").read_text()
        (folder / "history.csv").write_text(good.replace("1,", "one,", 1))
        with pytest.raises(TrainingError, match=r"history\.csv is damaged"):
            compare_runs(project)
        (folder / "history.csv").write_text(good)
        (folder / "settings.json").write_text("{")
        with pytest.raises(TrainingError, match=r"settings\.json is damaged"):
            compare_runs([folder])
        (folder / "run.json").write_text("[]")
        with pytest.raises(TrainingError, match=r"run\.json is damaged"):
            compare_runs([folder])
    finally:
        project.close()
    with pytest.raises(TrainingError, match="has no folder"):
        compare_runs(painted())
    with pytest.raises(TrainingError, match=r"run\.json is missing"):
        compare_runs([tmp_path])


def test_r59_tile_256_against_512_on_the_same_split_with_the_same_seed():
    told = []
    table = hw.compare_settings(
        painted(side=512, strokes=12),
        {
            "tile 256": quick(tile_size=256, epochs=1, downsample=1, seed=3),
            "tile 512": quick(tile_size=512, epochs=1, downsample=1, seed=8),
        },
        progress=lambda *what: told.append(what),
    )
    assert [row.name for row in table.rows] == ["tile 256", "tile 512"]
    assert table.differing == ("tile_size",), "the seed is that of the first"
    assert {row.settings.seed for row in table.rows} == {3}
    assert [(number, count) for number, count, _ in told] == [(1, 2), (2, 2)]
    assert not table.cancelled
    assert "tile 512" in table.to_text()


def test_r59_all_are_measured_on_the_same_pixels(monkeypatch):
    from histowidgets.training.evaluation import _inline as here

    seen = []
    real = here.run_loop

    def listen(request, normalization, emit, control):
        real(request, normalization, emit, control)
        seen.append((request.split, request.settings.seed, np.sum(control.kept.confusion, axis=1).tolist()))

    monkeypatch.setattr(here, "run_loop", listen)
    compare_settings(
        painted(side=512, strokes=12), {"a": quick(tile_size=64, epochs=1), "b": quick(tile_size=128, epochs=1)}
    )
    assert seen[0] == seen[1]


def test_compare_can_be_cancelled_keeping_what_is_finished():
    told = []
    table = compare_settings(
        painted(),
        {"a": quick(epochs=1), "b": quick(epochs=5000)},
        progress=lambda number, count, record: told.append(number),
        should_stop=lambda: bool(told),
    )
    assert table.cancelled
    assert [row.name for row in table.rows] == ["a"]
    assert told == [1]


def test_compare_refuses_what_cannot_be_compared():
    with pytest.raises(SettingsError, match="no settings to compare"):
        compare_settings(painted(), {})
    with pytest.raises(TrainingDataError, match="Nothing is painted"):
        compare_settings(Project(["Dark", "Bright"]), {"a": quick()})
    with pytest.raises(TrainingDataError, match="too few strokes to hold some out"):
        compare_settings(painted(roles=["train"]), {"a": quick()})


def test_b4_confusion_matrix_is_kept_with_the_scores_of_the_best_epoch(tmp_path):
    project = painted(folder=tmp_path / "project")
    try:
        run = train(project, quick(epochs=3, steps_per_epoch=6))
    finally:
        project.close()
    scores = run.classifier.scores
    counts = np.array(scores["confusion"])
    best = next(e.record for e in run.events if isinstance(e, EpochEnded) and e.record["epoch"] == run.best_epoch)
    hits = np.diag(counts)
    iou = hits / (counts.sum(0) + counts.sum(1) - hits)
    assert iou.mean() == pytest.approx(best["val_miou"])
    assert hits.sum() / counts.sum() == pytest.approx(scores["val_accuracy"])
    about = json.loads((tmp_path / "project" / "runs" / run.id / "run.json").read_text())
    assert about["confusion"] == scores["confusion"]
    run.classifier.save(tmp_path / "classifier")
    assert hw.Classifier.load(tmp_path / "classifier").scores["confusion"] == scores["confusion"]
