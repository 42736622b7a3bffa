"""The panel of classes, with the number of annotations each needs, and the coach that reviews them."""

import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets

from histowidgets.advice import Advice, coach, counts_wanted
from histowidgets.annotations import Change, ProjectSnapshot
from histowidgets.errors import HistowidgetsError
from histowidgets.widgets.canvas.drawing import swatch_url
from histowidgets.widgets.common import LatestWorker
from histowidgets.widgets.studio._class_list import ClassList
from histowidgets.widgets.studio._state import StudioState


class ClassPanel(ipywidgets.VBox):
    """The palette of the studio, kept in step with the project.

    Parameters
    ----------
    state
        Has the project; errors of the coach go to its log.
    coached
        Called on the coach's thread with its findings and the snapshot they are about.
    """

    def __init__(
        self,
        state: StudioState,
        coached: Callable[[Sequence[Advice], ProjectSnapshot], object] = lambda found, snapshot: None,
    ) -> None:
        self._state, self._project, self._coached = state, state.project, coached
        self._found: Sequence[Advice] = ()
        self._patterns = True
        self.classes = ClassList()
        self.classes.on_edit(self._edit)
        self.refresh()
        title = ipywidgets.HTML("<h4 class='hw-title'>Classes</h4>")
        super().__init__([title, self.classes])
        self.add_class("hw-section")
        self.add_class("hw-classes")
        self.coach = LatestWorker("coach", self._ask, self._answered)
        self._unsubscribe = self._project.subscribe(self._changed)
        self.coach.request(self._project.snapshot())

    def select(self, name: str) -> None:
        """Mark the class that the brush paints, even one that was just added."""
        self.refresh()
        self.classes.selected = name

    def show_patterns(self, on: bool) -> None:
        """Show or hide the hatching of each class beside its colour, as on the image."""
        self._patterns = on
        self.refresh()

    # -- edits of the classes -------------------------------------------------------------------------

    def _edit(self, content: Mapping[str, Any]) -> None:
        """Carry out a request of the page, and show the result under the list."""
        project, name = self._project, str(content.get("name", ""))
        target = str(content.get("to") or content.get("into") or content.get("color") or "")
        doers: dict[Any, tuple[Callable[[], object], str]] = {
            "add": (lambda: project.add_class(name), ""),
            "rename": (lambda: project.rename_class(name, target), ""),
            "recolor": (lambda: project.recolor_class(name, target), ""),
            "merge": (lambda: project.merge_classes(name, target), f"Merged {name} into {target}. Undo reverts this."),
            "delete": (lambda: project.delete_class(name), f"Deleted the class {name}. Undo brings it back."),
        }
        kind = str(content.get("kind"))
        if kind not in doers:
            return
        act, done = doers[kind]
        try:
            act()
        except (HistowidgetsError, OSError) as error:
            self.classes.say(str(error), "error")
            return
        self.classes.say(done)

    # -- the coach --------------------------------------------------------------------------------------

    def _changed(self, change: Change) -> None:
        if change.kind == "classes":
            self.refresh()
        # Only counting is cheap enough for the thread that painted; the coach reads pixels.
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
        if error is None:
            self._coached(self._found, snapshot)

    def refresh(self) -> None:
        """Show the current classes, colours and counts."""
        counts, colors = self._project.count(), self._project.colors
        goal, good = counts_wanted(len(colors))
        rows = []
        for index, name in enumerate(colors):
            count = counts.get(name, 0)
            rows.append(
                {
                    "name": name,
                    "color": colors[name],
                    "count": count,
                    "goal": goal,
                    "good": good,
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
        return "A project needs at least one class"
    if count:
        return f"It has {count} annotation{'' if count == 1 else 's'}: merge it instead"
    return ""
