"""The classes, how many annotations each still needs, and one advice about where to paint next."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import ipywidgets

from histowidgets.advice import Advice, coach
from histowidgets.annotations import Change, Project, ProjectSnapshot
from histowidgets.training import LatestWorker
from histowidgets.widgets._advice_line import AdviceLine
from histowidgets.widgets._class_list import ClassList

_LEVELS = {"stop": "red", "warning": "amber", "info": "amber", "good": "green"}
IDLE = "Pick a class and paint a few strokes on the picture."


class ClassPanel(ipywidgets.VBox):
    """The palette of the studio, kept in step with the project.

    Parameters
    ----------
    project
        What is annotated.
    on_show
        Called with an advice whose place the person wants to see.
    """

    def __init__(self, project: Project, on_show: Callable[[Advice], None]) -> None:
        self._project = project
        self.classes = ClassList()
        self.advice = AdviceLine(IDLE, on_show=on_show, numbers=False)
        self._show_counts([])
        super().__init__([ipywidgets.HTML("<h4 class='hw-title'>Classes</h4>"), self.classes, self.advice])
        self.add_class("hw-section")
        self.coach = LatestWorker("coach", self._ask, self._answered)
        self._unsubscribe = project.subscribe(self._changed)
        self._changed(None)

    def _changed(self, change: Change | None) -> None:
        # Only the count is cheap enough for the thread that painted; the coach reads pixels.
        self.coach.request(self._project.snapshot())

    def _ask(self, snapshot: ProjectSnapshot, is_stale: Callable[[], bool]) -> Sequence[Advice]:
        return coach(snapshot)

    def _answered(
        self, snapshot: ProjectSnapshot, advice: Sequence[Advice] | None, error: BaseException | None
    ) -> None:
        self._show_counts(advice or [])
        urgent = [one for one in advice or [] if one.severity != "good"]
        started = any(self._project.count().values())
        # Too few strokes is where everybody starts: worth a word, not an alarm. The bars say how far it is.
        self.advice.show(replace(urgent[0], severity="warning") if urgent and started else None)

    def _show_counts(self, advice: Sequence[Advice]) -> None:
        counts = self._project.count()
        targets = {one.evidence.get("class"): one for one in advice if "recommended" in one.evidence}
        colors = self._project.colors
        rows = []
        for name in self._project.classes:
            target = targets.get(name)
            rows.append(
                {
                    "name": name,
                    "color": colors[name],
                    "count": counts.get(name, 0),
                    "recommended": int(target.evidence["recommended"]) if target else 0,
                    "level": _LEVELS.get(target.severity, "none") if target else "none",
                }
            )
        self.classes.show(rows)

    def close(self) -> None:
        """End the worker and close the widgets."""
        self._unsubscribe()
        self.coach.close()
        super().close()
