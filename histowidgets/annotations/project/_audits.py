"""Starting, judging and annotating the audits of a project."""

import time
from collections import defaultdict
from collections.abc import Mapping

from histowidgets.annotations.project._annotate import new_annotation
from histowidgets.annotations.project._audit import AuditRecord, Judgement
from histowidgets.annotations.project._edit_log import EditLog
from histowidgets.annotations.project._edits_audits import AnnotateAudit, JudgePoints, StartAudit, audit_of
from histowidgets.annotations.project._state import State
from histowidgets.annotations.shapes import Annotation, Stroke


def start_audit(log: EditLog, audit: AuditRecord) -> None:
    """Keep an audit. See `Project.start_audit`."""
    log.do(lambda state: StartAudit.make(state, audit))


def judge_point(log: EditLog, audit_id: str, point: int, class_name: str | None) -> None:
    """Keep what a person saw at a point. See `Project.judge_point`."""
    judge_points(log, audit_id, {point: class_name})


def judge_points(log: EditLog, audit_id: str, classes: Mapping[int, str | None]) -> None:
    """Keep what a person saw at several points. See `Project.judge_points`."""
    now, annotator = time.time(), str(log.annotator)
    judgements = {point: Judgement(point, name, now, annotator) for point, name in classes.items()}
    log.do(lambda state: JudgePoints.make(state, audit_id, judgements))


def withdraw_judgement(log: EditLog, audit_id: str, point: int) -> None:
    """Remove the judgement of a point. See `Project.withdraw_judgement`."""
    log.do(lambda state: JudgePoints.make(state, audit_id, {point: None}))


def annotate_audit(log: EditLog, audit_id: str, width: float) -> int:
    """Paint a dot at each judged point. See `Project.annotate_audit`."""

    def make(state: State) -> AnnotateAudit:
        audit, dots = audit_of(state, audit_id), defaultdict[str, list[Annotation]](list)
        for judgement in audit.judgements:
            point = audit.points[judgement.point]
            if judgement.class_name is not None and point.image_name in state.images:
                dot = Stroke([(point.x + 0.5, point.y + 0.5)], width)
                dots[point.image_name].append(new_annotation(log, dot, judgement.class_name))
        return AnnotateAudit.make(state, audit_id, dots)

    return sum(len(one.annotations) for one in log.do(make).additions)
