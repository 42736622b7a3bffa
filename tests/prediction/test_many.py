"""Many images: one after the other, and on a cluster."""

import csv

import numpy as np
import pytest
from PIL import Image as PillowImage

import histowidgets as hw
from histowidgets.errors import PredictionError
from histowidgets.models import NetworkSpec, build_network
from histowidgets.prediction import Classifier, NetworkModel, _many, open_prediction
from histowidgets.prediction._target_names import target_names
from tests.prediction.test_predict import picture


@pytest.fixture(scope="module")
def classifier():
    network = build_network(NetworkSpec(n_classes=2, decoder_channels=(8, 8, 8, 8), output_stride=2), pretrained=False)
    return Classifier(
        NetworkModel(network),
        classes=["Dark", "Bright"],
        colors=["#d55e00", "#0072b2"],
        channel_names=["Red", "Green", "Blue"],
        normalization=hw.Normalization().fitted([picture(96, 96)]),
        tile_size=64,
    )


@pytest.fixture
def files(tmp_path):
    paths = []
    for i in range(3):
        path = tmp_path / f"slide{i}.png"
        PillowImage.fromarray(picture(70, 90, seed=i).read(0, 0, 90, 70)).save(path)
        paths.append(path)
    paths[1].write_bytes(b"no image")
    return paths


def states(results):
    return [result.state for result in results]


def table(folder):
    with (folder / "predictions.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_bad_image_is_reported_and_the_others_are_done(classifier, files, tmp_path):
    out, calls = tmp_path / "out", []
    results = hw.predict_images(classifier, files, out, progress=lambda *c: calls.append(c))
    assert states(results) == ["done", "failed", "done"]
    assert "slide1.png" in results[1].error
    assert [(c[0], c[1]) for c in calls] == [(1, 3), (2, 3), (3, 3)]
    assert [row["state"] for row in table(out)] == states(results)
    assert [row["source"] for row in table(out)] == [str(path) for path in files]
    stored = open_prediction(out / "slide0.zarr")
    np.testing.assert_array_equal(stored.read_labels(), classifier.predict(files[0], probabilities=False).labels)


def test_run_again_it_does_what_is_missing(classifier, files, tmp_path):
    out = tmp_path / "out"
    hw.predict_images(classifier, files, out, format="png")
    before = (out / "slide0.png").stat().st_mtime_ns
    PillowImage.fromarray(picture(70, 90).read(0, 0, 90, 70)).save(files[1])
    (out / "slide2.png").unlink()
    assert states(hw.predict_images(classifier, files, out, format="png")) == ["already there", "done", "done"]
    assert (out / "slide0.png").stat().st_mtime_ns == before
    assert states(hw.predict_images(classifier, files, out, format="png", smooth_px=1)) == ["done"] * 3
    # The classifier as a folder is the same one.
    classifier.save(tmp_path / "folder")
    again = hw.predict_images(tmp_path / "folder", files, out, format="png", smooth_px=1)
    assert states(again) == ["already there"] * 3


def test_another_setting_replaces_what_is_there(classifier, files, tmp_path):
    out = tmp_path / "out"
    hw.predict_images(classifier, files[:1], out)
    assert states(hw.predict_images(classifier, files[:1], out, smooth_px=1)) == ["done"]
    expected = classifier.predict(files[0], probabilities=False, smooth_px=1).labels
    np.testing.assert_array_equal(open_prediction(out / "slide0.zarr").read_labels(), expected)


def test_n9_the_table_says_which_image_is_unlike_those_of_training(classifier, files, tmp_path):
    PillowImage.fromarray(picture(70, 90).read(0, 0, 90, 70) // 8).save(files[1])
    results = hw.predict_images(classifier, files, tmp_path / "out", format="png")
    assert "Image slide1 differs" in results[1].warning
    assert [bool(row["warning"]) for row in table(tmp_path / "out")] == [False, True, False]


@pytest.mark.parametrize("form", ["png", "geojson", "csv", "ome-tiff"])
def test_each_format(classifier, files, tmp_path, form):
    (result,) = hw.predict_images(classifier, files[:1], tmp_path / "out", format=form)
    assert (result.state, result.error) == ("done", "")
    assert result.output == str(tmp_path / "out" / ("slide0" + _many.ENDINGS[form]))
    assert (tmp_path / "out" / ("slide0" + _many.ENDINGS[form])).stat().st_size > 0


def test_images_of_the_same_name_do_not_meet(tmp_path):
    paths = [tmp_path / "a" / "x.tif", tmp_path / "b" / "X.ome.tif", tmp_path / "y.svs"]
    names = target_names(paths)
    assert len({name.lower() for name in names}) == 3
    assert names[2] == "y"
    assert target_names(paths[::-1]) == names[::-1]


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as made,
        distributed.Client(made) as client,
    ):
        yield client


def test_a_dask_cluster_gives_the_same(classifier, files, tmp_path, cluster):
    here = hw.predict_images(classifier, files, tmp_path / "here")
    there = hw.predict_images(classifier, files, tmp_path / "there", cluster)
    assert states(there) == states(here) == ["done", "failed", "done"]
    assert [r.source for r in there] == [str(path) for path in files]
    for i in (0, 2):
        np.testing.assert_array_equal(
            *(open_prediction(tmp_path / place / f"slide{i}.zarr").read_labels() for place in ("here", "there"))
        )
    again = hw.predict_images(classifier, files, tmp_path / "there", cluster)
    assert states(again) == ["already there", "failed", "already there"]


def test_the_address_of_a_scheduler_will_do(classifier, files, tmp_path, cluster):
    address = cluster.scheduler.address
    results = hw.predict_images(classifier, files[:1], tmp_path / "out", address, format="png")
    assert states(results) == ["done"]


def test_a_lost_worker_is_a_failed_image(classifier, files, tmp_path, cluster, monkeypatch):
    def lost(task):
        raise SystemError("the worker died")

    monkeypatch.setattr(_many, "predict_one", lost)
    results = hw.predict_images(classifier, files[:2], tmp_path / "out", cluster)
    assert states(results) == ["failed"] * 2
    assert "the worker died" in results[0].error


def test_bad_requests(classifier, files, tmp_path):
    pytest.importorskip("distributed")
    with pytest.raises(PredictionError, match="format is 'jpeg'"):
        hw.predict_images(classifier, files, tmp_path, format="jpeg")
    with pytest.raises(PredictionError, match="no option 'colour'"):
        hw.predict_images(classifier, files, tmp_path, colour=1)
    with pytest.raises(PredictionError, match="client is 3"):
        hw.predict_images(classifier, files, tmp_path / "x", 3)
    (tmp_path / "file").write_text("x")
    with pytest.raises(PredictionError, match="cannot be written"):
        hw.predict_images(classifier, files, tmp_path / "file")
