"""Training, prediction and what follows, on a device that is not the processor: mixed devices are errors there."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

import histowidgets as hw
from histowidgets.errors import HistowidgetsWarning
from histowidgets.models import encoder_without_weights, find_backbone
from histowidgets.prediction import FrozenEncoder, NetworkModel, QuickEncoder
from histowidgets.training import BatchEnded, resume_training, start_training, train
from tests.other_device import DEVICE, MixedDevicesError, OtherTensor, other_device
from tests.training.helpers import painted, quick


@pytest.fixture
def device(monkeypatch):
    with other_device(monkeypatch):
        yield DEVICE


def weights_of(classifier):
    return {name: value for name, value in classifier.network.model.tensors().items() if "num_batches" not in name}


def test_the_stand_in_finds_what_a_gpu_would(device):
    here, there = torch.rand(3), torch.rand(3, device="cuda")
    assert (there.device, there.cpu().device) == (DEVICE, torch.device("cpu"))
    torch.testing.assert_close((there * 2).cpu(), there.cpu() * 2)
    with pytest.raises(MixedDevicesError, match=r"aten.add.Tensor got cuda \(3,\), cpu \(3,\)"):
        there + here
    with pytest.raises(TypeError, match="can't convert cuda"):
        there.numpy()
    there.copy_(here)
    assert torch.equal(there.cpu(), here)


def assert_same_weights(found, expected):
    own = weights_of(found)
    for name, value in weights_of(expected).items():
        np.testing.assert_allclose(own[name], value, rtol=1e-3, atol=1e-3, err_msg=name)


@pytest.mark.parametrize(
    "changes",
    [{}, {"freeze": "none", "loss": "lovasz", "gradient_clip": 1.0, "accumulation": 2, "class_weights": {"Dark": 2.0}}],
    ids=["usual", "all trained"],
)
def test_a_run_on_a_device_learns_what_it_learns_on_the_processor(changes, monkeypatch):
    settings = {"epochs": 1, **changes}
    expected = train(painted(), quick(**settings))
    with other_device(monkeypatch):
        run = train(painted(), quick(device="cuda", **settings))
        assert_same_weights(run.classifier, expected.classifier)


def test_formats_and_learning_rates_are_measured_on_a_device(device):
    measured = {"precision": "auto", "memory_format": "auto", "find_learning_rate": True}
    run = train(painted(), quick(device="auto", epochs=1, **measured))
    assert run.error is None
    assert 0 <= run.classifier.scores["val_miou"] <= 1


@pytest.fixture(scope="module")
def trained():
    """A network that was trained on the processor for a few steps."""
    return train(painted(), quick()).classifier.network


def on_device(classifier):
    """The same classifier with its network on the device."""
    network = classifier.model.network()
    return hw.Classifier(replace(classifier.spec, model=NetworkModel(network.to("cuda"), owned=True)))


def test_prediction_gives_the_same_labels_and_probabilities(trained, monkeypatch):
    image = painted(side=128).image("image 0")
    for options in ({}, {"tta": True}, {"grids": 2, "blend": "gaussian"}):
        expected = trained.predict(image, **options)
        with other_device(monkeypatch):
            found = on_device(trained).predict(image, **options)
        np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=1e-4)


def test_many_tiles_are_timed_and_predicted_alike(trained, monkeypatch):
    monkeypatch.setattr("histowidgets.prediction.pixel_models._network.PROBE_FROM_TILES", 1)
    image = painted(side=128).image("image 0")
    with other_device(monkeypatch):
        found = on_device(trained).predict(image)
    assert (found.labels == trained.predict(image).labels).mean() > 0.999


def test_adabn_measures_the_same_statistics(trained, monkeypatch):
    image = painted(side=128).image("image 0")
    expected = trained.adapted_to(image)
    with other_device(monkeypatch):
        assert_same_weights(on_device(trained).adapted_to(image), expected)


def test_a_classifier_is_saved_softened_and_joined_with_the_quick_learner(trained, monkeypatch, tmp_path):
    image = painted(side=128).image("image 0")
    expected = trained.predict(image).labels
    with other_device(monkeypatch):
        classifier = on_device(trained)
        classifier.save(tmp_path / "saved")
        assert classifier.model.with_temperature(2.0).probabilities(np.zeros((1, 3, 64, 64), np.float32)).shape[1] == 2
        both = hw.ensemble_with_quick(classifier, painted(side=128))
        assert both.predict(image).labels.shape == (128, 128)
    np.testing.assert_array_equal(hw.Classifier.load(tmp_path / "saved").predict(image).labels, expected)


@pytest.mark.slow
def test_a_classifier_is_exported(trained, monkeypatch, tmp_path):
    pytest.importorskip("onnx")
    with other_device(monkeypatch):
        on_device(trained).export_onnx(tmp_path / "model.onnx")  # its process compares the answers
    assert (tmp_path / "model.onnx").stat().st_size > 100_000


def test_a_classifier_is_trained_further(trained, device):
    run = train(painted(), quick(device="cuda", epochs=1), continue_from=on_device(trained))
    assert run.error is None


def test_a_run_that_was_cut_off_is_resumed(monkeypatch, tmp_path):
    monkeypatch.setattr("histowidgets.training.storage._run_writer.CHECKPOINT_SHARE", 1e9)  # write every epoch

    def keep(event):
        if isinstance(event, BatchEnded) and (event.epoch, event.step) == (2, 1):
            shutil.copytree(tmp_path / "project", tmp_path / "cut", ignore=shutil.ignore_patterns("*.lock"))

    with other_device(monkeypatch):
        project = painted(folder=tmp_path / "project")
        run = start_training(project, quick(device="cuda", epochs=2))
        run.subscribe(keep)
        run.wait()
        project.close()
        assert run.error is None
        cut = hw.Project.open(tmp_path / "cut")
        again = resume_training(cut)
        again.wait()
        assert again.error is None
        assert "resumed after epoch 1 of 2" in again.messages[0].text
        assert_same_weights(again.classifier, run.classifier)
        cut.close()


@pytest.mark.parametrize("name", ["resnet18", "vit_tiny_patch16_224"])
def test_features_of_a_frozen_encoder_are_the_same(name, monkeypatch):
    card = find_backbone(name)
    encoder = FrozenEncoder(card, encoder_without_weights(card), "random")
    pixels = torch.rand(1, 5, 64, 96)
    expected = QuickEncoder(encoder)(pixels)
    with other_device(monkeypatch):
        encoder.to("cuda")
        assert isinstance(encoder.input_mean, OtherTensor)
        found = QuickEncoder(encoder)(pixels)
        tensors = QuickEncoder(encoder).tensors()
    assert all(one.device.type == "cpu" for one in found)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-3, rtol=1e-2)
    assert all(type(value) is np.ndarray for value in tensors.values())


def test_a_gpu_that_is_full_hands_over_to_the_processor_and_says_so(monkeypatch):
    card = find_backbone("resnet18")
    encoder = FrozenEncoder(card, encoder_without_weights(card), "random")
    pixels = torch.rand(1, 3, 64, 64)
    expected = QuickEncoder(encoder)(pixels)
    forward = FrozenEncoder.forward

    def full(self, pixels):
        if isinstance(pixels, OtherTensor):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, pixels)

    with other_device(monkeypatch):
        encoder.to("cuda")
        monkeypatch.setattr(FrozenEncoder, "forward", full)
        with pytest.warns(HistowidgetsWarning, match=r"CUDA out of memory\). The processor is used instead"):
            found = QuickEncoder(encoder)(pixels)
    assert encoder.device.type == "cpu"
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
