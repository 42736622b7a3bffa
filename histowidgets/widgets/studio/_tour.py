"""The tour of the studio: eight steps, each about one part of the screen, offered once."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets
from platformdirs import user_state_path

from histowidgets._io import atomic_write
from histowidgets.errors import HistowidgetsError

log = logging.getLogger("histowidgets")


@dataclass(frozen=True)
class TourFacts:
    """What the user has done so far, as far as the tour asks for it.

    Attributes
    ----------
    view : hashable
        What the canvas shows.
    class_name : str
        The class that the brush paints.
    n_annotations, n_classes_painted : int
    has_prediction, has_run : bool
    """

    view: Any
    class_name: str
    n_annotations: int
    n_classes_painted: int
    has_prediction: bool
    has_run: bool


@dataclass(frozen=True)
class TourStep:
    """One step of the tour.

    Attributes
    ----------
    title, text : str
        Plain text.
    part : str
        Name of the part of the screen that is outlined.
    tab : str
        The tab that is opened; "" for none.
    is_done : callable
        Called with the facts at the start of the step and those of now.
    """

    title: str
    text: str
    part: str
    is_done: Callable[[TourFacts, TourFacts], bool]
    tab: str = ""


STEPS = (
    TourStep(
        "Look around",
        "Hold Space and drag to move the image; hold Ctrl and turn the wheel to zoom. F shows the whole image again.",
        "canvas",
        lambda start, now: start.view != now.view,
    ),
    TourStep(
        "Choose a class",
        "Click a class, or press its digit. The brush paints the class that is chosen.",
        "classes",
        lambda start, now: start.class_name != now.class_name,
    ),
    TourStep(
        "Paint a stroke",
        "Drag over tissue that clearly belongs to the class. A short stroke is enough; nothing has to be filled. "
        "Z undoes it.",
        "canvas",
        lambda start, now: now.n_annotations > start.n_annotations,
    ),
    TourStep(
        "Paint a second class",
        "Choose another class and paint it too. As soon as two classes are painted, the image is predicted.",
        "canvas",
        lambda start, now: now.n_classes_painted > 1 and now.has_prediction,
    ),
    TourStep(
        "Correct the prediction",
        "Where it is wrong, paint the right class: the prediction follows within seconds. O hides it.",
        "canvas",
        lambda start, now: now.n_annotations > start.n_annotations,
    ),
    TourStep(
        "Ask what to do next",
        "This box names the next step, and its button does it. The (i) gives the reasons.",
        "next",
        lambda start, now: False,
    ),
    TourStep(
        "Train a network",
        "Press Train when each class has a few strokes. The chart shows the loss of each epoch: lower is better. "
        "The network takes over once it scores better than the quick prediction.",
        "tabs",
        lambda start, now: now.has_run,
        tab="Train",
    ),
    TourStep(
        "Take your results away",
        "Results has scores, areas and objects, and saves the classifier, labels and tables. With a folder, all your "
        "work is kept there.",
        "tabs",
        lambda start, now: False,
        tab="Results",
    ),
)


class TourMemory:
    """Remembers, for this user on this computer, whether the tour was offered and how far it got.

    Parameters
    ----------
    path
        The file; by default in the user's folder for the state of programs.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = user_state_path("histowidgets", appauthor=False) / "tour.json" if path is None else path

    def read(self) -> int | None:
        """Return the number of the step to resume at, from 0, or None if the tour was never answered."""
        try:
            step = json.loads(self._path.read_text(encoding="utf-8"))["step"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return step if isinstance(step, int) and 0 <= step < len(STEPS) else 0

    def write(self, step: int) -> None:
        """Remember a step; without a writable folder, the tour is offered again next time."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(self._path, HistowidgetsError) as part:
                part.write_text(json.dumps({"step": step}), encoding="utf-8")
        except (HistowidgetsError, OSError) as error:
            log.info("The step of the tour could not be remembered: %s", error)


class Tour(ipywidgets.VBox):
    """A card above the classes that offers the tour and shows its steps; nothing moves before the user asks for it.

    Parameters
    ----------
    facts
        Returns what the user has done.
    parts
        The parts of the screen that steps can outline.
    open_tab
        Opens a tab by its title.
    memory
        Remembers the step between sessions.

    Attributes
    ----------
    resume : Button
        Starts the tour at the step that was left; for another place on the screen.
    """

    def __init__(
        self,
        facts: Callable[[], TourFacts],
        parts: Mapping[str, ipywidgets.DOMWidget],
        open_tab: Callable[[str], object],
        memory: TourMemory | None = None,
    ) -> None:
        self._facts, self._parts, self._open_tab = facts, parts, open_tab
        self._memory = TourMemory() if memory is None else memory
        self._at: int | None = None
        self._start: TourFacts | None = None
        self._done = False
        self._text = ipywidgets.HTML()
        self.back = self._button("Back", "The step before", lambda: self._show(max(0, (self._at or 0) - 1)))
        self.forward = self._button("Next", "The next step", self._next)
        self.leave_button = self._button("Leave", "End the tour; the tab Project can resume it", self.leave)
        self.resume = self._button("Tour of the studio", "Start the tour, or resume it where you left it", self.start)
        row = ipywidgets.HBox([self.forward, self.back, self.leave_button])
        row.add_class("hw-tour-row")
        super().__init__([self._text, row])
        self.add_class("hw-tour")
        self._offer()

    def _button(self, text: str, tip: str, action: Callable[[], object]) -> ipywidgets.Button:
        button = ipywidgets.Button(description=text, tooltip=tip)
        button.on_click(lambda _: action())
        return button

    @property
    def step(self) -> TourStep | None:
        """The step that is shown."""
        return None if self._at is None else STEPS[self._at]

    # -- what the user asks for -------------------------------------------------------------------------

    def start(self) -> None:
        """Show the step that was left, or the first."""
        self._show(self._memory.read() or 0)

    def leave(self) -> None:
        """Hide the tour, and remember the step."""
        self._memory.write(self._at or 0)
        self._end()

    def refresh(self) -> None:
        """Say whether the step is done."""
        step, start = self.step, self._start
        if step is None or start is None or self._done or not step.is_done(start, self._facts()):
            return
        self._done = True
        self._say(step)

    # -- showing ------------------------------------------------------------------------------------------

    def _offer(self) -> None:
        """Offer the tour to a user who has not answered yet."""
        if self._memory.read() is not None:
            self.layout.display = "none"
            return
        self._text.value = "<p><b>New here?</b> Take the tour: eight short steps on your own image.</p>"
        self.forward.description, self.back.layout.display = "Start the tour", "none"
        self.leave_button.description = "No, thanks"

    def _next(self) -> None:
        at = self._at
        if at is None:
            self.start()
        elif at + 1 < len(STEPS):
            self._show(at + 1)
        else:
            self._memory.write(0)
            self._end()

    def _show(self, number: int) -> None:
        self._outline(None)
        self._at, self._start, self._done = number, self._facts(), False
        step = STEPS[number]
        self.layout.display = None
        self.back.layout.display = None
        self.back.disabled = number == 0
        self.forward.description = "Finish" if number + 1 == len(STEPS) else "Next"
        self.leave_button.description = "Leave"
        if step.tab:
            self._open_tab(step.tab)
        self._outline(step.part)
        self._say(step)
        self._memory.write(number)

    def _say(self, step: TourStep) -> None:
        done = " <span class='hw-tour-done'>Done ✓</span>" if self._done else ""
        place = f"Step {STEPS.index(step) + 1} of {len(STEPS)}"
        self._text.value = (
            f"<p role='status'><b>{escape(step.title)}</b> <small>{place}</small>{done}<br>{escape(step.text)}</p>"
        )
        self.forward.button_style = "primary" if self._done else ""

    def _end(self) -> None:
        self._outline(None)
        self._at = self._start = None
        self.layout.display = "none"

    def _outline(self, part: str | None) -> None:
        for name, widget in self._parts.items():
            if name == part:
                widget.add_class("hw-tour-here")
            else:
                widget.remove_class("hw-tour-here")
