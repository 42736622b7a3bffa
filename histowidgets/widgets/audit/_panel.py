"""The panel of an audit: draws the points, asks for the class at each, and shows the numbers."""

import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from histowidgets._durations import roughly
from histowidgets.annotations import (
    FEWEST_POINTS,
    MOST_POINTS,
    USUAL_POINTS,
    AuditPoint,
    AuditRecord,
    Change,
    Judgement,
    Project,
)
from histowidgets.errors import HistowidgetsError, PredictionCancelled
from histowidgets.widgets.common import LatestWorker, SerialQueue, bundle, style_sheet

if TYPE_CHECKING:  # these need torch
    from histowidgets.prediction import Audit, AuditResults, Classifier

#: Seconds for a point until the person's own pace is known, and the longest that counts as part of that pace.
SECONDS, LONGEST = 3.0, 60.0
_NO_COLOR = "#808080"


@dataclass(frozen=True)
class _Wanted:
    """An audit to draw."""

    classifier: "Classifier"
    images: Any
    n: int
    options: Mapping[str, Any]


class AuditPanel(anywidget.AnyWidget):
    """Audits the classifier whose prediction is shown, or continues the latest audit of the project.

    Parameters
    ----------
    project
        Keeps the audit.
    classifier
        Returns the classifier to audit, or None if there is none yet.
    image_name
        Returns the name of the image that is shown.
    options
        Returns the options to predict with, see `PredictOptions`.
    show
        Called with the point to judge, so that it comes into view with everything hidden that could tell the answer;
        and with None when the judging ends or is paused.
    log
        Called with each error message.

    Attributes
    ----------
    audit : Audit or None
        The audit that is judged or was judged last.
    """

    _esm = bundle("audit")
    _css = style_sheet("audit/style")

    # Written from Python only; the page answers with messages.
    _view = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        project: Project,
        classifier: "Callable[[], Classifier | None]",
        image_name: Callable[[], str],
        options: Callable[[], Mapping[str, Any]],
        show: Callable[[AuditPoint | None], object],
        log: Callable[[str], object] = lambda text: None,
    ) -> None:
        self._project, self._classifier, self._image_name, self._options = project, classifier, image_name, options
        self._show_point, self._log = show, log
        self._queue = SerialQueue()
        self._cancelled = threading.Event()
        self._mode = "idle"
        self._shown: AuditPoint | None = None
        self._counted: tuple[AuditRecord, AuditResults] | None = None
        self.audit: Audit | None = None
        super().__init__()
        self._worker: LatestWorker[_Wanted, tuple[Audit, list[str]]] = LatestWorker("audit", self._draw, self._drawn)
        self._unsubscribe = project.subscribe(lambda change: self._submit(lambda: self._project_changed(change)))
        self.on_msg(self._message)
        self._submit(self._find_audit)

    @property
    def idle(self) -> threading.Event:
        """Set while no points are being drawn."""
        return self._worker.idle

    @property
    def judging(self) -> bool:
        """Whether a point is shown for judging."""
        return self._mode == "judging"

    def pause(self) -> None:
        """End the judging for now; what was judged is kept."""
        self._submit(self._pause)

    def close(self) -> None:
        """Pause, end the worker and close the widget."""
        self._cancelled.set()
        self._unsubscribe()
        self._worker.close()
        self.pause()
        super().close()

    # -- what the page says ------------------------------------------------------------------------

    def _message(self, widget: Any, content: Any, buffers: Any) -> None:
        if isinstance(content, dict):
            self._submit(lambda: self._do(content))

    def _do(self, content: Mapping[str, Any]) -> None:
        """Do what the page asks for; a message about a point that is no longer shown has no effect."""
        kind = content.get("kind")
        if kind == "ask" and self._mode in ("idle", "results"):
            self._set("asking")
        elif kind == "start" and self._mode == "asking":
            self._start(content.get("images"), content.get("n"))
        elif kind == "cancel":
            self._cancel()
        elif kind == "resume" and self._mode == "results":
            self._next()
        elif kind == "pause":
            self._pause()
        elif kind == "annotate" and self._mode == "results" and self.audit is not None:
            count = self.audit.annotate()
            made = "1 annotation was made of the points. Undo takes it back."
            if count != 1:
                made = f"{count} annotations were made of the points. Undo takes them back."
            self._set("results", made, "good")
        elif kind in ("judge", "back") and self.judging:
            self._judge(kind, content)

    def _submit(self, job: Callable[[], object]) -> None:
        """Run a job in the queue, and show an error."""

        def shown() -> None:
            try:
                job()
            except (HistowidgetsError, OSError) as error:
                self._log(str(error))
                self._set(self._mode, str(error), "error")

        self._queue.submit(shown)

    def _judge(self, kind: str, content: Mapping[str, Any]) -> None:
        audit, shown, number = self.audit, self._shown, content.get("class")
        if audit is None or shown is None or content.get("point") != shown.index:
            return
        if kind == "back":
            audit.back()
        elif number is None:
            audit.judge(shown, None)
        elif isinstance(number, int) and 0 <= number < len(audit.classes):
            audit.judge(shown, audit.classes[number])
        else:
            return
        self._next()

    def _cancel(self) -> None:
        if self._mode == "busy":
            self._cancelled.set()
        elif self._mode == "asking":
            self._set("idle" if self.audit is None else "results")

    # -- drawing points ----------------------------------------------------------------------------

    def _start(self, images: object, n: object) -> None:
        classifier = self._classifier()
        if classifier is None:
            self._set("idle", "There is no classifier yet: paint at least two classes first.", "error")
            return
        wanted = {"all": None, "validation": "validation"}.get(str(images), [self._image_name()])
        self._cancelled.clear()
        self._set("busy", "Predicting, to draw points…")
        self._worker.request(_Wanted(classifier, wanted, n if isinstance(n, int) else 0, self._options()))

    def _draw(self, wanted: _Wanted, is_stale: Callable[[], bool]) -> "tuple[Audit, list[str]]":
        from histowidgets.prediction import audit

        def told(done: int, total: int) -> None:
            self._submit(lambda: self._set("busy", f"Predicted {done} of {total} images…"))

        notes: list[str] = []
        found = audit(
            self._project,
            wanted.classifier,
            wanted.images,
            wanted.n,
            len(self._project.audits),  # another draw each time
            progress=told,
            should_stop=lambda: is_stale() or self._cancelled.is_set(),
            tell=notes.append,
            **wanted.options,
        )
        return found, notes

    def _drawn(self, wanted: _Wanted, found: "tuple[Audit, list[str]] | None", error: BaseException | None) -> None:
        def job() -> None:
            if found is None:
                known = isinstance(error, HistowidgetsError | OSError)
                words = str(error) if known else f"{type(error).__name__}: {error}"
                cancelled = isinstance(error, PredictionCancelled)
                if not cancelled:
                    self._log(words)
                self._set("asking", "" if cancelled else words, "error")
                return
            self.audit = found[0]
            self._next(" ".join(found[1]))

        self._submit(job)

    # -- judging -----------------------------------------------------------------------------------

    def _find_audit(self) -> None:
        """Show the latest audit of the project, if there is one."""
        if self._project.audits:
            from histowidgets.prediction import audit

            self.audit = audit(self._project)
            self._set("results")
        else:
            self._set("idle")

    def _next(self, note: str = "") -> None:
        """Show the next point, or the results after the last one."""
        point = None if self.audit is None else self.audit.next_point
        if point is None:
            self._pause()
            return
        if point != self._shown:
            self._shown = point
            self._show_point(point)
        self._set("judging", note)

    def _pause(self) -> None:
        if self._shown is not None:
            self._shown = None
            self._show_point(None)
        if self._mode == "judging":
            self._set("results")

    def _project_changed(self, change: Change) -> None:
        """Follow judgements from Python, undo and redo, other classes and colours, and removed images."""
        if change.kind not in ("audits", "images", "classes") or self._mode in ("busy", "asking"):
            return
        latest = self._project.audits[-1].id if self._project.audits else None
        if latest is None or (self.audit is not None and all(a.id != self.audit.id for a in self._project.audits)):
            self.audit = None
            self._pause()
            self._find_audit()
        elif self.judging:
            self._next()
        elif self.audit is None or (latest != self.audit.id and self._mode != "judging"):
            self._find_audit()
        else:
            self._set(self._mode)

    # -- what is shown -----------------------------------------------------------------------------

    def _set(self, mode: str, status: str = "", level: str = "info") -> None:
        self._mode = mode
        roles = [self._project.role(name) for name in self._project.image_names]
        view: dict[str, Any] = {
            "mode": mode,
            "status": status,
            "level": level,
            "images": len(roles),
            "validation": roles.count("validation"),
            "points": [FEWEST_POINTS, USUAL_POINTS, MOST_POINTS],
        }
        if self.audit is not None:
            view |= self._of_audit(self.audit)
        self._view = view

    def _of_audit(self, audit: "Audit") -> dict[str, Any]:
        colors = self._project.colors
        record = audit.record
        done, total = len(record.judgements), len(record.points)
        view: dict[str, Any] = {
            "classes": [{"name": name, "color": colors.get(name, _NO_COLOR)} for name in record.classes],
            "point": None if self._shown is None else self._shown.index,
            "done": done,
            "total": total,
            "progress": _progress(record.judgements, total),
            "open": audit.next_point is not None,
            "annotated": record.annotated,
            "canAnnotate": not record.annotated and any(one.class_name is not None for one in record.judgements),
        }
        if self._mode == "results" and any(one.class_name is not None for one in record.judgements):
            found = self._results(audit, record)
            view |= {"sentences": found.sentences(), "notes": list(found.notes), "cells": found.cells()}
        return view

    def _results(self, audit: "Audit", record: AuditRecord) -> "AuditResults":
        """Return the numbers, which take some tenths of a second; computed once for each state of the audit."""
        if self._counted is None or self._counted[0] is not record:
            self._counted = record, audit.results()
        return self._counted[1]


def _progress(judgements: tuple[Judgement, ...], total: int) -> str:
    """Return how many points are judged, and about how long the others take at the pace so far."""
    done = len(judgements)
    times = sorted(one.time for one in judgements)
    steps = sorted(b - a for a, b in itertools.pairwise(times) if b - a <= LONGEST)
    pace = steps[len(steps) // 2] if len(steps) >= 3 else SECONDS
    left = "" if done >= total else f" · about {roughly(pace * (total - done))} left"
    return f"{done} of {total}{left}"
