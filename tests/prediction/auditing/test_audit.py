"""Audits from Python: draw, judge, leave, resume, count, and what is refused."""

import json
import warnings
from contextlib import closing

import numpy as np
import pytest

import histowidgets as hw
from histowidgets.errors import (
    AuditError,
    ClassifierError,
    ClassNameError,
    HistowidgetsWarning,
    ImageNameError,
    PredictionCancelled,
    PredictionError,
    ReadOnlyError,
)
from histowidgets.images import Region
from histowidgets.prediction import Prediction
from tests.prediction.models import brightness_classifier, picture

CLASSES = ["Dark", "Bright"]
COLORS = ["#d55e00", "#0072b2"]


def truth_of(image):
    """The class of each pixel, of which the prediction is wrong on some."""
    rng = np.random.default_rng(5)
    truth = np.zeros((image.height, image.width), np.uint8)
    truth[:, image.width // 3 :] = 1
    wrong = rng.random(truth.shape) < 0.1
    return truth, np.where(wrong, 1 - truth, truth).astype(np.uint8)


def prediction_of(project, name, labels, classes=CLASSES):
    return Prediction(
        None,
        labels=labels,
        classes=classes,
        colors=COLORS[: len(classes)],
        region=project.image(name).region,
        image_name=name,
    )


@pytest.fixture
def project(tmp_path):
    with closing(hw.Project(CLASSES, tmp_path / "project")) as made:
        made.add_image(picture(90, 120), name="one")
        made.add_image(picture(60, 80, seed=1), name="two", role="validation")
        yield made


@pytest.fixture
def predictions(project):
    return {name: prediction_of(project, name, truth_of(project.image(name))[1]) for name in project.image_names}


def judge_all(audit, project, points=None):
    for point in audit.points if points is None else points:
        truth, _ = truth_of(project.image(point.image_name))
        audit.judge(point, CLASSES[truth[point.y, point.x]])


def test_x15_an_audit_by_random_points_gives_accuracy_and_shares_with_intervals(project, predictions):
    truths = [truth_of(project.image(name)) for name in project.image_names]
    accuracy = sum((t == p).sum() for t, p in truths) / sum(t.size for t, _ in truths)
    dark = sum((t == 0).sum() for t, _ in truths) / sum(t.size for t, _ in truths)
    audit = hw.audit(project, predictions, n=400, seed=3)
    while (point := audit.next_point) is not None:
        judge_all(audit, project, [point])
    found = audit.results()
    assert (found.n_points, found.n_judged, found.n_cannot_tell, found.notes) == (400, 400, 0, ())
    assert found.accuracy.low < accuracy < found.accuracy.high
    assert abs(found.accuracy.value - accuracy) < 0.05
    share = found.classes[0].share
    assert share.low < dark < share.high
    plain = 2 * 1.96 * np.sqrt(dark * (1 - dark) / 400)
    assert share.high - share.low < 0.75 * plain, "narrower than plain point counting"
    assert found.classes[0].pixel_share == sum((p == 0).sum() for _, p in truths) / sum(p.size for _, p in truths)
    assert np.sum(found.confusion) == 400
    assert json.loads(json.dumps(found.to_dict()))["accuracy"]["value"] == found.accuracy.value
    table = found.to_dataframe()
    assert table[(table["class"] == "Dark") & (table.measure == "IoU")].value.item() == found.classes[0].iou.value
    words = found.sentences()
    assert words[1].startswith(f"Dark covers {100 * share.value:.0f} % of the area (")
    assert "; the pixel count alone says " in words[1]
    assert all(line in str(found) for line in words)


def test_the_class_that_was_predicted_is_not_printed(project, predictions):
    point = hw.audit(project, predictions, n=20).next_point
    assert "predicted" not in repr(point)
    assert point.predicted in CLASSES


def test_an_audit_is_left_and_resumed_and_survives_the_end_of_the_session(project, predictions):
    audit = hw.audit(project, predictions, n=30)
    first, second, third = audit.points[:3]
    audit.judge(first, "Dark")
    audit.judge(second.index, None)
    audit.judge(third, "Bright")
    assert audit.back() == third
    assert audit.next_point == third
    audit.judge(third, "Dark")
    before, folder = audit.record, project.folder
    assert hw.audit(project, predictions, n=30).id == audit.id, "the same arguments"
    project._log.folder.close()  # as if the process had been killed: nothing more is written
    with closing(hw.Project.open(folder)) as again:
        resumed = hw.audit(again)
        assert resumed.record == before
        assert [one.class_name for one in resumed.judgements] == ["Dark", None, "Dark"]
        assert resumed.next_point == audit.points[3]
        assert resumed.results().n_cannot_tell == 1
        assert again.undo()
        assert resumed.next_point == third
        assert again.redo()
        assert resumed.record == before


def test_a_changed_judgement_replaces_the_earlier_one_and_undo_restores_its_place(project, predictions):
    audit = hw.audit(project, predictions, n=10)
    for point in audit.points[:3]:
        audit.judge(point, "Dark")
    before = audit.record
    audit.judge(0, "Bright")
    assert [(one.point, one.class_name) for one in audit.judgements] == [(1, "Dark"), (2, "Dark"), (0, "Bright")]
    project.undo()
    assert audit.record == before


def test_other_arguments_draw_another_audit(project, predictions):
    audit = hw.audit(project, predictions, n=30)
    assert hw.audit(project, predictions, n=30, seed=1).points != audit.points
    assert {p.image_name for p in hw.audit(project, predictions, "validation", n=30).points} == {"two"}
    assert {p.image_name for p in hw.audit(project, predictions, ["one"], n=30).points} == {"one"}
    assert len(project.audits) == 4


def test_a_classifier_is_audited_and_the_points_have_its_classes(project):
    classifier = brightness_classifier(project.image("one"))
    audit = hw.audit(project, classifier, n=40)
    labels = {name: classifier.predict(project.image(name)).labels for name in project.image_names}
    assert all(CLASSES[labels[p.image_name][p.y, p.x]] == p.predicted for p in audit.points)
    assert hw.audit(project, classifier, n=40).id == audit.id
    assert hw.audit(project, classifier, n=40, tta=True).id != audit.id


def test_points_are_drawn_on_predictions_on_disk_as_well(project, tmp_path, monkeypatch):
    classifier = brightness_classifier(project.image("one"))
    images = {name: project.image(name) for name in project.image_names}
    stored = {name: classifier.predict_to(one, tmp_path / f"{name}.zarr") for name, one in images.items()}
    audit = hw.audit(project, stored, n=40)
    labels = {name: one.read_labels() for name, one in stored.items()}
    assert all(CLASSES[labels[p.image_name][p.y, p.x]] == p.predicted for p in audit.points)
    assert audit.record.pixels["one"] == tuple(stored["one"].pixel_counts().values())
    monkeypatch.setattr("histowidgets.prediction.auditing._predictions.IN_MEMORY_PIXELS", 0)
    assert hw.audit(project, classifier, n=40).points == audit.points


def test_another_prediction_is_scored_on_the_same_points(project, predictions):
    audit = hw.audit(project, predictions, n=200)
    judge_all(audit, project)
    perfect = [prediction_of(project, name, truth_of(project.image(name))[0]) for name in project.image_names]
    found = audit.score(perfect)
    assert found.accuracy.value == 1
    assert found.classes[0].share == audit.results().classes[0].share
    pixels = sum((truth_of(project.image(name))[0] == 0).sum() for name in project.image_names) / (90 * 120 + 60 * 80)
    assert found.classes[0].pixel_share == pytest.approx(pixels)
    same = audit.score(predictions)
    assert same.confusion == audit.results().confusion
    classifier = brightness_classifier(project.image("one"))
    scored = audit.score(classifier)
    labels = {name: classifier.predict(project.image(name)).labels for name in project.image_names}
    right = {p.index: CLASSES[labels[p.image_name][p.y, p.x]] for p in audit.points}
    pixels = np.sum(list(audit.record.pixels.values()), axis=0)
    drawn = np.bincount([CLASSES.index(p.predicted) for p in audit.points])
    weights = [pixels[CLASSES.index(p.predicted)] / drawn[CLASSES.index(p.predicted)] for p in audit.points]
    seen = {one.point: one.class_name for one in audit.judgements}
    hits = [right[p.index] == seen[p.index] for p in audit.points]
    assert scored.accuracy.value == pytest.approx(np.dot(weights, hits) / pixels.sum())
    assert scored.classes[0].pixel_share is not None


def test_large_images_are_scored_only_around_the_points(project, predictions, monkeypatch):
    audit = hw.audit(project, predictions, n=12)
    judge_all(audit, project)
    classifier = brightness_classifier(project.image("one"))
    whole = audit.score(classifier)
    monkeypatch.setattr("histowidgets.prediction.auditing._predictions.AROUND_PIXELS", 1)
    around = audit.score(classifier)
    assert around.confusion == whole.confusion
    assert (around.classes[0].pixel_share, around.accuracy) == (None, whole.accuracy)


def test_judgements_become_annotations_only_on_request_and_then_no_longer_count(project, predictions):
    audit = hw.audit(project, predictions, n=20)
    for point in audit.points[:4]:
        audit.judge(point, "Dark")
    audit.judge(audit.points[4], None)
    assert project.count() == {"Dark": 0, "Bright": 0}
    with pytest.raises(hw.errors.TrainingError):
        hw.quick_classifier(project)
    before = audit.record
    assert audit.annotate() == 4
    assert project.count() == {"Dark": 4, "Bright": 0}
    point = audit.points[0]
    assert project.label_map(point.image_name)[point.y, point.x] == 0
    assert "do not count as an audit of classifiers trained since" in audit.results().notes[-1]
    with pytest.raises(AuditError, match="no longer count as an audit"):
        audit.score(predictions)
    with pytest.raises(AuditError, match="annotations already"):
        audit.annotate()
    assert hw.audit(project, predictions, n=20).id != audit.id, "a fresh audit, not this one"
    project.undo()  # the new audit
    project.undo()
    assert project.count() == {"Dark": 0, "Bright": 0}
    assert (project.label_map(point.image_name) == 255).all()
    assert audit.record == before


def test_images_that_cannot_be_read_or_have_no_class_are_left_out_and_said(tmp_path):
    project = hw.Project(CLASSES, tmp_path / "project")
    project.add_image(picture(60, 80), name="kept")
    path = tmp_path / "gone.tif"
    project.add_image(picture(60, 80), name="empty")
    project.add_image(picture(60, 80), name="saved")
    project.close()
    saved = next((tmp_path / "project" / "images").glob("saved*"))
    saved.rename(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HistowidgetsWarning)
        project = hw.Project.open(tmp_path / "project")
    labels = np.tile(np.array([0, 1], np.uint8), (60, 40))
    given = [prediction_of(project, "kept", labels), prediction_of(project, "saved", labels)]
    given.append(prediction_of(project, "empty", np.full((60, 80), 255, np.uint8)))
    with pytest.warns(HistowidgetsWarning, match="left out of the audit") as told:
        audit = hw.audit(project, given, n=20)
    assert len(told) == 2
    assert set(audit.record.left_out) == {"saved", "empty"}
    assert {p.image_name for p in audit.points} == {"kept"}
    audit.judge(0, "Dark")
    assert any("empty is left out: nothing is predicted on it" in note for note in audit.results().notes)
    with pytest.raises(AuditError, match="No image is left"):
        hw.audit(project, given, ["saved", "empty"], n=20)
    project.close()


def test_points_on_a_removed_image_are_passed_over(project, predictions):
    audit = hw.audit(project, predictions, n=20)
    project.remove_image("one")
    while (point := audit.next_point) is not None:
        assert point.image_name == "two"
        audit.judge(point, "Dark")
    assert audit.results().n_judged == sum(p.image_name == "two" for p in audit.points)
    classifier = brightness_classifier(project.image("two"))
    with pytest.raises(AuditError, match="'one' of the audit was removed from the project"):
        audit.score(classifier)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"n": 9}, AuditError, "n is 9; expected a whole number from 10 to 2,000"),
        ({"n": 2001}, AuditError, "n is 2001"),
        ({"n": 20.0}, AuditError, "n is 20.0"),
        ({"n": True}, AuditError, "n is True"),
        ({"seed": -1}, AuditError, "seed is -1"),
        ({"images": ["three"]}, ImageNameError, "no image named 'three'"),
        ({"images": "train"}, AuditError, "No image has the role 'train'"),
        ({"images": []}, AuditError, "no image to draw points on"),
        ({"predictions": 7}, AuditError, "a classifier or predictions; 7 is neither"),
        ({"predictions": {}}, AuditError, "There is no prediction"),
        ({"predictions": {"one": "x"}}, AuditError, "The prediction of 'one' is 'x'"),
        ({"predictions": "no/such/folder"}, ClassifierError, "no/such/folder"),
        ({"overlap": 0.3}, PredictionError, "'overlap' needs a classifier"),
        ({"predictions": None}, AuditError, "There is no prediction to audit"),
    ],
)
def test_what_cannot_be_drawn_is_a_named_error_and_nothing_is_kept(project, predictions, arguments, error, words):
    with pytest.raises(error, match=words):
        hw.audit(project, **{"predictions": predictions, "n": 20, **arguments})
    assert project.audits == ()


def test_a_prediction_of_other_classes_or_of_another_size_is_refused(project, predictions):
    other = prediction_of(project, "one", np.zeros((90, 120), np.uint8), ["Dark", "Fat"])
    with pytest.raises(AuditError, match="the class 'Fat', which the project lacks; its classes are Dark, Bright"):
        hw.audit(project, other)
    audit = hw.audit(project, predictions, n=10)
    judge_all(audit, project)
    with pytest.raises(AuditError, match="class 'Fat'"):
        audit.score(other)
    with pytest.raises(AuditError, match="no prediction of 'two'"):
        audit.score(predictions["one"])
    large = Prediction(
        None, labels=np.zeros((95, 120), np.uint8), classes=CLASSES, colors=COLORS, region=Region(0, 0, 120, 95)
    )
    with pytest.raises(AuditError, match="extends beyond the image"):
        hw.audit(project, {"one": large})
    with pytest.raises(AuditError, match="same image"):
        hw.audit(project, [predictions["one"], predictions["one"]])
    small = Prediction(
        None, labels=np.zeros((2, 3), np.uint8), classes=CLASSES, colors=COLORS, region=Region(4, 4, 3, 2)
    )
    with pytest.raises(AuditError, match="Only 6 pixels are predicted, fewer than 10 points"):
        hw.audit(project, {"one": small}, n=10)


def test_a_cancelled_prediction_draws_nothing(project):
    with pytest.raises(PredictionCancelled):
        hw.audit(project, brightness_classifier(project.image("one")), n=20, should_stop=lambda: True)
    assert project.audits == ()


def test_wrong_judgements_are_refused_and_change_nothing(project, predictions):
    audit = hw.audit(project, predictions, n=10)
    with pytest.raises(ClassNameError, match="no class 'Fat' in this audit; its classes are Dark, Bright"):
        audit.judge(0, "Fat")
    for point in (10, -1, 1.0, "0", True):
        with pytest.raises(AuditError, match="the points of this audit are 0 to 9"):
            audit.judge(point, "Dark")
    with pytest.raises(AuditError, match="No point has been judged"):
        audit.results()
    assert audit.back() is None
    assert audit.n_judged == 0
    audit.judge(0, None)
    with pytest.raises(AuditError, match="No point has been judged"):
        audit.results()
    project.undo()
    project.undo()
    with pytest.raises(AuditError, match="may have been undone"):
        audit.judge(0, "Dark")


def test_a_read_only_project_shows_its_audit_and_keeps_no_judgement(project, predictions):
    audit = hw.audit(project, predictions, n=20)
    audit.judge(0, "Dark")
    reader = hw.Project.open(project.folder)
    assert reader.read_only
    shown = hw.audit(reader)
    assert shown.results().n_judged == 1
    with pytest.raises(ReadOnlyError):
        shown.judge(1, "Dark")
    with pytest.raises(ReadOnlyError):
        hw.audit(reader, predictions, n=50)
    assert shown.n_judged == 1
    reader.close()


def test_a_renamed_class_is_renamed_in_an_audit_and_a_removed_one_stays(project, predictions):
    audit = hw.audit(project, predictions, n=10)
    audit.judge(0, "Dark")
    project.rename_class("Dark", "Shadow")
    assert audit.classes == ("Shadow", "Bright")
    assert audit.judgements[0].class_name == "Shadow"
    assert {one.predicted for one in audit.points} == {"Shadow", "Bright"}
    assert [one.name for one in audit.results().classes] == ["Shadow", "Bright"]
    project.undo()
    assert audit.classes == ("Dark", "Bright")
    assert audit.judgements[0].class_name == "Dark"
    project.redo()
    project.merge_classes("Bright", into="Shadow")
    audit.judge(1, "Bright")
    assert audit.classes == ("Shadow", "Bright")
    # Another class that gets the name of the removed one stays apart from it, also after undo.
    project.rename_class("Shadow", "Bright")
    assert audit.classes == ("Shadow", "Bright")
    project.undo()
    assert audit.classes == ("Shadow", "Bright")
    with pytest.raises(ClassNameError, match="There is no class 'Bright'"):
        audit.annotate()
    assert project.count() == {"Shadow": 0}


def test_a_new_name_in_an_audit_is_kept_in_the_journal(project, predictions):
    audit = hw.audit(project, predictions, n=10)
    audit.judge(0, "Dark")
    project.rename_class("Dark", "Shadow")
    expected = audit.record
    project.close()
    with closing(hw.Project.open(project.folder)) as again:
        assert again.audits == (expected,)
        assert hw.audit(again).results().classes[0].name == "Shadow"


@pytest.fixture
def with_pen(tmp_path):
    """A project with an ignored class, and a prediction of which a quarter is Pen*."""
    with closing(hw.Project([*CLASSES, "Pen*"], tmp_path / "pen")) as project:
        project.add_image(picture(100, 100), name="one")
        labels = np.zeros((100, 100), np.uint8)
        labels[:, 40:] = 1
        labels[:, 75:] = 2
        prediction = Prediction(
            None,
            labels=labels,
            classes=[*CLASSES, "Pen*"],
            colors=[*COLORS, "#999999"],
            region=project.image("one").region,
            image_name="one",
        )
        yield project, prediction


def test_x7_ignored_classes_do_not_count_in_an_audit(with_pen):
    project, prediction = with_pen
    audit = hw.audit(project, [prediction], n=75)
    assert {point.predicted for point in audit.points} == set(CLASSES), "no point is drawn on ignored areas"
    assert audit.record.pixels["one"] == (4000, 3500, 0)
    told = dict.fromkeys(CLASSES, 0)
    for k, point in enumerate(audit.points):
        audit.judge(point, "Pen*" if k % 5 == 0 else point.predicted)
        told[point.predicted] += k % 5 != 0
    found = audit.results()
    assert [one.name for one in found.classes] == CLASSES
    assert found.n_judged == sum(told.values()) == 60
    assert found.n_cannot_tell == 0
    assert found.accuracy.value == 1.0
    assert found.classes[0].pixel_share == pytest.approx(4000 / 7500)
    assert found.classes[0].share.value == pytest.approx(4000 / 7500)
    assert found.confusion == ((told["Dark"], 0), (0, told["Bright"]))
    assert any("15 points in ignored areas" in note for note in found.notes)
    assert not any("Pen*" in note for note in found.notes)


def test_x7_ignored_classes_do_not_count_when_another_prediction_is_scored(with_pen):
    project, prediction = with_pen
    audit = hw.audit(project, [prediction], n=75)
    for point in audit.points:
        audit.judge(point, point.predicted)
    labels = prediction.labels.copy()
    labels[:50] = 2  # half of each class
    other = Prediction(
        None,
        labels=labels,
        classes=prediction.classes,
        colors=prediction.colors,
        region=prediction.region,
        image_name="one",
    )
    found = audit.score([other])
    assert [one.name for one in found.classes] == CLASSES
    assert found.n_judged == sum(point.y >= 50 for point in audit.points)
    assert found.accuracy.value == 1.0
    assert found.classes[0].pixel_share == pytest.approx(4000 / 7500)


# --- tables ---


def test_judgements_travel_in_a_table(project, predictions, tmp_path):
    audit = hw.audit(project, predictions, n=10)
    path = tmp_path / "points.csv"
    audit.save_csv(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "point,image,x,y,class"
    assert len(lines) == 11
    filled = [lines[0], *(f"{line}{c}" for line, c in zip(lines[1:], ["dark", "?", "Bright", *[""] * 7], strict=True))]
    path.write_text("\n".join(filled).replace(",", ";"), encoding="utf-8-sig")  # as a spreadsheet may write it
    assert audit.read_csv(path) == 3
    assert [one.class_name for one in audit.judgements] == ["Dark", None, "Bright"]
    assert audit.read_csv(path) == 0, "nothing new"
    audit.save_csv(path)
    assert [line.split(",")[4] for line in path.read_text().splitlines()[1:5]] == ["Dark", "?", "Bright", ""]
    project.undo()
    assert audit.n_judged == 0, "one step of undo"


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("", "lacks the columns 'point' and 'class'"),
        ("point,x\n0,5\n", "lacks the columns"),
        ("point,class\n0,Dark\n10,Dark\n", "Line 3 of .* has the point '10'; the points of this audit are 0 to 9"),
        ("point,class\n0,Dark\none,Dark\n", "Line 3 of .* has the point 'one'"),
        ("point,class\n0,Dark\n0,Bright\n", "Line 3 of .* has point 0 again"),
        ("point,class\n1,Dark\n0,Fat\n", "Line 3 of .* has the class 'Fat'; expected one of Dark, Bright"),
        ("point,image,class\n0,elsewhere,Dark\n", "the table is of another audit"),
        ("point,x,class\n0,-3,Dark\n", "the table is of another audit"),
        (b"point,class\n0,\xff\n", "cannot be read"),
        (None, "cannot be read"),
    ],
)
def test_a_broken_table_is_a_named_error_and_nothing_of_it_is_kept(project, predictions, tmp_path, table, words):
    audit = hw.audit(project, predictions, n=10)
    path = tmp_path / "points.csv"
    if table is not None:
        path.write_bytes(table if isinstance(table, bytes) else table.encode())
    with pytest.raises(AuditError, match=words):
        audit.read_csv(path)
    assert audit.n_judged == 0
