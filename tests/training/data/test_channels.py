"""Channels are chosen, put in order, and found again by name (row N8)."""

import numpy as np
import pytest

from histowidgets.annotations import Project, Rectangle
from histowidgets.errors import ImageError, SettingsError
from histowidgets.images import open_image, select_channels
from histowidgets.training import TrainingSettings, start_training
from histowidgets.training.data._channels import with_channels
from tests.training.helpers import quick

MARKERS = ["DAPI", "CD3", "CD8", "CD20"]
OTHER = "CD4"


def marked(order, name, seed=0):
    """An image of 96 x 96 pixels whose value is 1000 times the number of its channel, and a little noise."""
    rng = np.random.default_rng(seed)
    planes = [1000 * [*MARKERS, OTHER].index(one) + rng.integers(0, 100, (96, 96)) for one in order]
    return open_image(np.stack(planes).astype(np.uint16), name=name, channel_names=order)


def project_of(*orders):
    project = Project(["Left", "Right"])
    for number, order in enumerate(orders):
        name = project.add_image(marked(order, f"image {number}", number))
        project.annotate(name, Rectangle(5, 5, 30, 80), "Left")
        project.annotate(name, Rectangle(60, 5, 30, 80), "Right")
    return project


def thousands(image, **region):
    return (image.read(2, 3, 20, 10, **region) // 1000)[0, 0].tolist()


def test_n8_a_selection_reads_its_channels_in_its_order():
    image = marked(MARKERS, "all")
    chosen = select_channels(image, ["CD20", "DAPI"])
    assert chosen.channel_names == ("CD20", "DAPI")
    assert thousands(chosen) == thousands(chosen, downsample=2) == [3, 0]
    assert (chosen.width, chosen.height, chosen.dtype, chosen.name) == (96, 96, np.uint16, "all")
    assert select_channels(image, MARKERS) is image
    for bad in (["CD4"], [], ["CD3", "CD3"]):
        with pytest.raises(ImageError, match="DAPI, CD3, CD8, CD20"):
            select_channels(image, bad)


def test_n8_all_images_come_to_the_same_channels_in_the_same_order():
    snapshot = project_of(MARKERS, MARKERS[::-1], ["CD3", "DAPI", OTHER]).snapshot()
    chosen = with_channels(snapshot, ("CD3", "DAPI"))
    assert [thousands(image) for image in chosen.images.values()] == [[1, 0]] * 3
    every = with_channels(snapshot, ())
    assert [thousands(every.images[name]) for name in ("image 0", "image 1")] == [[0, 1, 2, 3]] * 2
    assert every.images["image 2"] is snapshot.images["image 2"], "it has other channels: training says so"


def test_n8_training_takes_the_chosen_channels_and_prediction_finds_them_by_name(tmp_path):
    project = Project(["Left", "Right"], tmp_path / "project")
    project.add_image(marked(MARKERS, "one"))
    project.annotate("one", Rectangle(5, 5, 30, 80), "Left")
    project.annotate("one", Rectangle(60, 5, 30, 80), "Right")
    settings = quick(channels=("CD8", "DAPI"), epochs=1)
    run = start_training(project, settings)
    run.wait(60)
    classifier = run.classifier
    assert classifier.channel_names == ("CD8", "DAPI")
    assert [round(one.mean / 1000) for one in classifier.normalization.statistics.channels] == [2, 0]
    whole = classifier.predict(marked(MARKERS, "one")).probability_map.values
    turned = classifier.predict(marked(["DAPI", "CD20", "CD8"], "two")).probability_map.values
    assert whole.shape == turned.shape
    exact = np.asarray(classifier.predict(select_channels(marked(MARKERS, "one"), ["CD8", "DAPI"])).labels)
    assert (exact == classifier.predict(marked(MARKERS, "one")).labels).all()
    project.close()


@pytest.mark.parametrize("channels", ["DAPI", ["DAPI", "DAPI"], [3], [" "], None])
def test_n8_channels_that_are_none_are_refused(channels):
    with pytest.raises(SettingsError, match="channel names, each once"):
        TrainingSettings(channels=channels)


def test_n8_a_channel_that_an_image_lacks_is_named():
    with pytest.raises(SettingsError, match=r"'CD4', but 'image 0' has the channels DAPI, CD3, CD8, CD20"):
        start_training(project_of(MARKERS), quick(channels=("DAPI", "CD4")))
