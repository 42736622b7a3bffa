"""Several classifiers as one: the mean of what they answer."""

import json

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.errors import ClassifierError
from histowidgets.images import open_image
from histowidgets.prediction import Classifier
from histowidgets.prediction import mean_of as mean_of_specs
from tests.prediction.models import BrightnessModel, brightness_classifier


def mean_of(classifiers, weights=None):
    return Classifier(mean_of_specs([one.spec for one in classifiers], weights))


class Sure(BrightnessModel):
    """Says the same of every pixel."""

    def probabilities(self, batch):
        found = super().probabilities(batch)
        found[:, 0], found[:, 1] = 0.1, 0.9
        return found


class AskedInItsOwnWay(BrightnessModel):
    """Says by which of its ways it was asked."""

    def fastest(self, side, tiles):
        def compute(batch, labels):
            self.asked = (side, tiles, labels)
            return self.probabilities(batch)

        return compute


@pytest.fixture
def noise():
    values = np.random.default_rng(0).normal(128, 60, (200, 230, 3))
    return open_image(np.clip(values, 0, 255).astype(np.uint8), name="noise")


def test_its_probabilities_are_the_mean_of_those_of_its_parts_whatever_their_resolution(noise):
    fine = brightness_classifier(noise, BrightnessModel(largest_tile=256))
    coarse = brightness_classifier(noise, Sure(output_stride=2, largest_tile=256))
    both = mean_of([fine, coarse])
    assert (both.kind, both.model.output_stride, both.downsample) == ("mean", 1, 1)
    single = [one.predict(noise).probabilities for one in (fine, coarse)]
    found = both.predict(noise).probabilities
    assert np.abs(found - np.mean(single, axis=0)).max() < 0.02
    assert np.abs(found - single[0]).max() > 0.1
    assert both.predict(noise, probabilities=False).labels.tolist() == both.predict(noise).labels.tolist()


def test_weights_say_how_much_each_part_counts(noise):
    parts = [brightness_classifier(noise), brightness_classifier(noise, Sure())]
    single = [one.predict(noise).probabilities for one in parts]
    weighted = mean_of(parts, [1, 3])
    assert weighted.model.weights == (0.25, 0.75)
    expected = 0.25 * single[0] + 0.75 * single[1]
    assert np.abs(weighted.predict(noise).probabilities - expected).max() < 1e-5
    for wrong in ([1, 0], [1, -2], [1, float("nan")], [1, float("inf")]):
        with pytest.raises(ClassifierError, match="must be above 0"):
            mean_of(parts, wrong)
    with pytest.raises(ClassifierError, match="2 classifiers, but 3 weights"):
        mean_of(parts, [1, 1, 1])


def test_a_part_that_sees_smaller_pixels_sees_what_the_image_reads_at_its_downsample(noise):
    full = brightness_classifier(noise, BrightnessModel(output_stride=2, largest_tile=256))
    half = brightness_classifier(noise, BrightnessModel(largest_tile=256), downsample=2)
    both = mean_of([half, full])
    assert (both.model.multiple, both.model.output_stride, both.model.context) == (64, 2, 16)
    single = [one.predict(noise).probabilities for one in (half, full)]
    assert np.abs(both.predict(noise).probabilities - np.mean(single, axis=0)).max() < 0.02


def test_of_a_large_region_each_part_is_asked_in_its_fastest_way(noise, monkeypatch):
    monkeypatch.setattr("histowidgets.prediction.inference._tiled.KEPT_PIXELS", 0)
    fast = AskedInItsOwnWay(largest_tile=64)
    both = mean_of([brightness_classifier(noise, fast, downsample=2), brightness_classifier(noise)])
    labels = both.predict(noise, probabilities=False).labels
    assert (labels == both.predict(noise).labels).mean() > 0.98, "half precision decides where both are alike"
    side, tiles, for_labels = fast.asked
    assert (side, for_labels) == (both.tile_size // 2, False)
    assert tiles > 1


def test_what_does_not_fit_together_is_refused_with_what_to_do(noise):
    one = brightness_classifier(noise)
    other = brightness_classifier(open_image(noise.read(0, 0, 90, 90) // 2, name="dark"))
    with pytest.raises(ClassifierError, match=r"another normalization .* the same normalization"):
        mean_of([one, other])
    with pytest.raises(ClassifierError, match="another classes"):
        mean_of([one, brightness_classifier(noise, BrightnessModel(n_classes=3))])
    with pytest.raises(ClassifierError, match="downsample 3; expected a multiple of 2"):
        mean_of([brightness_classifier(noise, downsample=2), brightness_classifier(noise, downsample=3)])
    for few in ([], [one]):
        with pytest.raises(ClassifierError, match=r"at least two|2 to 8"):
            mean_of(few)
    both = mean_of([one, one])
    with pytest.raises(ClassifierError, match="cannot contain an ensemble"):
        mean_of([both, one])


@pytest.fixture(scope="module")
def both(network_classifier, painted):
    return hw.ensemble_with_quick(network_classifier, painted)


def test_saved_and_loaded_it_gives_the_same_labels_and_comes_apart_again(both, network_classifier, sample, tmp_path):
    both.save(tmp_path / "both")
    loaded = hw.Classifier.load(tmp_path / "both")
    assert np.array_equal(loaded.predict(sample).labels, both.predict(sample).labels)
    network, quick = loaded.parts
    assert (network.kind, quick.kind, quick.parts) == ("network", "quick", ())
    assert np.array_equal(network.predict(sample).labels, network_classifier.predict(sample).labels)
    assert network.downsample == network_classifier.downsample


def test_weights_are_saved_and_without_them_all_parts_count_equally(both, sample, tmp_path):
    weighted = mean_of(both.parts, [1, 3])
    weighted.save(tmp_path / "weighted")
    loaded = hw.Classifier.load(tmp_path / "weighted")
    assert loaded.model.weights == (0.25, 0.75)
    assert np.array_equal(loaded.predict(sample).labels, weighted.predict(sample).labels)
    assert loaded.adapted_to(sample).model.weights == (0.25, 0.75)
    path = tmp_path / "weighted" / "classifier.json"  # as the version before wrote it
    card = json.loads(path.read_text())
    for member in card["model"]["members"]:
        del member["weight"]
    path.write_text(json.dumps(card))
    assert hw.Classifier.load(tmp_path / "weighted").model.weights == (0.5, 0.5)


def test_adapting_measures_the_networks_statistics_and_leaves_the_rest(both, sample):
    adapted = both.adapted_to(sample)
    before, after = both.model.tensors(), adapted.model.tensors()
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert changed
    assert all((name.startswith("0.") and "running" in name) or "num_batches" in name for name in changed)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda members: members.pop(), "2 to 8"),
        (lambda members: members.extend(members * 8), "2 to 8"),
        (lambda members: members[0].update(kind="mean"), "cannot contain"),
        (lambda members: members[1].update(factor=0), "downsample factor 0"),
        (lambda members: members[1].update(factor=True), "downsample factor True"),
        (lambda members: members[1].update(weight="2"), "weight '2'"),
        (lambda members: members[1].update(weight=0), "above 0"),
        (lambda members: members[1].update(kind="forest"), "forest"),
        (lambda members: members[0].pop("model"), "model"),
        (lambda members: members.reverse(), "do not fit"),
    ],
)
def test_a_damaged_folder_is_named(both, tmp_path, change, message):
    both.save(tmp_path / "both")
    path = tmp_path / "both" / "classifier.json"
    card = json.loads(path.read_text())
    change(card["model"]["members"])
    path.write_text(json.dumps(card))
    with pytest.raises(ClassifierError, match=f"classifier.json is damaged.*{message}"):
        hw.Classifier.load(tmp_path / "both")
