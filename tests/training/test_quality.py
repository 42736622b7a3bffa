"""The benchmark of quality: its cases, its rule, its table."""

import json

import numpy as np
import pytest
from PIL import Image

from benchmarks import quality
from benchmarks._protocol import mean_iou, painted_project, read_case, simulated_strokes
from benchmarks._quality_report import read_results, summarized, table


@pytest.fixture
def folder(tmp_path):
    """Four pictures: dark stuff left, bright right."""
    rng = np.random.default_rng(0)
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    for i in range(4):
        mask = np.zeros((96, 128), np.uint8)
        mask[:, 60 + 4 * i :] = 1
        pixels = np.clip(rng.normal(80 + 90 * mask[..., None], 8, (96, 128, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / f"p{i}.png")
        Image.fromarray(mask).save(tmp_path / "masks" / f"p{i}.png")
    return tmp_path


def test_without_a_split_every_second_image_is_annotated(folder):
    case = read_case(folder)
    assert [p.name for p in case.annotated] == ["p0", "p2"]
    assert [p.name for p in case.unseen] == ["p1", "p3"]
    (folder / "split.json").write_text(json.dumps({"train": ["p3"], "test": ["p0"], "n_classes": 2}))
    case = read_case(folder)
    assert ([p.name for p in case.annotated], [p.name for p in case.unseen]) == (["p3"], ["p0"])


def test_strokes_stay_inside_their_class_and_mean_iou_counts_known_pixels(folder):
    case = read_case(folder)
    project = painted_project(case, 3, seed=1)
    for picture in case.annotated:
        painted = project.label_map(picture.name)
        known = painted != 255
        assert set(painted[known]) == {0, 1}
        assert (painted == picture.mask)[known].mean() > 0.99
    mask = case.annotated[0].mask
    assert simulated_strokes(mask, 2, 5) == simulated_strokes(mask, 2, 5)
    half = np.where(np.arange(128) < 64, 0, 1)[None].repeat(96, 0).astype(np.uint8)
    assert mean_iou(half, half, 2) == 1
    assert mean_iou(1 - half, half, 2) == 0
    unknown = half.copy()
    unknown[:, :32] = 255
    wrong = half.copy()
    wrong[:, :32] = 1
    assert mean_iou(wrong, unknown, 2) == 1


def test_a_short_run_writes_results_that_a_later_one_adds_to(folder, tmp_path, capsys):
    results = tmp_path / "quality.jsonl"
    for seed in ("0", "1", "1"):
        quality.main(["--data", str(folder), "--only", "quick", "--seeds", seed, "--results", str(results)])
    lines = read_results(results)
    assert [line["seed"] for line in lines] == [0, 0, 1, 1], "of two for the same seed, one counts"
    assert all(line["annotated"] > 0.9 and line["unseen"] > 0.9 for line in lines)
    rows = summarized(lines)
    assert [row["learner"] for row in rows] == ["quick learner", "quick learner, turned 8 ways"]
    for row in rows:
        own = [line["annotated"] for line in lines if line["learner"] == row["learner"]]
        assert row["seeds"] == 2
        assert row["annotated"] == pytest.approx(np.mean(own))
    assert table(rows, {1: (0.84, 0.66)}) in capsys.readouterr().out
    assert results.with_suffix(".md").exists()


@pytest.mark.parametrize(
    ("both", "network", "quick", "shown"),
    [
        (None, 0.9, 0.8, "network"),
        (None, 0.8, 0.9, "quick"),
        (None, 0.9, 0.9, "quick"),
        (None, 0.9, None, "network"),
        (0.92, 0.9, 0.91, "both"),
        (0.88, 0.9, 0.8, "both"),  # with an edge of 0.03
        (0.86, 0.9, 0.8, "network"),
        (0.92, 0.9, 0.93, "quick"),
    ],
)
def test_what_is_shown_is_what_the_studio_would_show(both, network, quick, shown):
    assert quality.shown_learner({"both": both, "network": network, "quick": quick}, 0.03) == shown
