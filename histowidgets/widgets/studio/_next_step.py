"""Choose the user's next step, as one sentence and one button, by an ordered list of rules. Knows no widget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from histowidgets.advice import Advice, counts_wanted

#: What the button of a step does; "" is a step without a button.
Do = Literal["", "dismiss", "paint", "show", "resume", "train", "follow", "review"]
ACTIVE_STATES = ("preparing", "running", "paused", "stopping")
IDLE = "Pick a class and paint a few strokes on the image. A prediction appears once two classes are painted."


@dataclass(frozen=True)
class Situation:
    """What the next step is chosen from.

    Attributes
    ----------
    error, error_level : str
        The problem that was not dismissed yet; "" for none.
    read_only : str
        Why the project is read-only here and what to do, as sentences; "" if it can be edited.
    counts : mapping of class name to int
        Annotations of each class.
    usable : mapping of class name to int
        Annotations of each class that training may use, which excludes images for validation only.
    coach : sequence of Advice
        What the coach found in the annotations.
    place : Advice or None
        The place that is shown: number `place_number` of `places`.
    looking : bool
        Whether places are being looked for.
    unfinished : str
        A sentence about an interrupted run; "" if there is none.
    run_state : str
        State of the run; "" before the first run.
    findings : sequence of Advice
        The diagnoses of the run's curves, the most urgent first.
    finding_button : str
        The button text for the first finding; "" for none.
    new_strokes : int
        Annotations made since the last run started.
    learner : str
        Which of several predictions is shown after the run, and why; "" if that needs no explanation.
    has_prediction : bool
        Whether a prediction is shown.
    places_seen : bool
        Whether all suggested places have been shown since the last stroke.
    """

    error: str = ""
    error_level: str = "error"
    read_only: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    usable: Mapping[str, int] = field(default_factory=dict)
    coach: Sequence[Advice] = ()
    place: Advice | None = None
    place_number: int = 0
    places: int = 0
    looking: bool = False
    unfinished: str = ""
    run_state: str = ""
    findings: Sequence[Advice] = ()
    finding_button: str = ""
    new_strokes: int = 0
    learner: str = ""
    has_prediction: bool = False
    places_seen: bool = False


@dataclass(frozen=True)
class NextStep:
    """A step for the user.

    Attributes
    ----------
    sentence : str
        Plain text.
    button : str
        The text on the button; "" for none.
    do : str
        What the button does, one of `Do`.
    level : {"info", "good", "warning", "error"}
    advice : Advice or None
        The advice behind the step, whose place the button shows or which it follows.
    class_name : str
        The class that the step is about.
    """

    sentence: str
    button: str = ""
    do: Do = ""
    level: str = "info"
    advice: Advice | None = None
    class_name: str = ""


def next_step(now: Situation) -> NextStep:
    """Return the first step that applies, in this order.

    An error, a read-only project, the place that is shown, an interrupted run, nothing painted, nothing to train on,
    a serious finding in the curves, the class that needs strokes most, a run in progress, starting a run, other
    findings in the curves, places to correct, and a review of the labels.
    """
    for rule in _RULES:
        step = rule(now)
        if step is not None:
            return step
    return NextStep(IDLE)


def _error(now: Situation) -> NextStep | None:
    return NextStep(now.error, "Dismiss", "dismiss", now.error_level) if now.error else None


def _read_only(now: Situation) -> NextStep | None:
    if not now.read_only:
        return None
    return NextStep(f"This project is read-only here: {now.read_only}", level="warning")


def _place(now: Situation) -> NextStep | None:
    if now.looking:
        return NextStep("Looking for the places where a new stroke helps most…")
    if now.place is None:
        return None
    more = f"Next place ({now.place_number} of {now.places})" if now.places > 1 else "Next place"
    hint = ": paint over what is predicted wrongly" if now.place.id == "annotate-here" else ""
    return NextStep(f"{now.place.title}{hint}.", more, "show", "info", now.place)


def _unfinished(now: Situation) -> NextStep | None:
    return NextStep(now.unfinished, "Resume", "resume", "warning") if now.unfinished and not _active(now) else None


def _nothing(now: Situation) -> NextStep | None:
    return None if any(now.counts.values()) else NextStep(IDLE)


def _nothing_usable(now: Situation) -> NextStep | None:
    if any(now.usable.values()):
        return None
    return NextStep(
        "All strokes are on images for validation only, so there is nothing to train on. Paint on another image, or "
        "change what this image is used for.",
        level="warning",
    )


def _urgent(now: Situation) -> NextStep | None:
    finding = now.findings[0] if now.findings else None
    if finding is None or finding.severity not in ("stop", "warning") or now.new_strokes:
        return None
    return _finding(now)


def _finding(now: Situation) -> NextStep | None:
    if not now.findings:
        return None
    finding = now.findings[0]
    level = {"stop": "error", "warning": "warning", "good": "good"}.get(finding.severity, "info")
    do: Do = "follow" if now.finding_button else ""
    return NextStep(f"{finding.title}.", now.finding_button, do, level, finding)


def _neediest(now: Situation) -> NextStep | None:
    least, _ = counts_wanted(len(now.counts))
    name = min(now.counts, key=lambda each: now.counts[each])
    missing = least - now.counts[name]
    if missing <= 0:
        return None
    if not now.counts[name]:
        return NextStep(f"Paint a few strokes of {name}: it has none yet.", f"Paint {name}", "paint", class_name=name)
    advice = next((one for one in now.coach if one.about.get("class") == name), None)
    is_new = advice is not None and advice.evidence.get("count") == now.counts[name]
    sentence = f"{name} needs {missing} more stroke{'' if missing == 1 else 's'}"
    if advice is not None and is_new:
        sentence = advice.title
    placed = advice is not None and advice.region is not None
    return NextStep(
        f"{sentence}.",
        "Show me where" if placed or now.has_prediction else f"Paint {name}",
        "show" if placed or now.has_prediction else "paint",
        "warning",
        advice if placed else None,
        name,
    )


def _active(now: Situation) -> bool:
    return now.run_state in ACTIVE_STATES


def _training(now: Situation) -> NextStep | None:
    if not _active(now):
        return None
    finding = _finding(now)
    if finding is not None:
        return finding
    if now.run_state == "paused":
        return NextStep("Training is paused.")
    return NextStep("The network is learning. You can keep painting: the next run learns from it.")


def _train(now: Situation) -> NextStep | None:
    if not now.run_state or now.run_state == "failed":
        return NextStep("Each class has enough strokes to start: train a network on them.", "Train", "train", "good")
    if now.new_strokes:
        one = now.new_strokes == 1
        words = "1 stroke is" if one else f"{now.new_strokes} strokes are"
        use = f"train more to use {'it' if one else 'them'}"
        return NextStep(f"{words} new since the last run: {use}.", "Train more", "train")
    return None


def _correct(now: Situation) -> NextStep | None:
    if not now.has_prediction or now.places_seen:
        return None
    first = f"{now.learner} " if now.learner else ""
    return NextStep(f"{first}Look where the prediction is wrong, and paint there.", "Show me where", "show", "good")


def _review(now: Situation) -> NextStep | None:
    if not now.has_prediction:
        return None
    return NextStep("See where your labels and the prediction disagree.", "Review labels", "review")


_RULES = (
    *(_error, _read_only, _place, _unfinished, _nothing, _nothing_usable, _urgent, _neediest, _training),
    *(_train, _finding, _correct, _review),
)
