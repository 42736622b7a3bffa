"""What a learner is asked, and what it answers."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from histowidgets.annotations import ProjectSnapshot, Split
from histowidgets.images import Image, Region
from histowidgets.prediction import Classifier, PredictionResults
from histowidgets.widgets.monitor import FEW_STROKES

# Beside "best", "both", "quick" and "network": what the person had predicted of an image.
ASKED_FOR = "asked-for"
# Up to this many pixels the learner that is shown is asked once more, when its weights stay and the hand rests, about
# eight mirrored and turned views: a second or two for borders that are surer.
TURNED_PIXELS = 1_000_000


@dataclass(frozen=True)
class Request:
    """What a worker needs to answer; it never touches the project or a widget.

    Attributes
    ----------
    channels : tuple of str or None
        What the quick learner may see; None for all channels.
    final : bool
        Whether the network's weights stay.
    turned : bool
        Whether eight mirrored and turned views are averaged.
    joined : bool
        Whether the answer is the mean of the network and the quick learner.
    alone : bool
        Whether the network is never to be joined, as one that was loaded.
    """

    snapshot: ProjectSnapshot
    image_name: str
    region: Region | None
    split: Split | None = None
    channels: tuple[str, ...] | None = None
    classifier: Classifier | None = None
    learner: str = ""
    scores: Mapping[str, Any] = field(default_factory=dict)
    scored_on: int = 0
    final: bool = False
    turned: bool = False
    joined: bool = False
    alone: bool = False

    @property
    def is_small(self) -> bool:
        """Whether the image is small enough to be asked about from eight sides."""
        image = self.snapshot.images[self.image_name]
        return self.region is None and image.width * image.height <= TURNED_PIXELS

    @property
    def answers_as(self) -> str:
        """Whose answer it is, of those with a network."""
        return "both" if self.joined else "network"


@dataclass(frozen=True)
class Answer:
    """One learner's classifier and its prediction.

    Attributes
    ----------
    score : float or None
        mIoU on held-out strokes.
    class_scores : dict
        Class name to IoU on held-out strokes; None where a class has none.
    learner : str
        Such as ``"U-Net, epoch 31"``.
    scored_on : int
        How many strokes were held out for the score; few of them make it a rough one.
    in_turn : bool
        Whether each stroke was held out once (`quick_score`), rather than the same ones from every learner.
    scope : str
        What was predicted, where that is not simply what is in view, such as ``"whole image"``, and how.
    warning : str or None
        How the image differs from those of training (row N9); empty where it does not, None before they were compared.
    final : bool
        Whether these weights stay: no run is about to replace them.
    alone : bool
        Whether the network is never to be joined with the quick learner.
    edge : float
        How much more than its score it counts against other answers.
    """

    classifier: Classifier
    prediction: PredictionResults
    learner: str
    score: float | None = None
    class_scores: Mapping[str, float | None] = field(default_factory=dict)
    scored_on: int = 0
    in_turn: bool = False
    scope: str = ""
    warning: str | None = None
    final: bool = False
    alone: bool = False
    edge: float = 0.0

    @classmethod
    def of(
        cls,
        classifier: Classifier,
        prediction: PredictionResults,
        learner: str,
        scores: Mapping[str, Any],
        scored_on: int,
    ) -> "Answer":
        """Make an answer with scores as in an `EpochRecord`, or none."""
        return cls(
            classifier, prediction, learner, scores.get("val_miou"), dict(scores.get("val_iou") or {}), scored_on
        )

    @property
    def rank(self) -> float:
        """What answers are compared by; -1 without a score."""
        return -1.0 if self.score is None else self.score + self.edge

    @property
    def caption(self) -> str:
        """The words over the picture, such as ``"U-Net, epoch 31 · mIoU 0.87 on only 9 held-out strokes"``."""
        scope = f" · {self.scope}" if self.scope else ""
        if self.score is None:
            return f"{self.learner}{scope}"
        strokes = "stroke" if self.scored_on == 1 else "strokes"
        held_out = f"{strokes}, held out in turn" if self.in_turn else f"held-out {strokes}"
        few = "only " if self.scored_on < FEW_STROKES * len(self.class_scores) else ""
        return f"{self.learner} · mIoU {self.score:.2f} on {few}{self.scored_on} {held_out}{scope}"


def unlike_words(classifier: Classifier, image: Image) -> str:
    """Say how an image differs from those that a classifier learned from; nothing where it does not (row N9)."""
    return " ".join(f"{found.title}. {found.detail}" for found in classifier.check(image))


class UnlikeNotice:
    """Says it once, for each image and classifier, when the answer that is shown is about an image unlike its own.

    Parameters
    ----------
    report
        Called with the words and the level "warning".
    """

    def __init__(self, report: Callable[[str, str], None]) -> None:
        self._report = report
        self._lock = threading.Lock()
        self._said: dict[str, str] = {}  # image name to what was said last

    def heed(self, shown: Answer | None) -> None:
        """Take in which answer is shown; nothing is said of one whose image was not yet compared."""
        if shown is None or shown.warning is None:
            return
        name = shown.prediction.image_name
        with self._lock:
            is_news = self._said.get(name, "") != shown.warning
            self._said[name] = shown.warning
        if is_news and shown.warning:
            self._report(shown.warning, "warning")
