"""A BioImage.IO package: their own test passes, their program gives our answers, and it is read back."""

import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.cli import EXIT_OK, main
from histowidgets.errors import ClassifierError, ExportCancelled, HistowidgetsWarning
from histowidgets.prediction import Classifier
from histowidgets.prediction.bioimage import _export
from tests.prediction.bioimage.packages import why_unusable
from tests.prediction.models import brightness_classifier

needs_packages = pytest.mark.skipif(bool(why_unusable()), reason=why_unusable())


@pytest.fixture
def package(tmp_path, small_network_classifier, sample, kept_exports):
    path = tmp_path / "model.bioimage.io.zip"
    small_network_classifier.export_bioimage(
        path,
        image=sample,
        authors=["A. Person"],
        license="CC-BY-4.0",
        cite=[("A paper", "10.1000/xyz123")],
    )
    return path


@needs_packages
@pytest.mark.slow
def test_x9_their_own_test_passes_and_the_description_is_whole(package, small_network_classifier):
    from bioimageio.core import test_model
    from bioimageio.spec import load_description

    summary = test_model(package)
    assert summary.status == "passed", summary.display()
    model = load_description(package, perform_io_checks=True)
    assert model.format_version.startswith("0.5")
    assert model.weights.onnx.opset_version == 18
    assert str(model.license) == "CC-BY-4.0"
    assert [author.name for author in model.authors] == ["A. Person"]
    assert any(entry.doi == "10.1000/xyz123" for entry in model.cite)
    channel, y, _ = model.inputs[0].axes[1:]
    assert channel.channel_names == ["Red", "Green", "Blue"]
    assert (y.unit, y.scale) == ("micrometer", 0.5)
    assert model.outputs[0].axes[1].channel_names == ["Epithelium", "Stroma", "Lumen"]
    with zipfile.ZipFile(package) as archive:
        assert {"README.md", "cover.png", "test_input.npy", "test_output.npy", "model.onnx"} <= set(archive.namelist())
        readme = archive.read("README.md").decode()
    assert "## Validation" in readme
    assert "Epithelium, Stroma, Lumen" in readme


@needs_packages
@pytest.mark.slow
def test_x9_their_program_predicts_as_we_do_from_raw_pixels(package, small_network_classifier, sample):
    from bioimageio.core import load_model_description, predict

    pixels = sample.read(0, 0, 288, 320)
    given = {"pixels": np.moveaxis(pixels.astype(np.float32), -1, 0)[None]}
    (answer,) = predict(model=load_model_description(package), inputs=given).members.values()
    found = answer.data.values[0]
    # It pads by the halo of the package, symmetrically, and crops the answer.
    halo = _export.sizes_of(small_network_classifier.spec)[2]
    padded = np.pad(pixels, ((halo, halo), (halo, halo), (0, 0)), "symmetric")
    normalized = np.moveaxis(small_network_classifier.normalization.apply(padded), -1, 0)[None]
    expected = small_network_classifier.model.probabilities(np.ascontiguousarray(normalized))[
        0, :, halo:-halo, halo:-halo
    ]
    assert found.shape == expected.shape == (3, 320, 288)
    np.testing.assert_allclose(found, expected, atol=2e-4)
    ours = small_network_classifier.predict(pixels).labels
    assert (found.argmax(0) == ours)[halo:-halo, halo:-halo].mean() > 0.99, "far from its padding, it is our prediction"


@needs_packages
def test_x9_it_is_read_back_and_answers_the_same(package, small_network_classifier, sample, tmp_path, capsys):
    again = Classifier.load(package)
    region = (40, 30, 300, 200)
    before, after = (one.predict(sample, region) for one in (small_network_classifier, again))
    assert np.array_equal(before.labels, after.labels)
    assert (again.classes, again.colors) == (small_network_classifier.classes, small_network_classifier.colors)
    assert (again.pixel_size_um, again.channel_names) == (0.5, ("Red", "Green", "Blue"))
    with zipfile.ZipFile(package) as archive:
        archive.extractall(tmp_path / "unpacked")
    assert Classifier.load(tmp_path / "unpacked").classes == again.classes
    assert main(["info", str(package)]) == EXIT_OK
    assert "Epithelium" in capsys.readouterr().out


@needs_packages
def test_the_command_writes_a_package_and_names_it(tmp_path, small_network_classifier, kept_exports, capsys):
    small_network_classifier.save(tmp_path / "classifier")
    out = tmp_path / "named.zip"
    command = ["export", str(tmp_path / "classifier"), "-o", str(out), "--format", "bioimage"]
    assert main([*command, "--name", "Colon glands", "--author", "A. Person"]) == EXIT_OK
    with zipfile.ZipFile(out) as archive:
        assert "name: Colon glands" in archive.read("rdf.yaml").decode()


@needs_packages
def test_a_cancelled_or_refused_export_leaves_nothing(tmp_path, small_network_classifier, kept_exports):
    path = tmp_path / "model.zip"
    steps = []
    with pytest.raises(ExportCancelled):
        small_network_classifier.export_bioimage(
            path, progress=lambda *step: steps.append(step), should_stop=lambda: len(steps) > 1
        )
    with pytest.raises(ClassifierError, match="cannot be described"):
        small_network_classifier.export_bioimage(path, license="my own")
    with pytest.raises(ClassifierError, match="has 1 channel"):
        small_network_classifier.export_bioimage(path, image=np.zeros((600, 600), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_words_when_the_packages_are_missing_or_do_not_work_together(tmp_path, small_network_classifier, monkeypatch):
    monkeypatch.setitem(sys.modules, "bioimageio.spec", None)
    with pytest.raises(ClassifierError, match=r'pip install "histowidgets\[bioimage\]"'):
        small_network_classifier.export_bioimage(tmp_path / "model.zip")
    with pytest.raises(ClassifierError, match=r"does not end in \.zip"):
        small_network_classifier.export_bioimage(tmp_path / "model")
    old = type(sys)("bioimageio.spec")
    old.__version__ = "0.5.12.0"
    monkeypatch.setitem(sys.modules, "bioimageio.spec", old)
    monkeypatch.setitem(sys.modules, "bioimageio.core", type(sys)("bioimageio.core"))
    monkeypatch.setattr("pydantic.VERSION", "2.14.4")
    with pytest.raises(ClassifierError, match=r"0\.5\.12\.0 does not work with pydantic 2\.14\.4"):
        small_network_classifier.export_bioimage(tmp_path / "model.zip")
    monkeypatch.setattr("pydantic.VERSION", "2.13.5")
    _export.require_packages()


def test_a_package_that_is_not_ours_or_is_damaged_is_named(tmp_path):
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("rdf.yaml", "type: model")
    with pytest.raises(ClassifierError, match=r"no ONNX file"):
        Classifier.load(path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ClassifierError):
        Classifier.load(path)


@pytest.mark.parametrize("strategy", ["percentile_99", "min_max", "z_score", "fixed_range"])
@pytest.mark.parametrize("per_channel", [False, True])
def test_gain_offset_and_clipping_are_our_normalization(sample, strategy, per_channel):
    normalization = hw.Normalization(strategy, per_channel=per_channel).fitted([sample])
    spec = replace(brightness_classifier(sample).spec, normalization=normalization)
    gains, offsets = _export.preprocessing(spec)
    pixels = sample.read(0, 0, 64, 64)
    scaled = np.clip(pixels.astype(np.float32) * np.float32(gains) + np.float32(offsets), 0, 1)
    np.testing.assert_allclose(scaled, normalization.apply(pixels), atol=1e-6)


def test_an_image_without_contrast_is_normalized_alike():
    flat = hw.open_image(np.full((64, 64, 3), 90, np.uint8))
    spec = brightness_classifier(flat).spec
    gains, offsets = _export.preprocessing(spec)
    values = np.array([[89.0, 90.0, 91.0]], np.float32)
    scaled = np.clip(values * np.float32(gains) + np.float32(offsets), 0, 1)
    assert scaled.tolist() == spec.normalization.apply(values).tolist() == [[0.0, 0.0, 1.0]]


def test_names_become_what_bioimageio_accepts(sample):
    assert _export.identifiers(["Tumour", "Ki-67 +", "Ki 67 -", "3", "細胞"]) == [
        "Tumour",
        "Ki_67",
        "Ki_67_2",
        "channel_3",
        "channel_4",
    ]
    spec = brightness_classifier(sample).spec
    assert _export.model_name(spec, "") == "Dark Bright pixel classifier"
    assert _export.model_name(spec, "H&E: tumour/stroma") == "H E tumour stroma"
    assert _export.model_name(spec, "&") == "pixel classifier"
    assert len(_export.model_name(spec, "x" * 200)) == 64


def test_a_matched_stain_is_warned_of(small_network_classifier, sample, tmp_path, monkeypatch):
    monkeypatch.setattr(_export, "require_packages", lambda: None)
    monkeypatch.setattr(_export, "export_network", _refuse)
    stained = hw.Normalization(match_stain=True).fitted([sample])
    classifier = Classifier(replace(small_network_classifier.spec, normalization=stained))
    with pytest.warns(HistowidgetsWarning, match="cannot do"), pytest.raises(ClassifierError, match="as far as this"):
        classifier.export_bioimage(tmp_path / "model.zip")


def _refuse(*_, **__):
    raise ClassifierError("as far as this")
