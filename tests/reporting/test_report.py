"""What a report says is what happened, and what is missing is said."""

import base64
import io
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from html.parser import HTMLParser

import nbformat
import numpy as np
import PIL.Image
import pytest
from nbclient import NotebookClient

import histowidgets as hw
from histowidgets._colors import hex_to_rgb
from histowidgets.advice import likely_range
from histowidgets.cli import EXIT_OK, EXIT_REFUSED, main
from histowidgets.errors import ClassifierError, ProjectError, ReportCancelled, ReportError
from histowidgets.reporting._methods import methods
from histowidgets.reporting._run_facts import facts_of_stored
from histowidgets.training.storage import read_run
from tests.reporting.conftest import TAG
from tests.training.helpers import painted, quick, striped

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """The text, the pictures and the structure of a page."""

    def __init__(self, source):
        super().__init__()
        self.open, self.levels, self.pictures, self.words, self.tables, self.sources = [], [], [], [], [], []
        self.feed(source)
        assert self.open == [], "each tag is closed"
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.sources += [given[name] for name in ("src", "href") if name in given]
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag == "img":
            self.pictures.append(given)
        if tag == "table":
            self.tables.append([])
        if tag in ("th", "td", "caption") and self.tables:
            self.tables[-1].append((tag, given.get("scope")))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass  # a shape of an SVG

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.words.append(data)


@pytest.fixture(scope="module")
def read(page):
    return Page(page.read_text(encoding="utf-8"))


def test_x8_the_report_is_complete_in_itself_and_escapes_what_people_typed(page, read):
    source = page.read_text(encoding="utf-8")
    assert all(one.startswith(("data:", "#")) for one in read.sources)
    assert not re.search(r"url\(|@import|<script|<link", source)
    assert TAG in read.text
    assert "<b>Bright" not in source
    assert "a <slide>" in read.text


def test_x8_the_numbers_are_those_of_the_run_and_the_audit(session, read):
    folder, run = session
    scores = run.scores
    assert f"{scores['val_miou']:.2f}" in read.text
    with closing(hw.Project.open(folder)) as project:
        results = hw.audit(project).results()
        held = hw.advice.held_out_counts(project.snapshot(), run.split)
        counts = project.image("a <slide>").region.area
    for sentence in results.sentences()[:-1]:
        assert sentence in read.text
    for name, iou in scores["val_iou"].items():
        low, high = likely_range(min(iou, 1.0), held[name])
        assert f"{name} {iou:.2f} {low:.2f} to {high:.2f}" in read.text, "a row of the table"
    labels = run.classifier.predict(folder.parent / "slide.ome.tif").labels
    share = 100 * float((labels == 0).mean())
    assert f"Dark {np.sum(labels == 0) * 0.25:,.0f} µm² {share:.1f} %" in read.text
    assert labels.size == counts
    assert "3 epochs, 6 steps" in read.text
    assert "seed 7" in read.text


def test_x4_the_report_says_how_far_the_probabilities_hold(session, page, read):
    folder, run = session
    with closing(hw.Project.open(folder)) as project:
        found = hw.measure_calibration(run.classifier, project)
        softer = hw.calibrate(run.classifier, project)
        said, references = methods(project.snapshot(), None, softer, None, 0)
    assert f"{found} Of 100 pixels" in read.text
    assert found.diagram() in page.read_text(encoding="utf-8")
    temperature = softer.scores["temperature"]
    assert (f"one temperature ({temperature:.2f}), fitted to {found.pixels:,} held-out" in said) == (temperature > 1)
    assert any("calibration" in one for one in references) == (temperature > 1)


def test_x8_the_methods_paragraph_states_what_happened_and_nothing_else(read):
    text = read.text[read.text.index("To paste into a paper") :].split("Reproduce")[0]
    said = [
        "On 1 image, 12 annotations were drawn: Dark (6), <b>Bright</b> (6). Its pixels were 0.5 µm wide.",
        "A U-Net [3] with the encoder efficientnet-lite0 [4]",
        "pretrained on ImageNet",
        "tiles of 64 × 64 pixels, each 1 µm wide (downsample 2)",
        "The encoder was frozen; only its batch normalization adapted to the images.",
        "Training took 3 epochs (6 steps),",
        "and ended when all planned epochs were done (random seed 7)",
        "A rectangle of the image was held out for validation; training read no pixel of it.",
        "was audited at 12 points drawn at random within each predicted class",
    ]
    for sentence in said:
        assert sentence in text, sentence
    for absent in ("unlabelled pixels", "range test", "quick learner", "one-cycle", "focal", "stain of the training"):
        assert absent not in text, absent
    cited = {int(n) for part in re.findall(r"\[([\d, ]+)\]", text) for n in part.split(",")}
    references = text[text.index("References") :]
    assert cited == set(range(1, max(cited) + 1)), "each number is cited, and none is missing"
    order = ["histowidgets, version", "PyTorch", "Ronneberger", "EfficientNet", "Decoupled weight decay"]
    assert [references.index(name) for name in order] == sorted(references.index(name) for name in order)


def test_the_pictures_show_the_strokes_and_the_prediction_in_the_colours_of_the_classes(session, read):
    folder, _ = session
    with closing(hw.Project.open(folder)) as project:
        colors = {name: np.array(hex_to_rgb(color)) for name, color in project.colors.items()}
        place = next(one for one in project.annotations("a <slide>") if one.class_name == TAG).shape.points.mean(0)
    annotated, predicted = (_decoded(picture["src"]) for picture in read.pictures)
    assert annotated.shape == predicted.shape == (256, 256, 3)
    x, y = place.astype(int)
    assert np.abs(annotated[y, x] - colors[TAG]).sum() < np.abs(annotated[y, x] - colors["Dark"]).sum()
    tint = predicted[100:140, 4:28].reshape(-1, 3).mean(0) - 60  # a dark stripe
    assert np.argmax(tint) == np.argmax(colors["Dark"] - 60)


def _decoded(url):
    return np.asarray(PIL.Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("RGB")).astype(int)


def test_headings_tables_and_pictures_can_be_read_aloud(read):
    assert read.levels[0] == 1
    assert read.levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(read.levels, read.levels[1:], strict=False))
    assert len(read.pictures) == 2
    assert all(len(picture["alt"]) > 20 for picture in read.pictures)
    for cells in read.tables:
        assert cells[0][0] == "caption"
        assert any(scope == "col" for tag, scope in cells if tag == "th")
        assert all(scope in ("col", "row", "rowgroup") for tag, scope in cells if tag == "th")


def _luminance(color):
    parts = [value / 255 for value in hex_to_rgb(color)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_words_have_enough_contrast_in_light_dark_and_print(page):
    themes = re.findall(r":root \{(.*?)\}", page.read_text(encoding="utf-8"), re.DOTALL)
    assert len(themes) == 3
    for theme in themes:
        colors = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", theme))
        for name in ("ink", "quiet", "accent", "mark", "warn"):
            for behind in ("page", "panel"):
                light, dark = sorted((_luminance(colors[name]), _luminance(colors[behind])), reverse=True)
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (name, behind, colors)
        for name in ("train", "val"):
            light, dark = sorted((_luminance(colors[name]), _luminance(colors["page"])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 3, name


@pytest.mark.slow
def test_x8_the_notebook_replays_the_session_to_the_same_weights(session, page):
    notebook = nbformat.read(page.with_suffix(".ipynb"), as_version=4)
    NotebookClient(
        notebook, timeout=300, iopub_timeout=60, resources={"metadata": {"path": str(page.parent)}}
    ).execute()
    printed = "".join(out.get("text", "") for cell in notebook.cells for out in cell.get("outputs", []))
    assert "weights are equal" in printed
    assert "may not" not in printed
    _, run = session
    assert f"mIoU on held-out labels: {run.scores['val_miou']}" in printed


def test_what_is_missing_is_said(tmp_path):
    project = hw.Project(["A", "B"])
    path = hw.report(project, tmp_path / "new" / "report.html")
    text = Page(path.read_text(encoding="utf-8")).text
    for sentence in ("The project has no image.", "No training has finished", "There is no prediction", "No audit was"):
        assert sentence in text
    assert not path.with_suffix(".ipynb").exists()
    name = project.add_image(np.zeros((64, 64, 3), np.uint8) + 90)
    project.annotate(name, hw.Stroke([(5, 5), (20, 20)]), "A")
    text = Page(hw.report(project, path).read_text(encoding="utf-8")).text
    assert "On 1 image, 1 annotation was drawn: A (1)." in text
    assert "There is no classifier." in text
    assert "Images were annotated with histowidgets" in text
    assert "Pixels were classified" not in text


def test_ignored_classes_have_no_area_and_erasers_no_annotator(tmp_path):
    project = hw.Project(["Dark", "Bright", "Pen*"], annotator="Anna")
    name = project.add_image(striped())
    for k, class_name in enumerate(project.classes):
        for y in (20, 120, 200):
            project.annotate(name, hw.Stroke([(32 * k + 10, y), (32 * k + 20, y + 20)], width=8), class_name)
    project.annotator = "Ben"
    project.erase(name, hw.Rectangle(8, 18, 10, 10))
    classifier = hw.quick_classifier(project)
    text = Page(hw.report(project, tmp_path / "r.html", classifier=classifier).read_text(encoding="utf-8")).text
    labels = classifier.predict(project.image(name)).labels
    counts = np.bincount(labels.ravel(), minlength=3)
    for k, class_name in enumerate(["Dark", "Bright"]):
        assert f"{class_name} {counts[k]:,} px² {100 * counts[k] / counts[:2].sum():.1f} %" in text
    assert 'classes whose names end in "*" are no part of the area' in text
    assert "9 annotations were drawn by 1 annotator:" in text


def test_a_prediction_on_disk_from_before_the_training_is_not_taken_for_its_own(session, tmp_path):
    folder, run = session
    own = tmp_path / "project"
    shutil.copytree(folder, own)
    with closing(hw.Project.open(own)) as project:
        image = project.image("a <slide>")
        stored = own / "predictions" / "a.zarr"
        stored.parent.mkdir()
        run.classifier.predict_to(image, stored)
        text = Page(hw.report(project, tmp_path / "r.html").read_text(encoding="utf-8")).text
        assert "from disk (a.zarr" in text
        os.utime(stored, (1e9, 1e9))
        text = Page(hw.report(project, tmp_path / "r.html").read_text(encoding="utf-8")).text
        assert "from disk" not in text
        assert "predicted for this report by" in text


def test_a_prediction_from_after_a_later_training_is_not_taken_for_an_earlier_ones(session, tmp_path, monkeypatch):
    """The earlier run's own prediction was replaced: what is on disk may be the later run's."""
    folder, run = session
    own = tmp_path / "project"
    shutil.copytree(folder, own)
    (first,) = (own / "runs").iterdir()
    later = own / "runs" / "20990101-000000"
    shutil.copytree(first, later)
    about = json.loads((later / "run.json").read_text())
    started = datetime.fromisoformat(about["started"]) + timedelta(hours=1)
    about |= {"id": later.name, "started": started.isoformat()}
    (later / "run.json").write_text(json.dumps(about))
    with closing(hw.Project.open(own)) as project:
        stored = own / "predictions" / "a.zarr"
        stored.parent.mkdir()
        run.classifier.predict_to(project.image("a <slide>"), stored)

        def text_of(hours, **keywords):
            os.utime(stored, ((started + timedelta(hours=hours)).timestamp(),) * 2)
            return Page(hw.report(project, tmp_path / "r.html", **keywords).read_text(encoding="utf-8")).text

        assert "from disk (a.zarr" in text_of(0.5), "the later run is reported"
        assert "from disk" not in text_of(0.5, run=run)
        assert "from disk (a.zarr" in text_of(-0.5, run=run)
        # A large image is not predicted for the report: then there is none, and it is said.
        monkeypatch.setattr("histowidgets.reporting._content.LARGEST_PREDICTED", 10)
        text = text_of(0.5, run=run)
        assert "from disk" not in text
        assert "on disk is from after a later training, so it may be by another classifier and is left out" in text


def test_an_image_that_cannot_be_read_is_left_out_and_named(tmp_path):
    picture = tmp_path / "gone.png"
    PIL.Image.new("RGB", (64, 64), "white").save(picture)
    with closing(hw.Project(["A", "B"], folder=tmp_path / "project")) as project:
        project.add_image(picture)
        project.add_image(np.full((64, 64, 3), 90, np.uint8), name="here")
    picture.unlink()
    with pytest.warns(hw.errors.HistowidgetsWarning, match="gone"):
        path = hw.report(tmp_path / "project", tmp_path / "report.html")
    read = Page(path.read_text(encoding="utf-8"))
    assert "The image gone cannot be read and was left out" in read.text
    assert [picture["alt"].split(" with")[0] for picture in read.pictures] == ["here"]


@pytest.mark.parametrize("name", ["report", "report.pdf"])
def test_another_ending_is_refused(tmp_path, name):
    with pytest.raises(ReportError, match=r"does not end in \.html"):
        hw.report(hw.Project(["A"]), tmp_path / name)


def test_a_place_that_cannot_be_written_is_refused_before_the_work(tmp_path):
    (tmp_path / "file").write_text("x")
    steps = []
    with pytest.raises(ReportError, match="cannot be written"):
        hw.report(hw.Project(["A"]), tmp_path / "file" / "report.html", progress=lambda *args: steps.append(args))
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(ReportError, match="a folder has this name"):
        hw.report(hw.Project(["A"]), tmp_path / "folder.html")
    assert steps == []
    with pytest.raises(ProjectError, match="expected a Project"):
        hw.report(3, tmp_path / "report.html")
    with pytest.raises(ClassifierError):
        hw.report(hw.Project(["A"]), tmp_path / "report.html", classifier=tmp_path)


def test_it_can_be_cancelled_and_then_nothing_is_written(session, tmp_path):
    folder, _ = session
    steps = []
    with pytest.raises(ReportCancelled):
        hw.report(
            folder,
            tmp_path / "report.html",
            progress=lambda done, total, step, left: steps.append((done, total, step)),
            should_stop=lambda: len(steps) == 2,
        )
    assert [done for done, _, _ in steps] == [0, 1]
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_both_files_and_does_not_overwrite(session, tmp_path, capsys):
    folder, _ = session
    out = tmp_path / "r.html"
    assert main(["report", str(folder), "-o", str(out), "--quiet"]) == EXIT_OK
    assert f"saved {out}" in capsys.readouterr().out
    assert out.with_suffix(".ipynb").is_file()
    assert main(["report", str(folder), "-o", str(out)]) == EXIT_REFUSED
    assert "already exists" in capsys.readouterr().err
    assert main(["report", str(tmp_path), "-o", str(out), "--force"]) == EXIT_REFUSED


def test_the_function_is_there_without_loading_torch():
    code = "import sys, histowidgets as hw; hw.errors.ReportError; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_a_session_in_memory_is_reported_with_the_annotations_of_the_run(tmp_path):
    project = painted(strokes=4)
    run = hw.train(project, quick(epochs=1, seed=3))
    project.annotate("image 0", hw.Stroke([(20, 20), (30, 40)], width=8), "Bright")
    text = Page(hw.report(project, tmp_path / "report.html", run=run).read_text(encoding="utf-8")).text
    assert "8 annotations were drawn: Dark (4), Bright (4)." in text
    assert "The annotations have changed since the run was started." in text
    assert "is in memory only, so there is no notebook" in text
    assert f"{run.scores['val_miou']:.2f}" in text


def test_annotations_that_changed_after_the_run_are_told_apart(session, tmp_path):
    folder, _ = session
    with closing(hw.Project.open(folder)) as project:
        project.annotate("a <slide>", hw.Stroke([(20, 20), (30, 40)], width=8), "Dark")
        try:
            text = Page(hw.report(project, tmp_path / "report.html").read_text(encoding="utf-8")).text
        finally:
            project.undo()
    assert "The annotations have changed since the run was started." in text
    assert "On 1 image, 12 annotations were drawn" in text


def test_a_quick_learner_is_called_what_it_is_and_nothing_else(tmp_path):
    project = painted(strokes=4)
    path = hw.report(project, tmp_path / "report.html", classifier=hw.quick_classifier(project))
    text = Page(path.read_text(encoding="utf-8")).text
    assert "Predictions are by a quick learner" in text
    assert "U-Net" not in text.split("References")[0]
    assert "1 image was predicted in tiles." in text


@pytest.mark.parametrize(
    ("changes", "about", "said", "absent"),
    [
        (
            {"loss": "focal", "find_learning_rate": True, "scheduler": "cosine", "hardest_share": 0.5, "ema_decay": 0},
            {"steps": 200, "start": {"run": "earlier", "sha256": ""}, "stopped": "best"},
            [
                "from the weights of the run earlier",
                "focal loss",
                "range test",
                "cosine schedule",
                "hardest 50 %",
                "predictions of its own weights",
                "it was stopped by the user",
            ],
            ["ImageNet", "moving average"],
        ),
        (
            {"normalization": "fixed_range", "normalization_low": 0, "normalization_high": 255, "augmentation": False},
            {"steps": 80, "stopped": "last"},
            ["0 became 0 and 255 became 1", "were not augmented", "The last weights were kept"],
            ["unlabelled pixels", "not an independent test", "percentile"],
        ),
        (
            {"early_stopping_metric": "val_loss", "freeze": "early", "class_weights": {"Dark": 2.0}, "epochs": 99},
            {},
            [
                "which had the lowest loss there",
                "the first blocks were frozen",
                "(Dark 2; others 1)",
                "the validation score had not improved for 20 epochs",
            ],
            ["all planned epochs"],
        ),
        (
            {"early_stopping_metric": "none", "epochs": 99, "max_seconds": None},
            {"stopped": None},
            ["s on a CPU (random seed 7)"],
            ["and ended"],
        ),
    ],
)
def test_each_sentence_is_there_only_if_it_happened(session, changes, about, said, absent):
    folder, run = session
    with closing(hw.Project.open(folder)) as project:
        facts = facts_of_stored(read_run(folder / "runs" / run.id), project.snapshot())
        changed = facts.settings.model_copy(update=changes)
        facts = replace(facts, settings=changed, about={**facts.about, **about})
        text, references = methods(project.snapshot(), facts, None, None, 0)
    assert [one for one in said if one not in text] == []
    assert [one for one in absent if one in text] == []
    assert re.search(
        r" s(, and ended when [^,()]+)? \(random seed 7\)|on a CPU(, and ended when [^()]+)? \(random", text
    )
    numbers = [int(n) for part in re.findall(r"\[([\d, ]+)\]", text) for n in part.split(",")]
    assert list(dict.fromkeys(numbers)) == list(range(1, len(references) + 1)), "numbered as they are first cited"
