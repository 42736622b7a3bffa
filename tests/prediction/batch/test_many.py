"""Many images: one after the other, and on a cluster."""

import csv
import json
import unicodedata

import numpy as np
import pytest
from PIL import Image as PillowImage

import histowidgets as hw
from histowidgets.errors import PredictionCancelled, PredictionError
from histowidgets.models import NetworkSpec, build_network
from histowidgets.prediction import Classifier, ClassifierSpec, NetworkModel, open_prediction
from histowidgets.prediction.batch import _many, _one_image
from histowidgets.prediction.batch._many import target_names
from tests.prediction.models import picture


@pytest.fixture(scope="module")
def classifier():
    spec = NetworkSpec(n_classes=2, decoder_channels=(8, 8, 8, 8), output_stride=2)
    network = build_network(spec, pretrained=False, seed=3)  # about half of the pixels in each class
    return Classifier(
        ClassifierSpec(
            NetworkModel(network),
            classes=["Dark", "Bright"],
            colors=["#d55e00", "#0072b2"],
            channel_names=["Red", "Green", "Blue"],
            normalization=hw.Normalization().fitted([picture(96, 96)]),
            tile_size=64,
        )
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


def test_each_note_is_read_once_and_tables_are_written_whole(classifier, files, tmp_path, monkeypatch):
    out, read, real, seen = tmp_path / "out", [], _many.read_note, []
    monkeypatch.setattr(_many, "read_note", lambda path: read.append(path) or real(path))

    def progress(done, *_):
        seen.append((out / "measurements.csv").read_text())
        assert not list(out.glob(".*.part"))

    PillowImage.fromarray(picture(70, 90).read(0, 0, 90, 70)).save(files[1])
    hw.predict_images(classifier, files, out, format="png", progress=progress)
    assert len(read) == len(set(read)) == 3
    assert [len(text.splitlines()) for text in seen] == [2, 3, 4]

    def torn(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr(_many.csv.DictWriter, "writerows", torn)
    with pytest.raises(PredictionError, match="the disk is full"):
        hw.predict_images(classifier, files, out, format="png")
    assert (out / "measurements.csv").read_text() == seen[-1]


def test_run_again_it_does_what_is_missing(classifier, files, tmp_path):
    out = tmp_path / "out"
    hw.predict_images(classifier, files, out, format="png")
    before = (out / "slide0.png").stat().st_mtime_ns
    PillowImage.fromarray(picture(70, 90).read(0, 0, 90, 70)).save(files[1])
    (out / "slide2.png").unlink()
    assert states(hw.predict_images(classifier, files, out, format="png")) == ["already there", "done", "done"]
    assert (out / "slide0.png").stat().st_mtime_ns == before
    assert states(hw.predict_images(classifier, files, out, format="png", blur_px=1)) == ["done"] * 3
    # The classifier as a folder is the same one.
    classifier.save(tmp_path / "folder")
    again = hw.predict_images(tmp_path / "folder", files, out, format="png", blur_px=1)
    assert states(again) == ["already there"] * 3


def test_another_setting_replaces_what_is_there(classifier, files, tmp_path):
    out = tmp_path / "out"
    hw.predict_images(classifier, files[:1], out)
    assert states(hw.predict_images(classifier, files[:1], out, blur_px=1)) == ["done"]
    expected = classifier.predict(files[0], probabilities=False, blur_px=1).labels
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


def measurements(folder):
    with (folder / "measurements.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_b8_a_row_of_areas_for_each_image(classifier, files, tmp_path):
    for _ in range(2):  # also where everything is there already
        hw.predict_images(classifier, files, tmp_path / "out", background=["Dark"])
        rows = measurements(tmp_path / "out")
        assert [row["Image"] for row in rows] == [str(files[0]), str(files[2])]
        for row, path in zip(rows, (files[0], files[2]), strict=True):
            expected = classifier.predict(path, probabilities=False).measurements(["Dark"])
            assert {name: float(row[name]) for name in expected} == pytest.approx(expected)
    with pytest.raises(PredictionError, match="no class 'Glass'"):
        hw.predict_images(classifier, files, tmp_path / "out", background=["Glass"])


@pytest.mark.parametrize("form", ["geojson", "csv", "png"])
def test_a_large_image_goes_by_way_of_the_disk_in_every_format(classifier, files, tmp_path, form, monkeypatch):
    monkeypatch.setattr(NetworkModel, "largest_tile", 64)
    monkeypatch.setattr(NetworkModel, "context", 8)
    hw.predict_images(classifier, files[:1], tmp_path / "small", format=form)
    monkeypatch.setattr(_one_image, "IN_MEMORY_PIXELS", 100)
    told, stopped = [], []

    def stop():
        stopped.append(True)
        return len(stopped) > 2

    with pytest.raises(PredictionCancelled):
        hw.predict_images(classifier, files[:1], tmp_path / "out", format=form, should_stop=stop)
    hw.predict_images(classifier, files[:1], tmp_path / "out", format=form, tile_progress=lambda *c: told.append(c))
    assert told[-1][0] == str(files[0])
    assert told[-1][1] == told[-1][2] > 1
    names = [path.name for path in (tmp_path / "out").iterdir() if path.name.startswith(".slide")]
    assert names == [], "what was on the way is gone"
    made, expected = (tmp_path / at / f"slide0.{form}" for at in ("out", "small"))
    if form == "png":
        assert made.read_bytes() == expected.read_bytes()
    elif form == "csv":
        rows = [list(csv.DictReader(path.read_text().splitlines())) for path in (made, expected)]
        assert [row["Area (px2)"] for row in rows[0]] == [row["Area (px2)"] for row in rows[1]]
    else:
        made, expected = (json.loads(path.read_text())["features"] for path in (made, expected))
        assert [f["geometry"] for f in made] == [f["geometry"] for f in expected]


def test_n11_adaptation_regions_probabilities_and_objects_are_passed_on(classifier, files, tmp_path):
    hw.predict_images(classifier, files[:1], tmp_path / "a", region=(10, 5, 64, 32), probabilities=True, adapt=True)
    stored = open_prediction(tmp_path / "a" / "slide0.zarr")
    assert stored.region == (10, 5, 64, 32)
    assert stored.has_probabilities
    adapted = classifier.adapted_to(files[0], (10, 5, 64, 32))
    expected = adapted.predict(files[0], (10, 5, 64, 32)).labels
    assert (stored.read_labels() == expected).mean() > 0.99
    hw.predict_images(classifier, files[:1], tmp_path / "b", format="geojson", objects={"min_area_um2": 1e6})
    assert json.loads((tmp_path / "b" / "slide0.geojson").read_text())["features"] == []
    with pytest.raises(PredictionError, match="objects has no option 'colour'"):
        hw.predict_images(classifier, files[:1], tmp_path / "b", objects={"colour": 1})


def test_x6_split_objects_are_measured_and_counted_for_each_image(classifier, files, tmp_path):
    objects = {"split": "distance", "split_depth_um": 1.0, "split_classes": ["Bright"], "min_area_um2": 4}
    hw.predict_images(classifier, files, tmp_path / "a", format="csv", objects=objects)
    expected = classifier.predict(files[0]).objects(**objects, image=hw.open_image(files[0]))
    assert len(expected) > len(classifier.predict(files[0]).objects(4))  # something was split
    rows = list(csv.DictReader((tmp_path / "a" / "slide0.csv").read_text().splitlines()))
    assert [float(row["Eccentricity"]) for row in rows] == [one.eccentricity for one in expected]
    channel = hw.open_image(files[0]).channel_names[0]
    assert [float(row[f"Mean {channel}"]) for row in rows] == [one.means[channel] for one in expected]
    with (tmp_path / "a" / "measurements.csv").open(newline="", encoding="utf-8") as file:
        counted = list(csv.DictReader(file))
    assert len(counted) == 2  # one file is broken
    assert int(counted[0]["Bright count"]) == [one.class_name for one in expected].count("Bright")
    for wrong, words in (({"split": "x"}, "split is 'x'"), ({"split": "distance", "split_classes": ["?"]}, "no class")):
        with pytest.raises(PredictionError, match=words):
            hw.predict_images(classifier, files, tmp_path / "b", format="csv", objects=wrong)
    assert not (tmp_path / "b").exists()


def test_stopped_between_images_it_says_how_far_it_came(classifier, files, tmp_path, cluster):
    with pytest.raises(PredictionCancelled, match="after 1 of 3 images"):
        hw.predict_images(classifier, files, tmp_path / "out", cluster, should_stop=lambda: True)
    assert len(table(tmp_path / "out")) == 1


def test_images_of_the_same_name_do_not_meet(tmp_path):
    paths = [str(tmp_path / name) for name in ("a/x.tif", "b/X.ome.tif", "y.svs", "Nécrose.tif", "Ne\u0301crose.tif")]
    names = target_names(paths)
    assert len({unicodedata.normalize("NFC", name).lower() for name in names}) == 5
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


@pytest.fixture
def twins(tmp_path):
    """Two images of the same file name."""
    paths = []
    for i, patient in enumerate(("a", "b")):
        (tmp_path / patient).mkdir()
        path = tmp_path / patient / "01.png"
        PillowImage.fromarray(picture(70, 90, seed=i).read(0, 0, 90, 70)).save(path)
        paths.append(path)
    return paths


def measured_images(folder):
    with (folder / "measurements.csv").open(newline="", encoding="utf-8") as file:
        return [row["Image"] for row in csv.DictReader(file)]


@pytest.mark.parametrize("form", ["zarr", "geojson", "png"])
def test_a_result_of_another_image_of_the_same_name_is_never_overwritten(classifier, twins, tmp_path, form):
    out = tmp_path / "out"
    (first,) = hw.predict_images(classifier, [twins[0]], out, format=form)
    (second,) = hw.predict_images(classifier, [twins[1]], out, format=form)
    assert first.output != second.output
    assert first.output.endswith(("01.zarr", "01.geojson", "01.png"))
    assert [row["source"] for row in table(out)] == [str(path) for path in twins]
    assert measured_images(out) == [str(path) for path in twins]
    for path, result in zip(twins, (first, second), strict=True):
        (again,) = hw.predict_images(classifier, path, out, format=form)
        assert (again.state, again.output) == ("already there", result.output)
    assert len(table(out)) == 2
    labels = [classifier.predict(path).labels for path in twins]
    if form == "png":
        for result, expected in zip((first, second), labels, strict=True):
            found = hw.open_image(result.output)
            np.testing.assert_array_equal(np.asarray(PillowImage.open(result.output)), expected)
            assert found.width == 90


def test_a_moved_image_keeps_the_name_of_its_result(classifier, twins, tmp_path):
    out = tmp_path / "out"
    (first,) = hw.predict_images(classifier, twins[0], out, format="png")
    moved = tmp_path / "moved"
    moved.mkdir()
    (again,) = hw.predict_images(classifier, twins[0].rename(moved / "01.png"), out, format="png")
    assert again.output == first.output


def test_a_file_that_was_there_before_is_left_alone(classifier, twins, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "01.geojson").write_text("mine")
    (result,) = hw.predict_images(classifier, twins[0], out, format="geojson")
    assert (out / "01.geojson").read_text() == "mine"
    assert result.state == "done"
    (out / "predictions.csv").write_text("patient,age\n1,70\n")
    with pytest.raises(PredictionError, match="was not written by predict_images"):
        hw.predict_images(classifier, twins[0], out, format="png")
    assert (out / "predictions.csv").read_text() == "patient,age\n1,70\n"


def test_a_folder_of_an_earlier_version_goes_on(classifier, twins, tmp_path):
    out = tmp_path / "out"
    (first,) = hw.predict_images(classifier, twins[0], out, format="png")
    (note,) = (out / ".histowidgets").glob("*.json")
    card = json.loads(note.read_text())
    del card["source"]
    note.write_text(json.dumps(card))
    assert hw.predict_images(classifier, twins[0], out, format="png")[0].state == "already there"
    assert hw.predict_images(classifier, twins[1], out, format="png")[0].output != first.output


def test_without_overwriting_an_earlier_result_of_the_image_stays(classifier, twins, tmp_path):
    out = tmp_path / "out"
    (first,) = hw.predict_images(classifier, twins[0], out, format="png")
    before = (out / "01.png").read_bytes()
    (second,) = hw.predict_images(classifier, twins[0], out, format="png", overwrite=False, downsample=2)
    assert second.state == "failed"
    assert "with another classifier or other options" in second.error
    assert (out / "01.png").read_bytes() == before
    assert hw.predict_images(classifier, twins[0], out, format="png", overwrite=False)[0].state == "already there"
    assert hw.predict_images(classifier, twins[0], out, format="png", downsample=2)[0].state == "done"
    assert first.output == str(out / "01.png")


def test_one_path_is_one_image_and_an_address_is_no_folder(classifier, twins, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for one in (twins[0], str(twins[0])):
        assert len(hw.predict_images(classifier, one, tmp_path / "out", format="png")) == 1
    for address in ("s3://bucket/results", "https://example.org/x", "gs://b"):
        with pytest.raises(PredictionError, match="is an address, not a path"):
            hw.predict_images(classifier, twins[0], address)
        with pytest.raises(PredictionError, match="is an address, not a path"):
            classifier.predict_to(twins[0], f"{address}.zarr")
        with pytest.raises(hw.errors.ClassifierError, match="is an address, not a path"):
            classifier.save(address)
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b", "out"}


def test_the_pixel_size_is_matched_and_noted(classifier, tmp_path):
    import dataclasses

    import tifffile

    sized = Classifier(dataclasses.replace(classifier.spec, pixel_size_um=0.5))
    pixels = picture(70, 90).read(0, 0, 90, 70)
    fine = np.repeat(np.repeat(pixels, 2, 0), 2, 1)
    size = {"PhysicalSizeX": 0.25, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.25, "PhysicalSizeYUnit": "µm"}
    tifffile.imwrite(tmp_path / "fine.ome.tif", fine, photometric="rgb", metadata={"axes": "YXS", **size})
    (result,) = hw.predict_images(sized, tmp_path / "fine.ome.tif", tmp_path / "out", format="png")
    assert result.note == "resampled from 0.25 to 0.5 µm per pixel"
    assert table(tmp_path / "out")[0]["note"] == result.note
    with (tmp_path / "out" / "measurements.csv").open(newline="", encoding="utf-8") as file:
        row = next(csv.DictReader(file))
    areas = [float(row[f"{name} area (um2)"]) for name in ("Dark", "Bright")]
    assert sum(areas) == pytest.approx(140 * 180 * 0.25**2)


def test_a_file_name_that_is_not_utf8_ends_no_batch(classifier, twins, tmp_path):
    import os

    odd = os.fsdecode(os.fsencode(tmp_path) + b"/gr\xfc\xdfe.png")
    try:
        os.link(twins[0], odd)
    except OSError:
        pytest.skip("no such names here")
    results = hw.predict_images(classifier, [twins[1], odd], tmp_path / "out", format="csv")
    assert states(results) == ["done", "done"]
    assert table(tmp_path / "out")[1]["source"].endswith("gr\\udcfc\\udcdfe.png")
    assert (
        states(hw.predict_images(classifier, [twins[1], odd], tmp_path / "out", format="csv")) == ["already there"] * 2
    )
