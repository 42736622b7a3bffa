"""The benchmark of quality: its cases, its rule, its table."""

import json
import shutil

import numpy as np
import pytest
import tifffile
from PIL import Image

from benchmarks import quality
from benchmarks._protocol import mean_iou, painted_project, read_case, simulated_strokes, suite
from benchmarks._quality_report import (
    choice_table,
    choices,
    compared,
    comparison_plot,
    comparison_table,
    read_results,
    summarized,
    table,
)


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


def test_x16_a_suite_is_all_folders_with_masks_and_is_resumed(folder, tmp_path, monkeypatch):
    data = tmp_path / "data"
    for name in ("tissue/one", "two"):
        shutil.copytree(folder / "images", data / name / "images")
        shutil.copytree(folder / "masks", data / name / "masks")
    (data / "tissue" / "one" / "split.json").write_text(json.dumps({"train": ["p0"], "test": ["p1", "p2", "p3"]}))
    (data / "slide").mkdir()
    assert [getattr(found, "name", found) for found in suite(data)] == ["colon", "two", "one"], "small ones first"
    monkeypatch.setattr(quality, "suite", lambda folder: suite(folder)[1:])  # the sample image would take seconds
    monkeypatch.setattr(quality, "ONE_MORE", 1)
    results = tmp_path / "suite.jsonl"
    asked = ["--suite", str(data), "--only", "quick", "--seeds", "0", "--unseen", "2", "--results", str(results)]
    quality.main([*asked, "--strokes", "3", "--processor-time"])
    assert [(line["data"], line["strokes"], line["clock"]) for line in read_results(results)] == [
        ("two", 3, "processor"),
        ("two", 3, "processor"),
        ("one", 3, "processor"),
        ("one", 3, "processor"),
    ]
    before = results.read_text()
    quality.main([*asked, "--strokes", "3", "--processor-time", "--resume"])
    assert results.read_text() == before, "all of it was there"
    quality.main([*asked, "--strokes", "2", "3", "--processor-time", "--resume"])
    assert len(results.read_text().splitlines()) == 8, "only what was missing is measured"


def test_of_many_unseen_images_some_at_even_distances_are_looked_at(folder):
    (folder / "split.json").write_text(json.dumps({"train": ["p0"], "test": ["p1", "p2", "p3"]}))
    assert [p.name for p in read_case(folder, 2).unseen] == ["p1", "p3"]
    assert len(read_case(folder, 5).unseen) == 3


def test_images_of_many_channels_are_read_channels_last(tmp_path):
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    pixels = np.arange(7 * 20 * 30, dtype=np.uint8).reshape(7, 20, 30)
    tifffile.imwrite(tmp_path / "images" / "a.tif", pixels)
    Image.fromarray(np.zeros((20, 30), np.uint8)).save(tmp_path / "masks" / "a.png")
    (tmp_path / "split.json").write_text(json.dumps({"train": ["a"], "test": [], "n_classes": 2}))
    (picture,) = read_case(tmp_path).annotated
    np.testing.assert_array_equal(picture.pixels, np.moveaxis(pixels, 0, -1))


def line(learner, budget, annotated, unseen, data="one", seed=0):
    known = {"clock": "wall", "strokes": 10, "seconds": 1.0}
    return known | {
        "data": data,
        "learner": learner,
        "budget": budget,
        "seed": seed,
        "annotated": annotated,
        "unseen": unseen,
    }


def test_x16_what_is_shown_is_compared_with_the_best_peer_of_its_budget(tmp_path):
    lines = [line("quick learner", 1, 0.6, 0.5), line("quick learner", 1, 0.8, 0.7, seed=1)]
    lines += [
        line("quick learner", 1, 0.5, 0.5, "two"),
        line("shown", 60, 0.9, 0.8),
        line("shown", 60, 0.9, 0.8, "alone"),
    ]
    lines += [
        line("peer lgbm", None, 0.65, 0.4),
        line("peer rf", None, 0.6, 0.45),
        line("peer rf", None, 0.6, 0.6, "two"),
    ]
    lines += [line("peer unet", 60, 0.7, 0.7), line("peer unet", 180, 0.99, 0.99), line("network", 60, 1.0, 1.0)]
    found = compared(summarized(lines))
    assert [(one["data"], one["budget"], one["annotated_by"], one["unseen_by"]) for one in found] == [
        ("one", 1, "lgbm", "rf"),
        ("two", 1, "rf", "rf"),
        ("one", 60, "unet", "unet"),
    ]
    assert found[0]["annotated_margin"] == pytest.approx(0.05)
    assert found[0]["unseen_margin"] == pytest.approx(0.15)
    assert found[0]["seeds"] == 2
    text = comparison_table(found)
    assert "| 10 | 1 | **2 sets** | | | **mean -0.025 / +0.025**, least -0.100 / -0.100 | |" in text
    assert "| 10 | 60 | one | 0.900 / 0.800 | 0.700 (unet) / 0.700 (unet) | +0.200 / +0.100 | 1 |" in text
    pytest.importorskip("matplotlib")
    assert comparison_plot(found, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 0


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
        (0.92, 0.9, 0.93, "both"),  # likewise
        (0.92, 0.9, 0.96, "quick"),
    ],
)
def test_what_is_shown_is_what_the_studio_would_show(both, network, quick, shown):
    assert quality.shown_learner({"both": both, "network": network, "quick": quick}, 0.03) == shown


def choice_lines(data, shown, seed=0, **scores):
    """Lines of a case at 60 s: (annotated, unseen) of each learner, of which one is shown."""
    names = {
        "network": "network, turned 8 ways",
        "both": "both, turned 8 ways",
        "quick": "quick learner, turned 8 ways",
    }
    lines = []
    for name, (annotated, unseen) in scores.items():
        line = {"data": data, "strokes": 10, "seed": seed, "annotated": annotated, "unseen": unseen}
        lines.append({**line, "learner": names[name], "budget": 1 if name == "quick" else 60})
        if name == shown:
            lines.append({**line, "learner": "shown", "budget": 60, "shown": shown})
    return lines


def test_it_is_told_how_often_the_learner_shown_is_the_best_and_what_the_rest_costs():
    lines = choice_lines("a", "both", network=(0.7, 0.6), both=(0.8, 0.7), quick=(0.6, 0.72))
    lines += choice_lines("b", "network", network=(0.711, 0.692), both=(0.746, 0.695), quick=(0.5, 0.5))
    lines += choice_lines("b", "quick", seed=1, network=(0.9, 0.5), quick=(0.8, 0.595))
    first, second, third = choices(lines)
    assert (first["shown"], first["best"], first["of"], first["cost"]) == ("both", "both", 3, 0)
    assert first["cost_unseen"] == pytest.approx(0.02), "the quick learner is better there"
    assert (second["shown"], second["best"]) == ("network", "both")
    assert second["cost"] == pytest.approx((0.746 + 0.695) / 2 - (0.711 + 0.692) / 2)
    assert (third["best"], third["of"]) == ("network", 2)
    assert third["cost"] == pytest.approx(0.0025)
    (row,) = choice_table([first, second, third]).splitlines()[2:]
    assert row.startswith("| 10 | 60 | 3 | 1 of 3 | 2 of 3 | 0.007 | 0.019, b (network for both) |")


def test_cases_without_the_quick_learner_or_with_one_learner_are_left_out():
    lines = choice_lines("a", "network", network=(0.7, 0.6), both=(0.8, 0.7))
    lines += choice_lines("b", "quick", quick=(0.7, 0.6))
    assert choices(lines) == []
