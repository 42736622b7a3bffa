"""Predicting images of any size and kind."""

import threading

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.errors import ClassifierError, PredictionCancelled, PredictionError, RegionError
from histowidgets.images import Region, read_padded
from histowidgets.models import NetworkSpec, build_network
from histowidgets.prediction import Classifier, ClassifierSpec, NetworkModel, Tile, match_channels
from histowidgets.prediction.inference import Job
from histowidgets.prediction.tiling._tta import SYMMETRIES, turned, turned_back
from tests.prediction.models import BrightnessModel, brightness_classifier, picture


@pytest.mark.parametrize("blend", ["centre-crop", "gaussian", "linear"])
@pytest.mark.parametrize("size", [(9, 4), (5, 300), (33, 31), (64, 64), (150, 97), (200, 333)])
def test_any_size(size, blend):
    image = picture(*size)
    prediction = brightness_classifier(image).predict(image, blend=blend)
    assert prediction.labels.shape == size
    assert prediction.labels.dtype == np.uint8
    assert prediction.probabilities.shape == (*size, 2)
    assert prediction.probabilities.dtype == np.float32
    np.testing.assert_allclose(prediction.probabilities.sum(-1), 1, atol=1e-6)
    np.testing.assert_array_equal(prediction.probabilities.argmax(-1), prediction.labels)


@pytest.mark.parametrize(("channels", "dtype"), [(1, np.uint8), (2, np.uint16), (5, np.float32)])
def test_other_than_rgb(channels, dtype):
    image = picture(90, 120, channels, dtype)
    prediction = brightness_classifier(image).predict(image)
    truth = image.read(0, 0, 120, 90)[..., 0] > np.median(image.read(0, 0, 120, 90)[..., 0])
    assert (prediction.labels == truth).mean() > 0.6


def test_arrays_and_paths_are_opened(tmp_path):
    image = picture(40, 50)
    pixels = image.read(0, 0, 50, 40)
    from PIL import Image as PillowImage

    PillowImage.fromarray(pixels).save(tmp_path / "picture.png")
    classifier = brightness_classifier(image)
    expected = classifier.predict(image).labels
    np.testing.assert_array_equal(classifier.predict(pixels).labels, expected)
    np.testing.assert_array_equal(classifier.predict(tmp_path / "picture.png").labels, expected)
    assert classifier.predict(tmp_path / "picture.png").image_name == "picture"


@pytest.mark.parametrize("blend", ["centre-crop", "gaussian", "linear"])
def test_r49_tiles_agree_with_the_whole_where_context_suffices(blend):
    image = picture(260, 330)
    tiled = brightness_classifier(image, BrightnessModel(largest_tile=64)).predict(image, blend=blend)
    whole = brightness_classifier(image, BrightnessModel(largest_tile=512)).predict(image)
    difference = np.abs(tiled.probabilities - whole.probabilities)[8:-8, 8:-8]
    # Blending also uses tile borders; they weigh little.
    assert difference.max() < (1e-3 if blend == "centre-crop" else 0.12)
    assert (tiled.labels == whole.labels).mean() > 0.99
    assert not np.array_equal(tiled.probabilities, whole.probabilities)


def test_r49_network_tiles_agree_with_the_whole(network_classifier):
    image = hw.open_image(np.tile(hw.samples.colon_ihc().read(0, 0, 512, 512), (1, 2, 1)))
    whole = network_classifier.predict(image, Region(200, 0, 400, 256))
    left = network_classifier.predict(image, Region(200, 0, 300, 256))
    difference = np.abs(whole.probabilities[:, :300] - left.probabilities)
    assert np.quantile(difference[:, :-64], 0.99) < 0.06  # an untrained decoder is all edges
    assert difference.mean() < 0.01


@pytest.mark.parametrize("downsample", [1, 2])
def test_a_region_is_predicted_with_its_surroundings(downsample):
    image = picture(200, 240)
    classifier = brightness_classifier(image, downsample=downsample)
    whole = classifier.predict(image)
    part = classifier.predict(image, region=(40, 60, 100, 80))
    assert part.region == Region(40, 60, 100, 80)
    expected = whole.probabilities[60:140, 40:140]
    np.testing.assert_allclose(part.probabilities[4:-4, 4:-4], expected[4:-4, 4:-4], atol=2e-3)


def test_nothing_outside_within_is_read():
    pixels = picture(100, 200).read(0, 0, 200, 100)
    changed = pixels.copy()
    changed[:, 100:] = 255 - changed[:, 100:]
    classifier = brightness_classifier(hw.open_image(pixels))
    left = Region(0, 0, 100, 100)
    a, b = (classifier.predict(p, left, within=left).probabilities for p in (pixels, changed))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(
        classifier.predict(pixels, left).probabilities, classifier.predict(changed, left).probabilities
    )


@pytest.mark.parametrize("downsample", [1, 2, 4, 8])
def test_r60_prediction_is_back_at_full_size(downsample):
    yy, xx = np.mgrid[:203, :305]
    truth = ((xx // 76 + yy // 68) % 2).astype(np.uint8)
    image = hw.open_image(np.repeat(truth[..., None] * 255, 3, axis=2))
    model = BrightnessModel(context=8, largest_tile=128)
    prediction = brightness_classifier(image, model, downsample=downsample).predict(image)
    assert prediction.labels.shape == (203, 305)
    assert (prediction.labels == truth).mean() > {1: 0.97, 2: 0.95, 4: 0.9, 8: 0.75}[downsample]
    # Kept at the resolution it was computed at.
    assert prediction.probability_map.values.shape == (2, -(-203 // downsample), -(-305 // downsample))


def test_r60_output_stride_and_downsample_multiply():
    image = picture(130, 170)
    fine = brightness_classifier(image).predict(image)
    coarse = brightness_classifier(image, BrightnessModel(output_stride=2)).predict(image)
    assert coarse.probability_map.scale == 2
    assert np.abs(fine.probabilities - coarse.probabilities).mean() < 0.02
    assert (fine.labels == coarse.labels).mean() > 0.97


@pytest.mark.parametrize("symmetry", SYMMETRIES)
def test_n5_each_symmetry_is_undone(symmetry):
    values = np.arange(2 * 3 * 4 * 6).reshape(2, 3, 4, 6)
    np.testing.assert_array_equal(turned_back(turned(values, *symmetry), *symmetry), values)


def test_n5_there_are_eight_different_symmetries():
    square = np.arange(9).reshape(3, 3)
    assert len({turned(square, *s).tobytes() for s in SYMMETRIES}) == 8


def test_n5_b7_augmentation_averages_over_the_symmetries():
    image = picture(64, 96)
    classifier = brightness_classifier(image, BrightnessModel(slanted=True, largest_tile=256))
    plain, averaged = classifier.predict(image), classifier.predict(image, tta=True)
    assert np.abs(plain.probabilities - averaged.probabilities).max() > 0.05
    mirrored = image.read(0, 0, 96, 64)[:, ::-1]
    np.testing.assert_allclose(
        classifier.predict(mirrored, tta=True).probabilities[:, ::-1], averaged.probabilities, atol=2e-3
    )


def test_b7_augmentation_acts_for_a_network(network_classifier, sample):
    region = Region(100, 100, 96, 64)
    plain = network_classifier.predict(sample, region).probabilities
    averaged = network_classifier.predict(sample, region, tta=True).probabilities
    assert np.abs(plain - averaged).max() > 1e-3


def test_b7_augmentation_acts_for_the_quick_learner(quick, sample):
    plain, averaged = (quick.predict(sample, tta=t).probabilities for t in (False, True))
    assert np.abs(plain - averaged).max() > 0.1, "where classes meet"
    assert np.abs(plain - averaged).mean() < 0.2


def test_progress_is_told_tile_by_tile():
    image = picture(200, 300)
    calls = []
    brightness_classifier(image).predict(image, progress=lambda *told: calls.append(told))
    assert calls[-1][0] == calls[-1][1] > 10
    assert calls[-1][2] == 0.0 <= min(c[2] for c in calls)
    assert [c[0] for c in calls] == sorted({c[0] for c in calls})


def test_a_stopped_prediction_says_how_far_it_came():
    image = picture(200, 300)
    calls = []
    classifier = brightness_classifier(image)
    with pytest.raises(PredictionCancelled, match=r"stopped after 4 of \d+ tiles"):
        classifier.predict(image, progress=lambda *c: calls.append(c), should_stop=lambda: len(calls) >= 2)
    with pytest.raises(PredictionCancelled, match="stopped after 0 of"):
        classifier.predict(image, tta=True, should_stop=lambda: True)


def test_b1_r50_prediction_sees_the_training_tensor_bit_for_bit(sample, network_classifier):
    """RGB jointly; what a training tile is: padded pixels, then Normalization.apply, then channels first."""
    region, seen = Region(-20, 30, 128, 128), []

    class Recorder(BrightnessModel):
        def probabilities(self, batch):
            seen.append(batch.copy())
            return super().probabilities(batch)

    normalization = network_classifier.normalization
    training = np.moveaxis(normalization.apply(read_padded(sample, region)), -1, 0)
    np.testing.assert_array_equal(Tile(sample, region, normalization).read(), training)
    assert Tile(sample, region, normalization).read().dtype == np.float32
    classifier = brightness_classifier(sample, Recorder(largest_tile=128, context=0))
    classifier.predict(sample, Region(128, 128, 128, 128), overlap=0)  # a tile of the grid
    expected = np.moveaxis(classifier.normalization.apply(sample.read(128, 128, 128, 128)), -1, 0)
    assert any(np.array_equal(tile, expected) for batch in seen for tile in batch)


def test_b1_r50_per_channel_too():
    image = picture(64, 64, 5, np.uint16)
    normalization = hw.Normalization(per_channel=True).fitted([image])
    tile = Tile(image, image.region, normalization, 2).read()
    np.testing.assert_array_equal(tile, np.moveaxis(normalization.apply(image.read(0, 0, 64, 64, 2)), -1, 0))


def test_r50_the_training_statistics_are_used_and_not_those_of_the_image():
    image, darker = picture(96, 96), None
    darker = hw.open_image(image.read(0, 0, 96, 96) // 8)
    assert (brightness_classifier(image).predict(darker).labels == 0).all()


def test_n8_channels_are_matched_by_name():
    pixels = picture(64, 64, 3, np.uint16).read(0, 0, 64, 64)
    image = hw.open_image(pixels, channel_names=["DAPI", "GFP", "RFP"])
    turned_round = hw.open_image(np.ascontiguousarray(pixels[..., ::-1]), channel_names=["RFP", "GFP", "DAPI"])
    more = hw.open_image(np.concatenate([pixels[..., :1] * 0, pixels], -1), channel_names=["Cy5", "DAPI", "GFP", "RFP"])
    classifier = brightness_classifier(image)
    expected = classifier.predict(image).probabilities
    for other in (turned_round, more):
        np.testing.assert_array_equal(classifier.predict(other).probabilities, expected)


def test_channels_are_matched_whatever_their_capitals_and_unicode_form():
    wanted = ["DAPI", "CD8", "Kérat"]
    assert match_channels(wanted, ["cd8", "ke\u0301rat", "Dapi"], "x") == (2, 0, 1)
    assert match_channels(wanted, ["dapi", "CD 8", "KÉRAT"], "x") is None
    assert match_channels(["a", "A"], ["A", "a"], "x") == (1, 0)
    with pytest.raises(PredictionError, match="the image has no 'CD8'"):
        match_channels(["DAPI", "CD8"], ["CD3", "dapi"], "x")
    pixels = picture(64, 64, 3, np.uint16).read(0, 0, 64, 64)
    image = hw.open_image(pixels, channel_names=["DAPI", "GFP", "RFP"])
    other = hw.open_image(np.ascontiguousarray(pixels[..., ::-1]), channel_names=["rfp", "gfp", "dapi"])
    classifier = brightness_classifier(image)
    expected = classifier.predict(image).probabilities
    np.testing.assert_array_equal(classifier.predict(other).probabilities, expected)


def test_channels_of_other_names_are_taken_in_their_order_and_that_is_said():
    pixels = picture(64, 64, 3, np.uint16).read(0, 0, 64, 64)
    classifier = brightness_classifier(hw.open_image(pixels, channel_names=["DAPI", "GFP", "RFP"]))
    image = hw.open_image(pixels, channel_names=["dapi", "Cy3", "Cy5"])
    [said] = [one for one in classifier.check(image) if one.id == "channels-by-place"]
    assert "order: Cy3 for GFP, Cy5 for RFP. " in said.detail
    for names in (None, ["dapi", "gfp", "rfp"], ["RFP", "GFP", "DAPI"]):
        image = hw.open_image(pixels, channel_names=names)
        assert not [one for one in classifier.check(image) if one.id == "channels-by-place"]


def test_n8_names_that_nobody_knows_go_by_position():
    assert match_channels(["Red", "Green", "Blue"], ["Channel 1", "Channel 2", "Channel 3"], "x") is None
    assert match_channels(["a", "b"], ["b", "a"], "x") == (1, 0)


def test_n8_a_wrong_number_or_a_missing_channel_is_refused():
    image = picture(64, 64, 1)
    classifier = brightness_classifier(picture(64, 64))
    with pytest.raises(PredictionError, match=r"1 channel\(s\) \(Gray\).*trained on 3 \(Red, Green, Blue\)"):
        classifier.predict(image)
    with pytest.raises(PredictionError, match="the image has no 'DAPI'"):
        match_channels(["DAPI", "GFP"], ["GFP", "RFP"], "x")


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"blend": "median"}, PredictionError, "blend is 'median'"),
        ({"overlap": 0.7}, PredictionError, "overlap is 0.7"),
        ({"overlap": float("nan")}, PredictionError, "overlap is nan"),
        ({"region": (50, 50, 100, 10)}, RegionError, "is not inside image 'picture' of 100 x 90"),
        ({"region": (0, 0, 0, 10)}, RegionError, "at least one pixel"),
        ({"region": (0.5, 0, 10, 10)}, RegionError, "four whole numbers"),
    ],
)
def test_bad_arguments(keywords, error, message):
    image = picture(90, 100)
    with pytest.raises(error, match=message):
        brightness_classifier(image).predict(image, **keywords)


def test_parts_that_do_not_fit_are_refused(sample):
    fitted = hw.Normalization().fitted([sample])
    good = {"classes": ["A", "B"], "colors": COLORS[:2], "channel_names": sample.channel_names, "normalization": fitted}
    for change, message in [
        ({"classes": ["A"]}, "1 class name"),
        ({"classes": ["A", "A"]}, "unique name"),
        ({"colors": ["#000000", "no colour"]}, "is not a colour"),
        ({"channel_names": ["Gray"]}, r"takes 3 channel\(s\)"),
        ({"normalization": hw.Normalization()}, "has no statistics"),
        ({"downsample": 0}, "downsample is 0"),
        ({"tile_size": 2.5}, "tile_size is 2.5"),
    ]:
        with pytest.raises(ClassifierError, match=message):
            Classifier(ClassifierSpec(BrightnessModel(), **{**good, **change}))


COLORS = ["#d55e00", "#0072b2"]


def test_many_threads_get_the_same_answer(network_classifier, sample):
    expected = network_classifier.predict(sample, Region(0, 0, 128, 128)).probabilities
    answers = [None] * 4

    def work(i):
        answers[i] = network_classifier.predict(sample, Region(0, 0, 128, 128)).probabilities

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answer in answers:
        np.testing.assert_allclose(answer, expected, atol=1e-3)


def test_the_classifier_keeps_its_own_copy_of_the_network(sample):
    import torch

    from histowidgets.models import NetworkSpec, build_network
    from histowidgets.prediction import NetworkModel

    network = build_network(
        NetworkSpec(n_classes=2, decoder_channels=(16, 16, 8, 8), output_stride=2), pretrained=False
    )
    model = NetworkModel(network)
    tile = np.random.default_rng(0).random((1, 3, 64, 64), dtype=np.float32)
    before = model.probabilities(tile)
    network.train()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1)
    np.testing.assert_array_equal(model.probabilities(tile), before)
    assert network.training
    again = model.network()
    assert again.training
    assert all(p.requires_grad for p in again.parameters())


@pytest.mark.parametrize(
    ("architecture", "backbone", "pools"),
    [
        ("unet", "efficientnet-lite0", False),
        ("unet", "resnet18", False),
        ("unet", "mobilenetv3-small", True),
        ("unet", "efficientnet-b0", True),
        ("deeplabv3plus", "resnet18", True),
    ],
)
def test_a_network_that_takes_means_over_its_tile_is_asked_in_tiles_of_the_training_size(
    sample, architecture, backbone, pools
):
    spec = NetworkSpec(n_classes=2, architecture=architecture, backbone=backbone)
    model = NetworkModel(build_network(spec, pretrained=False, seed=0))
    for tile_size in (128, 192):
        job = Job.of(brightness_classifier(sample, model, tile_size=tile_size).spec, sample)
        (plan,) = job.plans
        assert ((plan.rows.size, plan.cols.size) == (tile_size, tile_size)) == pools
        assert (plan.n_tiles == 1) != pools
