import itertools
import subprocess
import sys

import pytest

from histowidgets.advice import recommend, review_settings
from histowidgets.errors import AdviceError
from histowidgets.models import backbones
from histowidgets.training import TrainingSettings

TILES = (0, 1, 50, 199, 200, 500, 999, 1000, 3000, 5000, 5001, 10_000, 10_001, 50_000)
TYPES = ("he", "brightfield", "fluorescence")
MEMORY = (None, 0, 2, 4, 6, 8, 11.9, 12, 16, 24, 80)
SMALLEST = {"efficientnet-lite0", "efficientnet-b0"}


@pytest.mark.parametrize("vram", [8, 12, 24])
def test_r1_fewer_than_200_tiles_freeze_the_whole_encoder(vram):
    settings = recommend(199, "brightfield", vram_gb=vram).settings
    assert (settings.backbone, settings.freeze, settings.adapt_norm) == ("resnet34", "encoder", False)


@pytest.mark.parametrize("n_tiles", [200, 999])
def test_r2_200_to_1000_tiles_freeze_the_early_layers(n_tiles):
    settings = recommend(n_tiles, "brightfield", vram_gb=24).settings
    assert (settings.backbone, settings.freeze) == ("resnet34", "early")


@pytest.mark.parametrize("n_tiles", [1000, 5000])
def test_r3_1000_to_5000_tiles_freeze_the_first_block(n_tiles):
    settings = recommend(n_tiles, "brightfield", vram_gb=12).settings
    assert (settings.backbone, settings.freeze) == ("resnet50", ("stem", "block1"))


def test_r4_more_than_5000_tiles_train_everything():
    settings = recommend(5001, "brightfield", vram_gb=12).settings
    assert (settings.backbone, settings.freeze) == ("resnet50", "none")


def test_r5_histology_weights_or_the_reason_why_not():
    recommended = recommend(8000, "he", 3, 24, 0.5)
    histology = [card.name for card in backbones() if "histology" in card.note.lower()]
    if histology:
        assert recommended.settings.backbone in histology
    else:
        assert any(
            "trained on histology would be better, but none are available" in reason for reason in recommended.reasons
        )


def test_r6_he_at_another_magnification_takes_imagenet_and_names_the_bundled_backbone():
    recommended = recommend(500, "he", 3, 8, 0.25)
    assert recommended.settings.backbone == "resnet34"
    text = " ".join(recommended.reasons)
    assert "a pixel is 0.25 um" in text
    assert "efficientnet-lite0 is used instead" in text


@pytest.mark.parametrize(("n_tiles", "vram"), list(itertools.product((50, 500, 3000, 20_000), (8, 12, 24))))
def test_r7_fluorescence_takes_resnet34(n_tiles, vram):
    recommended = recommend(n_tiles, "fluorescence", 1, vram)
    assert recommended.settings.backbone == "resnet34"
    assert any("do not suit fluorescence" in reason for reason in recommended.reasons)


def test_r8_other_channels_are_named():
    recommended = recommend(50, "fluorescence", 5, 8)
    assert any("first convolution is adapted to 5 channel(s), and is always trained" in r for r in recommended.reasons)
    assert recommended.settings.normalization_per_channel is True


def fitted_to(vram):
    settings = recommend(6000, "brightfield", vram_gb=vram).settings
    return settings.backbone, settings.tile_size, settings.batch_size


@pytest.mark.parametrize("vram", [4, 6, 7.9])
def test_r9_4_gb_carry_efficientnet_b0_at_256_pixels(vram):
    assert fitted_to(vram) == ("efficientnet-b0", 256, 8)


@pytest.mark.parametrize("vram", [8, 10, 11.9])
def test_r10_8_gb_carry_resnet34_at_512_pixels(vram):
    assert fitted_to(vram) == ("resnet34", 512, 8)


@pytest.mark.parametrize("vram", [12, 16, 23.9])
def test_r11_12_gb_carry_resnet50_at_512_to_1024_pixels(vram):
    backbone, tile, batch = fitted_to(vram)
    assert (backbone, batch) == ("resnet50", 8)
    assert 512 <= tile <= 1024


@pytest.mark.parametrize("vram", [24, 48, 80])
def test_r12_24_gb_carry_resnet50_at_1024_pixels(vram):
    assert fitted_to(vram) == ("resnet50", 1024, 8)


@pytest.mark.parametrize("vram", [None, 0, 2, 3.9])
def test_r9_a_processor_takes_the_smallest_row_warns_and_is_fast(vram):
    recommended = recommend(6000, "he", vram_gb=vram)
    assert recommended.settings.backbone == "efficientnet-lite0"
    assert recommended.settings.tile_size <= 256
    assert recommended.settings.freeze == "encoder"
    assert "little-memory" in [advice.id for advice in recommended.advice]


@pytest.mark.parametrize(("n_tiles", "kind", "vram"), list(itertools.product(TILES, TYPES, MEMORY)))
def test_r13_every_cell_is_valid_and_says_why(n_tiles, kind, vram):
    recommended = recommend(n_tiles, kind, vram_gb=vram, pixel_size_um=0.5)
    settings = recommended.settings
    assert isinstance(settings, TrainingSettings)
    assert settings.backbone in {card.name for card in backbones()}
    assert "\n" not in recommended.reasons[0]
    assert settings.backbone in recommended.reasons[0]
    memory = vram or 0
    if memory < 8:
        assert settings.backbone in SMALLEST
    if memory < 12:
        assert settings.backbone != "resnet50"
        assert settings.tile_size <= 512
    if memory < 24:
        assert settings.tile_size <= 512
    if n_tiles < 1000 or kind == "fluorescence":
        assert settings.backbone != "resnet50"
    if n_tiles < 200:
        assert settings.freeze == "encoder"


def test_r13_says_how_a_conflict_was_settled():
    assert any("memory allows only" in r for r in recommend(20_000, "he", vram_gb=8).reasons)
    assert any("is enough for the data" in r for r in recommend(100, "he", vram_gb=24).reasons)


def test_r31_very_few_tiles_train_long():
    assert recommend(150, "brightfield", vram_gb=8).settings.epochs == 200


def test_r32_very_many_tiles():
    settings = recommend(20_000, "brightfield", vram_gb=24).settings
    assert (settings.backbone, settings.freeze, settings.epochs, settings.learning_rate) == (
        "resnet50",
        "none",
        50,
        5e-4,
    )


@pytest.mark.parametrize("n_tiles", [1, 5, 20])
def test_n10_the_batch_leaves_several_steps(n_tiles):
    assert recommend(n_tiles, "he", vram_gb=8).settings.batch_size <= max(2, n_tiles // 4)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((-1, "he"), "n_tiles is -1"),
        (("many", "he"), "n_tiles is 'many'"),
        ((5, "ihc"), "image_type is 'ihc'; use 'he', 'brightfield', 'fluorescence'"),
        ((5, "he", 0), "n_channels is 0"),
        ((5, "he", 3, -2), "vram_gb is -2"),
        ((5, "he", 3, float("nan")), "vram_gb is nan"),
        ((5, "he", 3, 8, 0), "pixel_size_um is 0"),
    ],
)
def test_bad_arguments_are_refused(arguments, match):
    with pytest.raises(AdviceError, match=match):
        recommend(*arguments)


def test_advice_loads_neither_torch_nor_widgets():
    code = (
        "import sys, histowidgets as hw\n"
        "hw.recommend(10, 'he'); hw.diagnose([]); hw.coach(hw.Project(['A', 'B']))\n"
        "print([m for m in ('torch', 'ipywidgets', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- settings before a run --------------------------------------------------------------------------------------


def reviewed(**changes):
    base = TrainingSettings.preset("first-run").model_copy(update=changes)
    return base, {advice.id: advice for advice in review_settings(base, n_tiles=100)}


def test_r53_flips_off():
    _, found = reviewed(flip=False)
    assert found["augmentation-off"].patch == {"flip": True}
    _, found = reviewed(augmentation=False)
    assert found["augmentation-off"].patch == {"augmentation": True}
    _, found = reviewed(augmentation=True, flip=True, rotate90=True)
    assert "augmentation-off" not in found


def test_r54_a_backbone_from_nothing():
    settings = TrainingSettings(pretrained=False, freeze="none")
    found = {advice.id: advice for advice in review_settings(settings, image_type="he")}
    assert found["not-pretrained"].patch == {"pretrained": True}
    assert "histology" in found["not-pretrained"].detail


def test_r55_early_stopping_off():
    _, found = reviewed(early_stopping_metric="none")
    assert found["early-stopping-off"].patch == {"early_stopping_metric": "miou"}


def test_r34_r35_jitter_and_bending_where_they_are_called_for():
    settings = TrainingSettings(color_jitter=0.0, elastic=0.0)
    found = {advice.id: advice for advice in review_settings(settings, stain_varies=True, distorted=True)}
    assert found["stain-varies"].patch == {"color_jitter": 0.2}
    assert found["tissue-distorted"].patch == {"elastic": 0.5}
    strong = TrainingSettings(color_jitter=0.4, elastic=0.8)
    assert review_settings(strong, stain_varies=True, distorted=True) == []


def test_r33_features_of_several_scales_ask_for_resnet50_or_an_import():
    settings = TrainingSettings(backbone="resnet34")
    found = {advice.id: advice for advice in review_settings(settings, multi_scale=True)}
    assert found["multi-scale"].patch == {"backbone": "resnet50"}
    assert "ONNX" in found["multi-scale"].detail
    assert "multi-scale" not in {advice.id for advice in review_settings(settings)}
    changed = settings.model_copy(update=found["multi-scale"].patch)
    assert review_settings(changed, multi_scale=True) == []


def test_n10_a_batch_of_all_tiles():
    settings = TrainingSettings(batch_size=16)
    found = {advice.id: advice for advice in review_settings(settings, n_tiles=12)}
    assert found["batch-exceeds-tiles"].patch == {"batch_size": 3}
    assert review_settings(settings, n_tiles=200) == []
