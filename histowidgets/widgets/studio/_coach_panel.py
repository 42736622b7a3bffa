"""The coach's findings in five lines: boundaries, areas, spread, conflicts and images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import ipywidgets

from histowidgets.advice import Advice
from histowidgets.annotations import ProjectSnapshot

#: With fewer annotations than this, it is too early to judge where they lie.
LEAST_ANNOTATIONS = 6
_WORDS = {"good": "fine", "warning": "look at this", "info": "to consider", "none": "not yet known"}
_ICONS = {"good": "check", "warning": "exclamation-triangle", "info": "info-circle", "none": "circle-o"}


@dataclass(frozen=True)
class _Topic:
    """A line: its name, the ids of advice that something is missing, and of advice that all is well."""

    name: str
    missing: tuple[str, ...]
    well: tuple[str, ...]


_TOPICS = (
    _Topic("Boundaries", ("few-boundaries",), ("boundaries-enough",)),
    _Topic("Areas", ("area-imbalance",), ("areas-balanced",)),
    _Topic("Spread", ("one-corner", "one-kind-of-place"), ("spread-enough", "kinds-covered")),
    _Topic("Conflicts", ("labelled-twice", "contradicting-labels"), ("labels-consistent",)),
    _Topic(
        "Images",
        ("image-unreadable", "one-image", "image-unlike-others", "least-covered-image"),
        ("images-covered", "several-images", "images-alike"),
    ),
)


@dataclass(frozen=True)
class CoachLine:
    """The line about one topic.

    Attributes
    ----------
    level : {"good", "warning", "info", "none"}
        "none" means that it is too early to tell.
    advice : tuple of Advice
        The pieces of advice that the line sums up, whose places the button shows one after the other.
    """

    name: str
    level: str
    text: str
    tip: str = ""
    advice: tuple[Advice, ...] = ()


def coach_lines(found: Sequence[Advice], snapshot: ProjectSnapshot) -> list[CoachLine]:
    """Sum up the findings of `coach` in one line per topic."""
    drawn = [one.class_name for some in snapshot.annotations.values() for one in some if one.class_name is not None]
    early = len(drawn) < LEAST_ANNOTATIONS or len(set(drawn)) < 2
    lines = []
    for topic in _TOPICS:
        mine = tuple(one for one in found if one.id in topic.missing)
        well = tuple(one for one in found if one.id in topic.well)
        if mine:
            level = "warning" if any(one.severity in ("warning", "stop") for one in mine) else "info"
            lines.append(CoachLine(topic.name, level, _summary(mine), _tip(mine[0]), mine))
        elif early or not well:
            lines.append(CoachLine(topic.name, "none", "too early to tell"))
        else:
            lines.append(CoachLine(topic.name, "good", _summary(well), _tip(well[0])))
    return lines


def _summary(mine: Sequence[Advice]) -> str:
    """Sum up the advice about one topic in a few words with a number."""
    first = mine[0]
    number = first.evidence
    if first.id in ("few-boundaries", "boundaries-enough"):
        share, limit = number["boundary_percent"], number["limit_percent"]
        return f"{share:.3g} % of the labels lie where classes meet; {limit:g} % wanted"
    if first.id in ("area-imbalance", "areas-balanced"):
        return f"{first.about['largest']} covers {number['ratio']:.3g} times {first.about['smallest']}"
    if first.id == "spread-enough":
        return f"the strokes span {number['reach_percent']:.0f} % of the image"
    if first.id in ("labelled-twice", "contradicting-labels"):
        return _conflicts(mine)
    if first.id == "labels-consistent":
        return "no place is painted with two classes"
    if first.id in ("least-covered-image", "images-covered"):
        return f"{first.image_name} is covered least: {number['labelled_percent']:.2g} % labelled"
    if first.id == "several-images":
        return f"{number['annotated_images']} images are annotated"
    return first.title


def _conflicts(mine: Sequence[Advice]) -> str:
    """Count the places that are painted with two classes, and those that look alike but differ in class."""
    twice = next((int(one.evidence["places"]) for one in mine if one.id == "labelled-twice"), 0)
    alike = sum(one.id == "contradicting-labels" for one in mine)
    said = [f"{twice} place{'' if twice == 1 else 's'} painted twice"] if twice else []
    if alike:
        said.append(f"{alike} places look alike but differ in class")
    return "; ".join(said)


def _tip(advice: Advice) -> str:
    return f"{advice.detail} (guide: {advice.guide_title})"


class _Row(ipywidgets.HBox):
    """A line about a topic, and a button that steps through its places."""

    def __init__(self, on_show: Callable[[Advice], None]) -> None:
        self._on_show = on_show
        self._line: CoachLine | None = None
        self._next = 0
        self._text = ipywidgets.HTML()
        self._button = ipywidgets.Button(description="Go there", layout=ipywidgets.Layout(display="none"))
        self._button.add_class("hw-link")
        self._button.on_click(lambda _: self._go())
        super().__init__([self._text, self._button])
        self.add_class("hw-coach-row")

    def show(self, line: CoachLine) -> None:
        """Show a line; restart at its first place only if the places changed."""
        before, self._line = self._line, line
        if before == line:
            return
        self._text.value = (
            f"<div class='hw-coach-line' data-level='{line.level}' title='{escape(line.tip, quote=True)}'>"
            f"<i class='fa fa-{_ICONS[line.level]}' aria-hidden='true'></i><b>{line.name}</b>"
            f"<span class='hw-sr-only'>{_WORDS[line.level]}: </span><span>{escape(line.text)}</span></div>"
        )
        if before is None or [one.region for one in before.advice] != [one.region for one in line.advice]:
            self._next = 0
        self._show_button()

    def _places(self) -> list[Advice]:
        return [one for one in (self._line.advice if self._line else ()) if one.region or one.image_name]

    def _show_button(self) -> None:
        places = self._places()
        self._button.layout.display = None if places else "none"
        many = len(places) > 1
        self._button.description = f"Go there ({self._next + 1}/{len(places)})" if many else "Go there"
        self._button.tooltip = f"Show the place: {places[self._next].title}" if places else "Show the place"

    def _go(self) -> None:
        places = self._places()
        if not places:
            return
        shown = places[self._next % len(places)]
        self._next = (self._next + 1) % len(places)
        self._show_button()
        self._on_show(shown)


class CoachPanel(ipywidgets.VBox):
    """Lines on what the annotations lack, each with a button that steps through its places.

    Parameters
    ----------
    on_show
        Called with the advice whose place the user wants to see.
    """

    def __init__(self, on_show: Callable[[Advice], None]) -> None:
        self._rows = [_Row(on_show) for _ in _TOPICS]
        title = ipywidgets.HTML("<h4 class='hw-title'>How well the strokes cover the images</h4>")
        super().__init__([title, *self._rows])
        self.add_class("hw-coach")

    def show(self, found: Sequence[Advice], snapshot: ProjectSnapshot) -> None:
        """Show what `coach` found in a snapshot."""
        for row, line in zip(self._rows, coach_lines(found, snapshot), strict=True):
            row.show(line)
