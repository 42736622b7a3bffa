"""Edits of audits: start one, judge points, make the judgements annotations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from histowidgets.annotations.project._audit import AuditRecord, Judgement
from histowidgets.annotations.project._edit import Edit, image_state
from histowidgets.annotations.project._edits_annotations import AddAnnotations
from histowidgets.annotations.project._state import Change, Record, State
from histowidgets.annotations.shapes import Annotation
from histowidgets.errors import AuditError


def audit_of(state: State, audit_id: str) -> AuditRecord:
    """Return an audit by its id (AuditError if there is none)."""
    if not isinstance(audit_id, str) or audit_id not in state.audits:
        raise AuditError(f"The project has no audit {audit_id!r}. It may have been undone; draw one with hw.audit.")
    return state.audits[audit_id]


class _AuditEdit(Edit):
    """Base of edits of audits, which change no label."""

    def change(self, state: State) -> Change:
        return Change("audits")


@dataclass(frozen=True)
class StartAudit(_AuditEdit):
    """Add an audit without judgements."""

    op: ClassVar[str] = "start-audit"
    audit: AuditRecord

    @classmethod
    def make(cls, state: State, audit: AuditRecord) -> Self:
        """Check that the audit is new, and that its points lie on images of the project."""
        audit.check()
        if not audit.id or audit.id in state.audits:
            raise AuditError(f"The project already has an audit {audit.id!r}.")
        for point in audit.points:
            image = image_state(state, point.image_name).image
            if point.x >= image.width or point.y >= image.height:
                raise AuditError(
                    f"The point {point.x}, {point.y} lies outside image {point.image_name!r} of {image.width} x "
                    f"{image.height} pixels."
                )
        return cls(replace(audit, judgements=(), annotated=False))

    def to_record(self) -> Record:
        return {"op": self.op, **self.audit.to_dict()}

    @classmethod
    def from_record(cls, record: Record, state: State) -> Self:
        return cls.make(state, AuditRecord.from_dict(record))

    def apply(self, state: State) -> None:
        state.audits[self.audit.id] = self.audit

    def revert(self, state: State) -> None:
        del state.audits[self.audit.id]


@dataclass(frozen=True)
class JudgePoints(_AuditEdit):
    """Set, replace or withdraw the judgements of points."""

    op: ClassVar[str] = "judge"
    audit_id: str
    judgements: tuple[tuple[int, Judgement | None], ...]  # (point, judgement); None withdraws
    before: tuple[tuple[int, Judgement], ...]  # (place, judgement) that are replaced or withdrawn, sorted by place

    @classmethod
    def make(cls, state: State, audit_id: str, judgements: Mapping[int, Judgement | None]) -> Self:
        """Check that the points and the classes exist."""
        audit = audit_of(state, audit_id)
        if not judgements:
            raise AuditError("No judgement was given.")
        for point, judgement in judgements.items():
            audit.point(point)
            if judgement is not None:
                audit.known_class(judgement.class_name)
            elif point not in audit.by_point:
                raise AuditError(f"Point {point} has not been judged yet.")
        before = tuple((place, one) for place, one in enumerate(audit.judgements) if one.point in judgements)
        return cls(audit_id, tuple(judgements.items()), before)

    def to_record(self) -> Record:
        rows = [[point, None if one is None else one.to_dict()] for point, one in self.judgements]
        return {"op": self.op, "audit": self.audit_id, "points": rows}

    @classmethod
    def from_record(cls, record: Record, state: State) -> Self:
        found = {point: None if one is None else Judgement.from_dict(point, one) for point, one in record["points"]}
        return cls.make(state, record["audit"], found)

    def apply(self, state: State) -> None:
        new = [one for _, one in self.judgements if one is not None]
        self._set(state, [*self._others(state), *new])

    def revert(self, state: State) -> None:
        judgements = self._others(state)
        for place, one in self.before:
            judgements.insert(place, one)
        self._set(state, judgements)

    def _others(self, state: State) -> list[Judgement]:
        points = {point for point, _ in self.judgements}
        return [one for one in state.audits[self.audit_id].judgements if one.point not in points]

    def _set(self, state: State, judgements: Sequence[Judgement]) -> None:
        state.audits[self.audit_id] = replace(state.audits[self.audit_id], judgements=tuple(judgements))


@dataclass(frozen=True)
class AnnotateAudit(_AuditEdit):
    """Draw annotations at the judged points of an audit, which is marked as annotated."""

    op: ClassVar[str] = "annotate-audit"
    audit_id: str
    additions: tuple[AddAnnotations, ...]

    @classmethod
    def make(cls, state: State, audit_id: str, annotations: Mapping[str, Sequence[Annotation]]) -> Self:
        """Check that the audit is not annotated yet, and the annotations of each image."""
        audit = audit_of(state, audit_id)
        if audit.annotated:
            raise AuditError("The points of this audit are annotations already.")
        if not any(annotations.values()):
            raise AuditError("No point of this audit has a class yet. Judge some first.")
        return cls(audit_id, tuple(AddAnnotations.make(state, name, some) for name, some in annotations.items()))

    def to_record(self) -> Record:
        return {
            "op": self.op,
            "audit": self.audit_id,
            "images": {one.image_name: [a.to_dict() for a in one.annotations] for one in self.additions},
        }

    @classmethod
    def from_record(cls, record: Record, state: State) -> Self:
        found = {name: [Annotation.from_dict(one) for one in some] for name, some in record["images"].items()}
        return cls.make(state, record["audit"], found)

    def apply(self, state: State) -> None:
        for addition in self.additions:
            addition.apply(state)
        self._mark(state, True)

    def revert(self, state: State) -> None:
        for addition in self.additions:
            addition.revert(state)
        self._mark(state, False)

    def _mark(self, state: State, annotated: bool) -> None:
        state.audits[self.audit_id] = replace(state.audits[self.audit_id], annotated=annotated)

    def change(self, state: State) -> Change:
        return Change("annotations")

    def renumbers(self) -> bool:
        return True  # labels of several images change
