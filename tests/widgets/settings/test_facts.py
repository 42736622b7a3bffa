"""What follows from the settings: groups that can be frozen, what is trained, time, memory, class weights."""

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.training import TrainingSettings, network_size
from histowidgets.widgets.settings._facts import freeze_value, short_count
from histowidgets.widgets.settings._form import SettingsForm

TINY = {"backbone": "mobilenetv3-small", "tile_size": 64, "downsample": 1, "batch_size": 2}


@pytest.fixture
def project():
    project = hw.Project(["Dark", "Bright", "Rare"])
    name = project.add_image(np.zeros((128, 128, 3), np.uint8), name="image")
    for y in (20, 60, 100):
        project.annotate(name, hw.Stroke([(6, y), (52, y)], width=6), "Dark")
        project.annotate(name, hw.Stroke([(76, y), (122, y)], width=6), "Bright")
    project.annotate(name, hw.Stroke([(64, 64)], width=4), "Rare")
    return project


@pytest.fixture
def form(project):
    form = SettingsForm(TrainingSettings(**TINY), project)
    yield form
    form.close()


def page(form, **content):
    form._handle_custom_msg(content, [])


def settle(form):
    assert form.facts.idle.wait(60)
    return form._facts


def test_nothing_is_worked_out_until_somebody_looks(form):
    form.enter("epochs", "7")
    assert settle(form) == {}
    page(form, kind="seen", seen=True)
    assert settle(form)["groups"][0]["name"] == "stem"


def test_r63_a_checkbox_a_group_is_in_step_with_the_setting_and_the_count_is_live(form):
    page(form, kind="seen", seen=True)
    facts = settle(form)
    names = [group["name"] for group in facts["groups"]]
    assert all(group["frozen"] for group in facts["groups"]), "the whole encoder is frozen by default"
    before = facts["trained"]
    page(form, kind="freeze", groups={name: name == "stem" for name in names})
    assert form.settings.freeze == ("stem",)
    facts = settle(form)
    assert [group["name"] for group in facts["groups"] if group["frozen"]] == ["stem"]
    assert facts["trained"] != before
    # And the other way: the setting moves the boxes.
    form.enter("freeze", "first layers")
    assert [group["name"] for group in settle(form)["groups"] if group["frozen"]] == ["stem", "block1", "block2"]
    for groups, value in (
        (dict.fromkeys(names, False), "none"),
        (dict.fromkeys(names, True), "encoder"),
        ({name: name in ("stem", "block1", "block2") for name in names}, "early"),
    ):
        assert freeze_value(groups) == value


def test_r63_the_count_is_that_of_the_parameters_with_requires_grad():
    from histowidgets.models import NetworkSpec, apply_freeze, build_network

    for freeze in ("none", ("stem",), "encoder"):
        settings = TrainingSettings(backbone="mobilenetv3-small", freeze=freeze, decoder="full")
        size = network_size(settings, n_channels=4, n_classes=3)
        network = build_network(NetworkSpec("unet", "mobilenetv3-small", 4, 3, None, 1), pretrained=False)
        apply_freeze(network, freeze)
        trained = sum(p.numel() for p in network.parameters() if p.requires_grad)
        assert (size.trained, size.total) == (trained, sum(p.numel() for p in network.parameters()))


def test_the_summary_says_tiles_parameters_time_and_memory(form):
    page(form, kind="seen", seen=True)
    summary = settle(form)["summary"]
    for words in (r"tiles", "epochs of", "at most 60 s", "parameters are trained", "GB"):
        assert words in summary
    form.enter("max_seconds", "120")
    assert "at most 2 min" in settle(form)["summary"]


def test_time_without_a_limit_is_measured_but_not_beside_a_run(form):
    seen = []
    form.observe(lambda change: seen.append(change["new"].get("summary", "")), names="_facts")
    form.facts.busy = True
    form.enter("epochs", "3")
    form.enter("max_seconds", "")
    page(form, kind="seen", seen=True)
    assert "measured while no run is active" in settle(form)["summary"]
    form.facts.busy = False
    form.enter("steps_per_epoch", "2")
    assert "about" in settle(form)["summary"]
    assert any("measuring the time" in one for one in seen)


def test_what_cannot_be_trained_says_why(project):
    empty = hw.Project(["A", "B"])
    empty.add_image(np.zeros((64, 64, 3), np.uint8))
    form = SettingsForm(TrainingSettings(**TINY), empty)
    page(form, kind="seen", seen=True)
    assert "Paint a few strokes" in settle(form)["summary"]
    assert form._facts["level"] == "warning"
    form.close()


def test_without_a_project_the_form_knows_the_network_alone():
    form = SettingsForm(TrainingSettings(**TINY))
    page(form, kind="seen", seen=True)
    facts = settle(form)
    assert "parameters are trained" in facts["summary"]
    assert facts["classes"] == []
    form.close()


def test_r23_b11_classes_are_balanced_once_within_bounds_and_undone(form):
    page(form, kind="seen", seen=True)
    settle(form)
    page(form, kind="balance")
    weights = form.settings.class_weights
    assert weights["Rare"] == 10.0, "bounded"
    assert weights["Dark"] == pytest.approx(1.0, abs=0.05)
    page(form, kind="balance")
    assert form.settings.class_weights == weights, "twice is as good as once"
    page(form, kind="undo")
    assert form.settings.class_weights == {}
    assert not form._state["canUndo"]


def test_the_facts_follow_the_project(form, project):
    page(form, kind="seen", seen=True)
    settle(form)
    project.add_class("Fourth")
    assert settle(form)["classes"] == ["Dark", "Bright", "Rare", "Fourth"]


def test_the_json_of_the_form_makes_the_same_settings(form):
    form.enter("epochs", "7")
    assert TrainingSettings.from_json(form._state["json"]) == form.settings


def test_a_real_tile_and_its_variations_are_shown_while_the_section_is_open(form):
    page(form, kind="seen", seen=True)
    assert "tiles" not in settle(form)
    page(form, kind="tiles", seed=0)
    first = settle(form)["tiles"]
    assert len(first) == 6
    assert all(one.startswith("data:image/jpeg;base64,") for one in first)
    form.enter("augmentation", False)
    plain = settle(form)["tiles"]
    assert plain[0] == first[0], "the same tile"
    assert len(set(plain)) == 1, "that nothing varies any more"
    page(form, kind="tiles", seed=None)
    form.enter("augmentation", True)
    assert settle(form)["tiles"] == plain


def test_n8_the_count_is_that_of_the_channels_that_are_trained_on():
    project = hw.Project(["Dark", "Bright"])
    name = project.add_image(np.zeros((128, 128, 5), np.uint8), name="image")
    channels = list(project.image(name).channel_names)
    project.annotate(name, hw.Stroke([(6, 20), (52, 20)], width=6), "Dark")
    form = SettingsForm(TrainingSettings(**TINY, channels=channels[1:4]), project)
    page(form, kind="seen", seen=True)
    size = network_size(form.settings, n_channels=3, n_classes=2)
    assert settle(form)["groups"][0] == {"name": "stem", "count": short_count(size.groups["stem"]), "frozen": True}
    assert network_size(form.settings, n_channels=5, n_classes=2).groups["stem"] != size.groups["stem"]
    form.close()
