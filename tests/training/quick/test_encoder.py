"""The quick learner on other frozen encoders, with weights from a stand-in for the hub."""

import warnings

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save

import histowidgets as hw
from histowidgets.cli import main
from histowidgets.errors import BackboneError, ClassifierError, HistowidgetsWarning
from histowidgets.models import (
    DEFAULT_BACKBONE,
    WeightsUnavailableError,
    encoder_without_weights,
    find_backbone,
    hub_address,
)
from histowidgets.models._hub import COMMERCIAL_USE
from histowidgets.prediction import QuickEncoder, forget_encoders, forget_features, frozen_encoder
from histowidgets.training.quick._learner import warm_quick
from tests.models.stand_in_hub import stand_in_hub
from tests.training.quick.test_learner import halves, truth_project

TINY, CNN = "vit_tiny_patch16_224", "resnet18"


@pytest.fixture(scope="module")
def content():
    """Weight files of random numbers: of a small transformer, a ResNet, and a gated model's name."""
    torch.manual_seed(0)
    tiny = timm.create_model(TINY).state_dict()
    cnn = encoder_without_weights(find_backbone(CNN)).state_dict()
    plain = {name: value.contiguous() for name, value in cnn.items()}
    return {TINY: save(tiny), CNN: save(plain)}


@pytest.fixture
def hub(monkeypatch, tmp_path, content):
    forget_encoders()
    forget_features()
    with stand_in_hub(monkeypatch, tmp_path / "cache") as found:
        for name, file in content.items():
            found.files[hub_address(find_backbone(name))[0], "model.safetensors"] = file
        yield found
    forget_encoders()


def bright_and_dark(folder=None, channels=3):
    truth = halves(64, 128)
    made, name = truth_project(truth, channels)
    project = hw.Project(classes=["Dark", "Bright"], folder=folder)
    project.add_image(made.image(name))
    for y in (4, 40):
        for x, class_name in ((5, "Dark"), (35, "Dark"), (75, "Bright"), (100, "Bright")):
            project.annotate(name, hw.Rectangle(x, y, 15, 20), class_name)
    return project, name, truth


@pytest.mark.parametrize(("backbone", "channels"), [(TINY, 3), (CNN, 5)])
def test_x11_the_quick_learner_learns_on_any_frozen_encoder_and_is_saved(backbone, channels, hub, tmp_path):
    project, name, truth = bright_and_dark(channels=channels)
    classifier = hw.quick_classifier(project, backbone=backbone)
    assert classifier.settings["backbone"] == backbone
    found = classifier.predict(project.image(name))
    assert (found.labels == truth).mean() > 0.85
    encoder = classifier.model.spec()["encoder"]
    assert encoder["weights"].startswith(
        f"pretrained weights from the hub, {hub_address(find_backbone(backbone))[0]} at "
    )
    assert classifier.model.tensors()["stages.projection.weight"].shape[0] == 64
    classifier.save(tmp_path / "saved")
    # The licence lets these small weights be passed on, so that the folder needs no hub.
    forget_encoders()
    hub.mode = "nonsense"
    again = hw.Classifier.load(tmp_path / "saved")
    np.testing.assert_array_equal(again.predict(project.image(name)).labels, found.labels)
    with pytest.raises(ClassifierError, match="quick"):
        again.export_onnx(tmp_path / "x.onnx")


def test_x11_features_are_kept_beside_the_project_and_can_be_deleted(hub, tmp_path, monkeypatch, capsys):
    project, name, _ = bright_and_dark(tmp_path / "project")
    warm_quick(project, name, backbone=TINY)
    features = tmp_path / "project" / "features"
    (file,) = features.iterdir()
    before = hw.quick_classifier(project, backbone=TINY)
    assert [*features.iterdir()] == [file], "learning uses the features of warming up"
    forget_features()
    with monkeypatch.context() as patched:
        patched.setattr("histowidgets.prediction.pixel_models._quick_encoder.features_of", None)
        again = hw.quick_classifier(project, backbone=TINY)
    for key, value in before.model.tensors().items():
        np.testing.assert_array_equal(value, again.model.tensors()[key])
    capsys.readouterr()
    project.close()
    assert main(["info", str(tmp_path / "project")]) == 0
    assert "features of encoders on disk: 1 tile, 0.0 MB in features/, safe to delete" in capsys.readouterr().out
    project = hw.Project.open(tmp_path / "project")
    forget_features()
    file.unlink()
    features.rmdir()
    once_more = hw.quick_classifier(project, backbone=TINY)
    np.testing.assert_array_equal(once_more.model.tensors()["deep.0.weight"], before.model.tensors()["deep.0.weight"])
    project.close()


def test_x11_a_stroke_more_changes_neither_the_projection_nor_the_features(hub, monkeypatch):
    project, name, _ = bright_and_dark()
    first = hw.quick_classifier(project, backbone=TINY).model.tensors()["stages.projection.weight"]
    project.annotate(name, hw.Stroke([(10, 30), (40, 32)], width=8), "Dark")
    monkeypatch.setattr("histowidgets.prediction.pixel_models._quick_encoder.features_of", None)
    monkeypatch.setattr("histowidgets.prediction.pixel_models._quick_encoder.principal_components", None)
    second = hw.quick_classifier(project, backbone=TINY).model.tensors()["stages.projection.weight"]
    np.testing.assert_array_equal(first, second)


def test_x11_encoders_are_chosen_by_their_scores(hub):
    project, _, _ = bright_and_dark()
    assert 0.5 < hw.quick_score(project, backbone=CNN, folds=2).miou <= 1
    hub.mode = "nonsense"
    with pytest.raises(WeightsUnavailableError, match="the hub answered"):
        hw.quick_score(project, backbone="resnet34", folds=2)


@pytest.mark.parametrize(
    ("backbone", "mode", "reason"),
    [
        ("resnet34", "nonsense", "the hub answered: "),
        ("uni", "gated", "they are gated: ask for access at https://huggingface.co/MahmoodLab/UNI"),
        ("resnet34", "honest", "the hub answered: 404"),
    ],
)
def test_weights_that_cannot_be_had_are_replaced_and_said(backbone, mode, reason, hub):
    project, _, _ = bright_and_dark()
    hub.mode = mode
    with pytest.warns(HistowidgetsWarning) as said:
        classifier = hw.quick_classifier(project, backbone=backbone)
    text = str(said[-1].message)
    assert f"The weights of {backbone} could not be loaded ({reason}" in text
    assert text.endswith(f"The bundled {DEFAULT_BACKBONE} is used instead.")
    assert classifier.settings["backbone"] == DEFAULT_BACKBONE


def test_a_half_fetched_file_is_replaced_and_said(hub, content):
    project, _, _ = bright_and_dark()
    repository, _ = hub_address(find_backbone(TINY))
    hub.files[repository, "model.safetensors"] = content[TINY][: len(content[TINY]) // 2]
    with pytest.warns(HistowidgetsWarning, match="is cut off or damaged .* is used instead"):
        hw.quick_classifier(project, backbone=TINY)


def test_a_licence_is_said_once_or_respected_if_it_forbids_the_use(hub, monkeypatch, content):
    project, _, _ = bright_and_dark()
    card = find_backbone("mit_b0")
    hub.files[hub_address(card)[0], "model.safetensors"] = save(
        {name: value.contiguous() for name, value in encoder_without_weights(card).state_dict().items()}
    )
    with pytest.warns(HistowidgetsWarning, match="must not be used commercially"):
        encoder = frozen_encoder("mit_b0")
    assert QuickEncoder(encoder).tensors() == {}, "its weights are not passed on"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert frozen_encoder("mit_b0") is encoder
    forget_encoders()
    monkeypatch.setenv(COMMERCIAL_USE, "1")
    with pytest.warns(HistowidgetsWarning, match="forbids commercial use"):
        hw.quick_classifier(project, backbone="mit_b0")


def test_a_classifier_without_its_encoders_weights_says_how_to_get_them(hub, tmp_path, monkeypatch):
    monkeypatch.setattr("histowidgets.prediction.pixel_models._quick_encoder.SAVED_BYTES", 0)
    project, name, _ = bright_and_dark()
    classifier = hw.quick_classifier(project, backbone=TINY)
    classifier.save(tmp_path / "saved")
    assert (tmp_path / "saved" / "model.safetensors").stat().st_size < 2e6
    again = hw.Classifier.load(tmp_path / "saved")
    expected = classifier.predict(project.image(name)).labels
    np.testing.assert_array_equal(again.predict(project.image(name)).labels, expected)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "empty"))
    forget_encoders()
    with pytest.raises(ClassifierError, match=f"HF_HUB_OFFLINE is set .* histowidgets weights fetch {TINY}"):
        hw.Classifier.load(tmp_path / "saved")


def test_other_weights_of_the_same_name_are_refused(hub, tmp_path, monkeypatch):
    monkeypatch.setattr("histowidgets.prediction.pixel_models._quick_encoder.SAVED_BYTES", 0)
    project, _, _ = bright_and_dark()
    hw.quick_classifier(project, backbone=TINY).save(tmp_path / "saved")
    torch.manual_seed(9)
    hub.files[hub_address(find_backbone(TINY))[0], "model.safetensors"] = save(timm.create_model(TINY).state_dict())
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "empty"))
    forget_encoders()
    with pytest.raises(ClassifierError, match=f"fitted with other weights of {TINY}"):
        hw.Classifier.load(tmp_path / "saved")


def test_an_unknown_encoder_suggests_near_names():
    project, _, _ = bright_and_dark()
    with pytest.raises(BackboneError, match="Did you mean phikon"):
        hw.quick_classifier(project, backbone="phikom")


def test_a_gpu_that_cannot_be_used_is_said_with_what_is_used_instead(hub, monkeypatch):
    """A device that this build of torch, or this computer, cannot compute on."""
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    project, _, _ = bright_and_dark()
    monkeypatch.setattr(
        "histowidgets.prediction.pixel_models._frozen_encoder.best_devices",
        lambda: [torch.device("cuda"), torch.device("cpu")],
    )
    with pytest.warns(HistowidgetsWarning, match=r"The GPU cannot be used for .* The processor is used instead"):
        hw.quick_classifier(project, backbone=TINY)
