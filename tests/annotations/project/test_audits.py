"""Audits as a project keeps them: records in the journal, undo, damage, and versions."""

import json
from contextlib import closing
from dataclasses import replace

import pytest

from histowidgets.annotations import AuditPoint, AuditRecord, Project, Rectangle
from histowidgets.errors import AuditError, ImageNameError, ProjectFolderError
from tests.annotations.conftest import CLASSES, blank


def record(n=3, **changes):
    points = tuple(AuditPoint(i, "blank", 10 + i, 20, CLASSES[i % 2]) for i in range(n))
    made = AuditRecord("first", 5.0, 7, tuple(CLASSES), {"blank": (100, 50, 0)[: len(CLASSES)]}, points, "mine", "ab12")
    return replace(made, **changes)


@pytest.fixture
def kept(tmp_path):
    with closing(Project(CLASSES, tmp_path / "project")) as project:
        project.add_image(blank())
        yield project


def test_each_edit_is_a_line_of_the_journal_and_one_step_of_undo(kept):
    states = [kept.audits]
    for edit in (
        lambda: kept.start_audit(record()),
        lambda: kept.judge_point("first", 0, CLASSES[0]),
        lambda: kept.judge_points("first", {1: None, 2: CLASSES[1]}),
        lambda: kept.withdraw_judgement("first", 1),
        lambda: kept.annotate_audit("first"),
    ):
        edit()
        states.append(kept.audits)
    lines = [json.loads(line) for line in (kept.folder / "journal.jsonl").read_text().splitlines()]
    assert [line["op"] for line in lines] == ["start-audit", "judge", "judge", "judge", "annotate-audit"]
    assert kept.snapshot().audits == kept.audits
    assert len(kept.annotations("blank")) == 2
    kept.close()
    with closing(Project.open(kept.folder)) as again:
        assert again.audits == states[-1]
        assert len(again.annotations("blank")) == 2
        for state in reversed(states[:-1]):
            assert again.undo()
            assert again.audits == state
        for state in states[1:]:
            assert again.redo()
            assert again.audits == state


def test_subscribers_are_told_what_changed(kept):
    told = []
    kept.subscribe(told.append)
    kept.start_audit(record())
    kept.judge_point("first", 0, CLASSES[0])
    kept.annotate_audit("first")
    assert [change.kind for change in told] == ["audits", "audits", "annotations"]


def test_label_maps_follow_points_that_become_annotations(kept):
    kept.annotate("blank", Rectangle(0, 0, 50, 50), CLASSES[1])
    kept.label_map("blank")  # cached
    kept.start_audit(record())
    kept.judge_point("first", 0, CLASSES[0])
    kept.annotate_audit("first", width=3)
    assert kept.label_map("blank")[20, 10] == 0
    kept.undo()
    assert kept.label_map("blank")[20, 10] == 1


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"points": ()}, AuditError, "An audit has 1 to 2,000 points; these are 0"),
        ({"pixels": {"blank": (1,)}}, AuditError, "a number of pixels for each class of image 'blank'"),
        ({"classes": ("a", "a", "a")}, AuditError, "must differ"),
        ({"pixels": {"other": (1, 1, 1)}}, AuditError, "fits neither its images nor its classes"),
        ({"points": (AuditPoint(0, "blank", 120, 5, CLASSES[0]),)}, AuditError, "outside image 'blank' of 120 x 90"),
        ({"points": (AuditPoint(1, "blank", 1, 5, CLASSES[0]),)}, AuditError, "Point 0 of the audit fits neither"),
        (
            {"pixels": {"gone": (1, 1, 1)}, "points": (AuditPoint(0, "gone", 1, 5, CLASSES[0]),)},
            ImageNameError,
            "no image named 'gone'",
        ),
    ],
)
def test_an_audit_that_does_not_fit_the_project_is_refused(kept, changes, error, words):
    with pytest.raises(error, match=words):
        kept.start_audit(record(**changes))
    assert kept.audits == ()
    assert (kept.folder / "journal.jsonl").read_text() == ""


def test_the_same_audit_cannot_be_added_twice_and_unknown_ones_not_judged(kept):
    kept.start_audit(record())
    with pytest.raises(AuditError, match="already has an audit"):
        kept.start_audit(record())
    with pytest.raises(AuditError, match="no audit 'other'"):
        kept.judge_point("other", 0, None)
    with pytest.raises(AuditError, match="Point 2 has not been judged yet"):
        kept.withdraw_judgement("first", 2)
    with pytest.raises(AuditError, match="No judgement was given"):
        kept.judge_points("first", {})
    with pytest.raises(AuditError, match="No point of this audit has a class yet"):
        kept.annotate_audit("first")


def test_who_judged_is_kept(kept):
    kept.annotator = "Ann"
    kept.start_audit(record())
    kept.judge_point("first", 0, CLASSES[0])
    kept.close()
    with closing(Project.open(kept.folder)) as again:
        assert again.audits[0].judgements[0].annotator == "Ann"


@pytest.mark.parametrize("damage", ["points", "classes", "pixels", "seed", "place", "image"])
def test_a_damaged_line_is_named(kept, damage):
    kept.start_audit(record())
    kept.judge_point("first", 0, CLASSES[0])
    path = kept.folder / "journal.jsonl"
    first, *rest = path.read_text().splitlines(keepends=True)
    values = json.loads(first)
    if damage == "place":
        values["points"][1][1] = -3
    elif damage == "image":
        values["points"][1][0] = 4
    else:
        del values[damage]
    path.write_text(json.dumps(values) + "\n" + "".join(rest))
    kept.close()
    with pytest.raises(ProjectFolderError, match=r"Line 1 of .*journal\.jsonl is damaged"):
        Project.open(kept.folder)


def test_a_journal_of_a_newer_version_is_not_called_damaged(kept):
    path = kept.folder / "journal.jsonl"
    path.write_text('{"op":"measure-twice"}\n')
    kept.close()
    with pytest.raises(ProjectFolderError, match=r"'measure-twice', which this version .* does not know.*update"):
        Project.open(kept.folder)


def test_fields_that_a_newer_version_adds_are_ignored(kept):
    kept.start_audit(record())
    kept.judge_point("first", 0, CLASSES[0])
    before, path = kept.audits, kept.folder / "journal.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[0]["mood"] = lines[1]["points"][0][1]["mood"] = "good"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    kept.close()
    with closing(Project.open(kept.folder)) as again:
        assert again.audits == before
