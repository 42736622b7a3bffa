"""A piece of advice: its text, the numbers behind it, and the settings that it offers to change."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from histowidgets.advice._guide import guide_page, guide_title
from histowidgets.images import Region

Severity = Literal["good", "info", "warning", "stop"]
#: From the most urgent to the least.
SEVERITIES: tuple[Severity, ...] = ("stop", "warning", "info", "good")


@dataclass(frozen=True)
class Action:
    """One way to follow a piece of advice.

    Attributes
    ----------
    label : str
        What to do, short enough for a button.
    patch : dict or None
        Fields of `TrainingSettings` with their new values; None if no setting is changed.
    kind : {"settings", "stop", "annotate"}
        Whether the action changes settings, stops the run and keeps the best epoch, or is work on the annotations.
    """

    label: str
    patch: dict[str, Any] | None = None
    kind: Literal["settings", "stop", "annotate"] = "settings"


@dataclass(frozen=True)
class Advice:
    """A piece of advice: what was found, and what to do about it. It never blocks the user.

    Attributes
    ----------
    id : str
        The kind of advice, such as "overfitting".
    title : str
        The finding in plain words.
    detail : str
        What to do about it, in a sentence or two.
    evidence : dict
        The numbers that the advice is based on, by name.
    patch : dict or None
        Fields of `TrainingSettings` that one click applies: those of the first of `actions` that changes a setting.
        Only one thing is changed at a time, so that its effect can be seen.
    severity : {"good", "info", "warning", "stop"}
        "stop" is the most urgent.
    image_name, region
        Where to look, in full-size pixels; None if the advice is not about a place.
    actions : tuple of Action
        Everything that can be done, the best first; actions without effect are left out.
    about : dict
        What the advice is about, by name, other than numbers, such as ``{"class": "Lumen"}``.
    """

    id: str
    title: str
    detail: str
    evidence: dict[str, float | int] = field(default_factory=dict)
    patch: dict[str, Any] | None = None
    severity: Severity = "info"
    image_name: str | None = None
    region: Region | None = None
    actions: tuple[Action, ...] = ()
    about: dict[str, str] = field(default_factory=dict)

    @property
    def guide(self) -> str:
        """Address of the guide page that explains the advice."""
        return guide_page(self.id)

    @property
    def guide_title(self) -> str:
        """Title of that page, such as "The network is overfitting"; "" if there is none."""
        return guide_title(self.id)


def with_actions(actions: Iterable[Action | None]) -> dict[str, Any]:
    """Return the arguments `patch` and `actions` for an `Advice`, leaving out actions that are None."""
    kept = tuple(action for action in actions if action is not None)
    patches = [action.patch for action in kept if action.patch]
    return {"actions": kept, "patch": dict(patches[0]) if patches else None}


def most_urgent_first(found: Iterable[Advice], order: Mapping[str, int] | None = None) -> list[Advice]:
    """Sort by severity, then by the rank of the id in `order`; ties keep their order."""
    ranks = order or {}
    return sorted(found, key=lambda advice: (SEVERITIES.index(advice.severity), ranks.get(advice.id, len(ranks))))
