"""The box under the classes: one sentence on the next step, a button that does it, and more advice behind an (i)."""

import threading
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import ipywidgets

from histowidgets.advice import Action, Advice
from histowidgets.annotations import Change, ProjectSnapshot
from histowidgets.widgets.common import ActionButton, close_tree
from histowidgets.widgets.live_prediction import LivePrediction
from histowidgets.widgets.studio._coach_panel import CoachPanel
from histowidgets.widgets.studio._next_step import NextStep, Situation, next_step
from histowidgets.widgets.studio._places import Places
from histowidgets.widgets.studio._state import StudioState
from histowidgets.widgets.studio._train_panel import TrainPanel

#: How many steps back a click may still mean: the page is behind by a few at most.
_RECENT = 16


class NextPanel(ipywidgets.VBox):
    """Show the next step, as `next_step` chooses it, with a button that does it.

    Parameters
    ----------
    state
        Has the project, and can show a place.
    training
        Has the run and its findings; the button here can start and stop runs through it.
    live
        Has the prediction that is shown.
    review
        Called when the user asks to review the labels.
    """

    def __init__(
        self, state: StudioState, training: TrainPanel, live: LivePrediction, review: Callable[[], object]
    ) -> None:
        self._state, self._project, self._training, self._live = state, state.project, training, live
        self._lock = threading.RLock()
        self._error = ("", "error")
        self._coach: tuple[Advice, ...] = ()
        self._strokes_at_start: int | None = None
        self._class_name = ""  # the class that the places shown are for
        self._shown: Any = None
        self._number = 0  # of the last step that was shown
        self.step = NextStep("")
        self.places = Places(state, self._show_place, lambda why: self.say_wrong(why, "warning"), self.refresh)
        self._text = ipywidgets.HTML()
        self._text.add_class("hw-next-text")
        self._button = ActionButton(classes="hw-next-button")
        self._button.on_click(self._clicked)
        self._recent: dict[str, NextStep] = {}  # what the page may still show, by the action of the button
        self._undo = ipywidgets.Button(description="Undo", icon="undo")
        self._undo.add_class("hw-link")
        self._undo.on_click(lambda _: self._training.undo_patch())
        self._more = ipywidgets.ToggleButton(
            icon="info-circle", tooltip="All advice: reasons, other options and the guide"
        )
        self._more.add_class("hw-next-info")
        self._more.observe(lambda change: self._show_more(), names="value")
        row = ipywidgets.HBox([self._button, self._undo, self._more])
        row.add_class("hw-next-row")
        self._detail = ipywidgets.HTML()
        self._actions = ipywidgets.HBox()
        self._actions.add_class("hw-next-actions")
        self.coach_panel = CoachPanel(state.go_to)
        self._rest = ipywidgets.VBox([self._detail, self._actions, self.coach_panel], layout={"display": "none"})
        self._rest.add_class("hw-next-rest")
        super().__init__([self._text, row, self._rest])
        self.add_class("hw-next")
        self._doers: dict[str, Callable[[NextStep], object]] = {
            "dismiss": lambda step: self.dismiss(),
            "paint": lambda step: state.paint(step.class_name),
            "show": self._show_where,
            "resume": lambda step: training.unfinished.resume(),
            "train": lambda step: training.start_soon(),
            "follow": self._follow,
            "review": lambda step: review(),
        }
        self._unsubscribe = self._project.subscribe(self._changed)
        training.on_change(self.refresh)
        training.unfinished.on_change(self.refresh)
        self.refresh()

    # -- calls from other parts ------------------------------------------------------------------------

    def say_wrong(self, text: str, level: str = "error") -> None:
        """Show a problem, at level "error" or "warning", until it is dismissed or replaced by the next one."""
        self._error = (text, level)
        self.refresh()

    def dismiss(self) -> None:
        """Dismiss the problem that is shown."""
        self._error = ("", "error")
        self.refresh()

    def coached(self, found: Sequence[Advice], snapshot: ProjectSnapshot) -> None:
        """Show what the coach found in a snapshot."""
        self._coach = tuple(found)
        self.coach_panel.show(found, snapshot)
        self.refresh()

    def run_started(self) -> None:
        """Count new strokes from now on."""
        self._strokes_at_start = sum(self._project.count().values())
        self._error = ("", "error")
        self.refresh()

    def _changed(self, change: Change) -> None:
        if change.kind in ("annotations", "classes", "images", "roles"):
            self.places.forget()
            if self._error[1] != "error" or change.kind == "annotations":
                self._error = ("", "error")  # a user who keeps painting has read it
        self.refresh()

    # -- what is shown ----------------------------------------------------------------------------------

    @property
    def situation(self) -> Situation:
        """What the next step is chosen from."""
        project, run, findings = self._project, self._training.run, self._training.findings
        counts = project.count()
        usable = dict(counts)
        for name in project.image_names:
            if project.role(name) == "validation":
                for class_name, number in project.count(name).items():
                    usable[class_name] = usable.get(class_name, 0) - number
        usable_actions = [one for one in (findings[0].actions if findings else ()) if self._training.can_follow(one)]
        began = self._strokes_at_start
        return Situation(
            error=self._error[0],
            error_level=self._error[1],
            read_only=str(project.read_only_reason) if project.read_only else "",
            counts=counts,
            usable=usable,
            coach=self._coach,
            place=self.places.current,
            place_number=self.places.number,
            places=len(self.places.found),
            looking=self.places.looking,
            unfinished=self._training.unfinished.text,
            run_state="" if run is None else run.state,
            findings=findings,
            finding_button=_label(usable_actions[0]) if usable_actions else "",
            new_strokes=0 if began is None else max(0, sum(counts.values()) - began),
            learner=self._live.choice_text,
            has_prediction=self._live.best is not None,
            places_seen=self.places.seen,
        )

    def refresh(self) -> None:
        """Show the next step; write nothing to the page if it has not changed."""
        with self._lock:
            self.step = step = next_step(self.situation)
            patch = self._training.patch_in_words
            shape = (step, patch)
            if shape == self._shown:
                return
            self._shown = shape
            role = "alert" if step.level == "error" else "status"
            level = escape(step.level)
            self._text.value = (
                f'<div class="hw-next-line" data-level="{level}" role="{role}">{escape(step.sentence)}</div>'
            )
            self._button.layout.display = None if step.button else "none"
            self._button.show(description=step.button, tooltip=step.sentence, action=self._remember(step))
            self._undo.layout.display = None if patch else "none"
            self._undo.tooltip = f"Undo the settings change: {patch}"
            self._show_more()

    @property
    def text(self) -> str:
        """The sentence that is shown."""
        return self.step.sentence

    def _show_more(self) -> None:
        opened = bool(self._more.value)
        self._rest.layout.display = None if opened else "none"
        if not opened:
            return
        advice = self.step.advice
        others = [one for one in self._training.findings if one is not advice]
        words = ""
        if advice is not None:
            words = f"<p>{escape(advice.detail)} {_guide(advice)}</p>"
        if others:
            listed = "".join(f"<li>{escape(one.title)}. {_guide(one)}</li>" for one in others)
            words += f"<p>Also found in the curves:</p><ul>{listed}</ul>"
        self._detail.value = f"<div class='hw-next-detail'>{words}</div>"
        old = self._actions.children
        made = []
        if advice is not None and self.step.do == "follow":
            made = [self._action_button(one, advice) for one in advice.actions if self._training.can_follow(one)][1:]
        self._actions.children = made
        for button in old:
            close_tree(button)

    def _action_button(self, action: Action, advice: Advice) -> ipywidgets.Button:
        button = ipywidgets.Button(description=_label(action), tooltip=_tip(action))
        button.add_class("hw-link")
        button.on_click(lambda _: self._training.follow(action, advice))
        return button

    # -- what the button does ----------------------------------------------------------------------------

    def _remember(self, step: NextStep) -> str:
        """Keep a step among the last few; return the action of its button."""
        self._number += 1
        action = str(self._number)
        self._recent[action] = step
        for old in list(self._recent)[:-_RECENT]:
            del self._recent[old]
        return action

    def _clicked(self, action: str) -> None:
        """Do what the button said when it was clicked, even if the step has changed since."""
        step = self._recent.get(action)
        doer = self._doers.get(step.do) if step is not None else None
        if step is not None and doer is not None:
            doer(step)

    def _show_where(self, step: NextStep) -> None:
        if self.places.current is None:
            self._class_name = step.class_name
            if step.advice is not None and step.advice.region is not None:
                self.places.show_only(step.advice)
                return
        else:
            self._class_name = ""  # further places are for any class
        self.places.next()

    def _show_place(self, place: Advice) -> None:
        if self._class_name:
            self._state.paint_at(place, self._class_name)
        else:
            self._state.go_to(place)
        self.refresh()

    def _follow(self, step: NextStep) -> None:
        advice = step.advice
        if advice is None:
            return
        action = next((one for one in advice.actions if _label(one) == step.button), None)
        if action is not None and self._training.can_follow(action):
            self._training.follow(action, advice)

    def close(self) -> None:
        """End the worker and close the widgets."""
        self._unsubscribe()
        self.places.close()
        super().close()


def _label(action: Action) -> str:
    return f"{action.label} and restart" if action.patch else action.label


def _tip(action: Action) -> str:
    if not action.patch:
        return "End the run now and keep its best epoch"
    changes: Mapping[str, Any] = action.patch
    return "Change the settings, then start the next run: " + ", ".join(
        f"{name.replace('_', ' ')} = {value}" for name, value in changes.items()
    )


def _guide(advice: Advice) -> str:
    if not advice.guide_title:
        return ""
    link = escape(advice.guide, quote=True)
    return f'<a href="{link}" target="_blank" rel="noopener">Guide: {escape(advice.guide_title)}</a>'
