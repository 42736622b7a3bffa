"""The classes, how many annotations each still needs, the most urgent advice, and the coach."""

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import ipywidgets

from histowidgets.advice import Advice, coach
from histowidgets.annotations import Change, ProjectSnapshot
from histowidgets.errors import HistowidgetsError
from histowidgets.widgets.canvas.drawing import swatch_url
from histowidgets.widgets.common import AdviceLine, LatestWorker
from histowidgets.widgets.studio._class_list import ClassList
from histowidgets.widgets.studio._coach_panel import CoachPanel
from histowidgets.widgets.studio._state import StudioState

_LEVELS = {"stop": "red", "warning": "amber", "info": "amber", "good": "green"}
IDLE = "Pick a class and paint a few strokes on the picture."


class ClassPanel(ipywidgets.VBox):
    """The palette of the studio, kept in step with the project.

    Parameters
    ----------
    state
        Has the project; it shows the place of an advice, and reports changes of classes and errors of the coach.
    """

    def __init__(self, state: StudioState) -> None:
        self._state, self._project = state, state.project
        self._found: Sequence[Advice] = ()
        self._patterns = True
        self.classes = ClassList()
        self.classes.on_edit(self._edit)
        self.advice = AdviceLine(IDLE, state.go_to)
        self.coach_panel = CoachPanel(state.go_to)
        self.refresh()
        title = ipywidgets.HTML("<h4 class='hw-title'>Classes</h4>")
        super().__init__([title, self.classes, self.advice, self.coach_panel])
        self.add_class("hw-section")
        self.add_class("hw-classes")
        self.coach = LatestWorker("coach", self._ask, self._answered)
        self._unsubscribe = self._project.subscribe(self._changed)
        self.coach.request(self._project.snapshot())

    def select(self, name: str) -> None:
        """Mark a class as the one that the brush paints, even one that was just added."""
        self.refresh()
        self.classes.selected = name

    def show_patterns(self, on: bool) -> None:
        """Show the hatching of each class beside its colour, as on the picture."""
        self._patterns = on
        self.refresh()

    # -- edits of the classes -------------------------------------------------------------------------

    def _edit(self, content: Mapping[str, Any]) -> None:
        """Do what the page asks; an error is shown under the list."""
        project, name = self._project, str(content.get("name", ""))
        target = str(content.get("to") or content.get("into") or content.get("color") or "")
        doers: dict[Any, tuple[Callable[[], object], str]] = {
            "add": (lambda: project.add_class(name), ""),
            "rename": (lambda: project.rename_class(name, target), ""),
            "recolor": (lambda: project.recolor_class(name, target), ""),
            "merge": (lambda: project.merge_classes(name, target), f"Merged {name} into {target}. Undo takes it back."),
            "delete": (lambda: project.delete_class(name), f"Deleted the class {name}. Undo brings it back."),
        }
        kind = str(content.get("kind"))
        if kind not in doers:
            return
        act, done = doers[kind]
        try:
            act()
        except (HistowidgetsError, OSError) as error:
            self.classes.say_wrong(str(error))
            return
        if done:
            self._state.notify(done)

    # -- the coach --------------------------------------------------------------------------------------

    def _changed(self, change: Change) -> None:
        if change.kind == "classes":
            self.refresh()
        # Only the count is cheap enough for the thread that painted; the coach reads pixels.
        self.coach.request(self._project.snapshot())

    def _ask(self, snapshot: ProjectSnapshot, is_stale: Callable[[], bool]) -> Sequence[Advice]:
        return coach(snapshot)

    def _answered(
        self, snapshot: ProjectSnapshot, advice: Sequence[Advice] | None, error: BaseException | None
    ) -> None:
        if error is not None:
            self._state.log("The coach failed.\n" + "".join(traceback.format_exception(error)))
        self._found = advice or ()
        self.refresh()
        urgent = [one for one in self._found if one.severity != "good"]
        started = any(self._project.count().values())
        # Everybody starts with too few strokes: that is worth a hint, not an alarm. The bars show how many are missing.
        self.advice.show(replace(urgent[0], severity="warning") if urgent and started else None)
        if error is None:
            self.coach_panel.show(self._found, snapshot, self.advice.advice)

    def refresh(self) -> None:
        """Show the present classes, colours and counts with the last advice of the coach."""
        counts, colors = self._project.count(), self._project.colors
        targets = {one.about.get("class"): one for one in self._found if "recommended" in one.evidence}
        rows = []
        for index, name in enumerate(colors):
            target, count = targets.get(name), counts.get(name, 0)
            rows.append(
                {
                    "name": name,
                    "color": colors[name],
                    "count": count,
                    "recommended": int(target.evidence["recommended"]) if target else 0,
                    "level": _LEVELS.get(target.severity, "none") if target else "none",
                    "locked": _locked(count, len(colors)),
                    "pattern": swatch_url(index, colors[name]) if self._patterns else "",
                }
            )
        self.classes.editable = not self._project.read_only
        self.classes.show(rows)

    def close(self) -> None:
        """End the worker and close the widgets."""
        self._unsubscribe()
        self.coach.close()
        super().close()


def _locked(count: int, n_classes: int) -> str:
    """Return why a class cannot be deleted, or "" if it can."""
    if n_classes == 1:
        return "The project needs a class"
    if count:
        return f"It has {count} annotation{'' if count == 1 else 's'}: merge it instead"
    return ""
