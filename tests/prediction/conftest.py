import pytest

import histowidgets as hw
from histowidgets.models import NetworkSpec, build_network
from histowidgets.prediction import Classifier, ClassifierSpec, NetworkModel
from histowidgets.prediction.onnx import _export
from tests.prediction.exports import KeptExports
from tests.prediction.models import SMALL_BACKBONE


@pytest.fixture(scope="session")
def sample():
    return hw.samples.colon_ihc()


def _network_classifier(sample, network):
    return Classifier(
        ClassifierSpec(
            NetworkModel(network),
            classes=["Epithelium", "Stroma", "Lumen"],
            colors=["#d55e00", "#0072b2", "#009e73"],
            channel_names=sample.channel_names,
            normalization=hw.Normalization().fitted([sample]),
            pixel_size_um=0.5,
            settings={"epochs": 3},
            scores={"val_miou": 0.5},
            history=[{"epoch": 1, "val_iou": {"Stroma": None}}],
            trained_on={"images": ["colon"]},
            name="colon",
        )
    )


@pytest.fixture(scope="session")
def network_classifier(sample):
    """A real network with pretrained encoder and an untrained decoder."""
    spec = NetworkSpec(n_classes=3, decoder_channels=(32, 16, 16, 8), output_stride=2)
    return _network_classifier(sample, build_network(spec, seed=0))


@pytest.fixture(scope="session")
def small_network_classifier(sample):
    """Like `network_classifier`, of random weights and so few layers that its export takes seconds, not a minute."""
    spec = NetworkSpec(backbone=SMALL_BACKBONE, n_classes=3, decoder_channels=(8, 8, 8, 8), output_stride=2)
    return _network_classifier(sample, build_network(spec, pretrained=False, seed=0))


@pytest.fixture(scope="session")
def painted(sample):
    """A project with two strokes of each of three classes."""
    project = hw.Project(classes=["Epithelium", "Stroma", "Lumen"])
    name = project.add_image(sample)
    strokes = {
        "Epithelium": [[(95, 35), (110, 52), (122, 68)], [(300, 40), (330, 60)]],
        "Stroma": [[(260, 230), (285, 262), (290, 290)], [(490, 250), (482, 300)]],
        "Lumen": [[(10, 330), (20, 356), (14, 390)], [(345, 110), (368, 150), (380, 190)]],
    }
    for class_name, lines in strokes.items():
        for points in lines:
            project.annotate(name, hw.Stroke(points, width=8), class_name)
    return project


@pytest.fixture(scope="session")
def quick(painted):
    return hw.quick_classifier(painted)


@pytest.fixture(scope="session")
def _all_exports(tmp_path_factory):
    return KeptExports(tmp_path_factory.mktemp("exports"), _export.export_in_process)


@pytest.fixture
def kept_exports(_all_exports, monkeypatch):
    """Let a network be traced once for all tests that need its file: `exports.KeptExports`."""
    monkeypatch.setattr(_export, "export_in_process", _all_exports)
    return _all_exports


@pytest.fixture(scope="session")
def ensemble(network_classifier, painted):
    return hw.ensemble_with_quick(network_classifier, painted)
