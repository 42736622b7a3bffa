import json
import subprocess
import sys

import pytest
from pydantic import ValidationError

from histowidgets.errors import SettingsError
from histowidgets.training import TrainingSettings, setting_range


def test_defaults_are_the_cpu_preset_but_keep_the_highest_score():
    assert TrainingSettings().best_tolerance == 0
    assert TrainingSettings().model_copy(update={"best_tolerance": 0.03}) == TrainingSettings.preset("cpu")
    assert TrainingSettings.preset_names()[0] == "cpu"


def test_r26_first_run_is_these_nine_exactly():
    s = TrainingSettings.preset("first-run")
    assert s.architecture == "unet"
    assert s.backbone == "resnet34"
    assert s.epochs == 50
    assert s.early_stopping_metric == "miou"
    assert s.max_seconds is None
    assert s.batch_size == 8
    assert s.learning_rate == 0.001
    assert s.tile_size == 512
    assert s.pretrained is True
    assert s.scheduler == "one-cycle"
    assert s.loss == "ce_dice"
    assert s.adapt_norm is False


def test_r31_very_small_preset():
    s = TrainingSettings.preset("very-small")
    assert (s.backbone, s.freeze, s.augmentation, s.epochs, s.batch_size) == (
        "efficientnet-b0",
        "encoder",
        True,
        200,
        4,
    )
    assert s.adapt_norm is False


def test_r32_large_preset():
    s = TrainingSettings.preset("large")
    assert (s.backbone, s.freeze, s.epochs, s.batch_size, s.learning_rate) == ("resnet50", "none", 50, 16, 5e-4)


def test_r58_transfer_presets_freeze_nested_sets():
    small, medium, large = (
        set(TrainingSettings.preset(f"transfer-{size}").freeze) for size in ("small", "medium", "large")
    )
    assert {"stem"} < large < medium < small
    assert "block4" not in small


@pytest.mark.parametrize("name", TrainingSettings.preset_names())
def test_presets_survive_json(name):
    settings = TrainingSettings.preset(name)
    assert TrainingSettings.from_json(settings.to_json()) == settings


@pytest.mark.parametrize("name", list(TrainingSettings.model_fields))
def test_every_field_has_help_section_and_range(name):
    field = TrainingSettings.model_fields[name]
    assert len(field.description) > 10
    assert {"unit", "section", "basic"} == set(field.json_schema_extra)
    assert setting_range(name)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"learning_rate": 5}, r"learning_rate is 5; it takes 1e-07 to 1\."),
        ({"learning_rate": float("nan")}, "learning_rate is nan; it takes"),
        ({"epochs": "abc"}, "epochs is 'abc'; it takes 1 to 5000"),
        ({"tile_size": 100}, "64 to 1024 in steps of 32"),
        ({"downsample": 3}, "1, 2, 4, 8"),
        ({"architecture": "yolo"}, "it takes unet, unetplusplus"),
        ({"learning_rat": 1}, "did you mean 'learning_rate'"),
        ({"freeze": "all"}, "use none, early, encoder"),
        ({"freeze": ["stem", "blok"]}, "'blok' is not a group"),
        ({"class_weights": {"Tumour": 50}}, "'Tumour' has 50; weights range from 0.1 to 10"),
        ({"normalization": "fixed_range", "normalization_low": 5, "normalization_high": 5}, "low below"),
        ({"architecture": "pan", "batch_size": 1}, "pan needs 2 or more"),
        ({"backbone": " resnet18"}, "a name without leading or trailing spaces"),
        ({"max_seconds": 0}, "max_seconds is 0"),
        ({"blur": 4}, "blur is 4; it takes 0 to 3"),
        ({"epochs": True}, "epochs is True: it takes 1 to 5000"),
        ({"downsample": True}, "downsample is True: it takes 1, 2, 4, 8"),
        ({"focus_class": ""}, "focus_class is ''; it takes a name or nothing"),
        ({"freeze": None}, "freeze is None: use none, early, encoder"),
        ({"noise": 0.5}, r"noise is 0.5; it takes 0 to 0\.2"),
        ({"accumulation": 9}, "accumulation is 9; it takes 1 to 8"),
        ({"hardest_share": 0.01}, r"hardest_share is 0.01; it takes 0.05 to 1\."),
        ({"hardest_share": 0.5, "loss": "lovasz"}, "use hardest_share 1, or another loss"),
    ],
)
def test_bad_values_name_the_field_and_its_range(values, message):
    with pytest.raises(SettingsError, match=message):
        TrainingSettings(**values)
    with pytest.raises(SettingsError, match=message):
        TrainingSettings().model_copy(update=values)
    with pytest.raises(SettingsError, match=message):
        TrainingSettings.model_validate(values)
    with pytest.raises(SettingsError, match=message):
        TrainingSettings.model_validate_json(json.dumps(values))


def test_two_bad_values_are_both_named():
    with pytest.raises(SettingsError, match=r"batch_size is 0.*epochs is 0"):
        TrainingSettings(epochs=0, batch_size=0)


def test_settings_do_not_change():
    with pytest.raises(ValidationError, match="frozen"):
        TrainingSettings().epochs = 3


def test_the_spellings_of_the_guide_are_understood():
    assert TrainingSettings.preset("First run") == TrainingSettings.preset("first-run")
    assert TrainingSettings.preset("VERY_SMALL") == TrainingSettings.preset("very-small")
    assert TrainingSettings(normalization="PERCENTILE_99").normalization == "percentile_99"


def test_copy_wants_a_mapping():
    with pytest.raises(SettingsError, match="update is a list"):
        TrainingSettings().model_copy(update=["epochs"])


def test_copy_keeps_the_rest():
    changed = TrainingSettings.preset("large").model_copy(update={"epochs": 7})
    assert changed.epochs == 7
    assert changed.backbone == "resnet50"


def test_unknown_preset_and_bad_json():
    with pytest.raises(SettingsError, match="no preset 'big'; the presets are cpu"):
        TrainingSettings.preset("big")
    with pytest.raises(SettingsError, match="not JSON"):
        TrainingSettings.from_json("{")
    with pytest.raises(SettingsError, match="JSON list; expected an object"):
        TrainingSettings.from_json("[]")
    with pytest.raises(SettingsError, match=r"no preset \['cpu'\]"):
        TrainingSettings.preset(["cpu"])
    with pytest.raises(SettingsError, match="not JSON"):
        TrainingSettings.from_json(None)


def test_settings_events_and_replay_load_no_torch():
    code = (
        "import sys; from histowidgets.training import TrainingSettings, replay, EpochEnded, EpochRecord;"
        "TrainingSettings.preset('first-run'); replay([]);"
        "sys.exit(', '.join(n for n in ('torch', 'torchvision', 'timm', 'ipywidgets') if n in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_n4_lovasz_and_a_hardest_share_exclude_each_other():
    """What forbids a pair names both fields, and lifting it with either is enough."""
    hard = TrainingSettings(hardest_share=0.5)
    with pytest.raises(SettingsError, match=r"hardest_share is 0\.5 and loss is 'lovasz'"):
        hard.model_copy(update={"loss": "lovasz"})
    assert hard.model_copy(update={"loss": "lovasz", "hardest_share": 1}).loss == "lovasz"
