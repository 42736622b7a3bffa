"""A prediction request, and a learner's answer to it."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from histowidgets.advice import likely_range, strokes_of_mean
from histowidgets.annotations import ProjectSnapshot, Split
from histowidgets.images import Image, Region
from histowidgets.prediction import Classifier, PredictionResults
from histowidgets.widgets.monitor import FEW_STROKES

#: A choice beside "best", "both", "quick" and "network": the prediction that the user saved to disk.
ON_DISK = "on-disk"
#: The scope of an answer that averages eight views.
EIGHT_VIEWS = "8 views"
#: Number of pixels on which it is measured how much an answer changes when the image is moved: a few seconds of work.
SHIFTED_PIXELS = 66_000
#: From this score on, every held-out stroke is right but for a few pixels.
ALL_RIGHT = 0.995
#: With fewer strokes than this, a perfect score is given as a count: it says little more.
FEW_IN_ALL = 20
#: Images of up to this many pixels, a little more than 1024 x 1024, are predicted again as the average of eight
#: mirrored and rotated views, once the learner is final and no strokes come: more reliable borders in a second or two.
TTA_PIXELS = 1_100_000


@dataclass(frozen=True)
class PredictionRequest:
    """All that a worker needs, so that it never touches the project or a widget.

    Attributes
    ----------
    channels : tuple of str or None
        Channels for the quick learner; None for all channels.
    pixel_size_um : float or None
        Pixel size at which the quick learner sees images; None for their usual size.
    final : bool
        Whether the network's weights are final.
    tta : bool
        Whether to average eight mirrored and rotated views.
    joined : bool
        Whether to answer with the mean of the network and the quick learner.
    alone : bool
        Whether the network, such as one that was loaded, must not be joined with the quick learner.
    """

    snapshot: ProjectSnapshot
    image_name: str
    region: Region | None
    split: Split | None = None
    channels: tuple[str, ...] | None = None
    pixel_size_um: float | None = None
    classifier: Classifier | None = None
    learner: str = ""
    scores: Mapping[str, Any] = field(default_factory=dict)
    scored_on: Mapping[str, int] = field(default_factory=dict)
    final: bool = False
    tta: bool = False
    joined: bool = False
    alone: bool = False

    @property
    def is_small(self) -> bool:
        """Whether the image is small enough for test-time augmentation."""
        image = self.snapshot.images[self.image_name]
        return self.region is None and image.width * image.height <= TTA_PIXELS

    @property
    def answers_as(self) -> str:
        """The key of the answer: "both" or "network"."""
        return "both" if self.joined else "network"


@dataclass(frozen=True)
class LearnerAnswer:
    """A learner's classifier and its prediction.

    Attributes
    ----------
    score : float or None
        mIoU on held-out strokes.
    class_scores : dict
        Class name to IoU on held-out strokes; None for a class without any.
    learner : str
        Name of the learner, such as ``"U-Net, epoch 31"``.
    scored_on : mapping of str to int
        Class name to the number of strokes held out for the score; with few strokes, the score is rough.
    held_out_in_turn : bool
        Whether each stroke was held out once (`quick_score`), instead of the same strokes for every learner.
    scope : str
        What was predicted, such as ``"whole image"``; empty for the region in view.
    warning : str or None
        How the image differs from the training images; empty if it does not, None if not compared yet.
    final : bool
        Whether the weights are final, so that no run is about to replace them.
    alone : bool
        Whether the network must not be joined with the quick learner.
    score_bonus : float
        Added to the score when comparing answers.
    changed_by_shifts : float or None
        Share of pixels, 0 to 1, whose class changes when the image is moved; None if not measured yet.
    """

    classifier: Classifier
    prediction: PredictionResults
    learner: str
    score: float | None = None
    class_scores: Mapping[str, float | None] = field(default_factory=dict)
    scored_on: Mapping[str, int] = field(default_factory=dict)
    held_out_in_turn: bool = False
    scope: str = ""
    warning: str | None = None
    final: bool = False
    alone: bool = False
    score_bonus: float = 0.0
    changed_by_shifts: float | None = None

    @classmethod
    def of(
        cls,
        classifier: Classifier,
        prediction: PredictionResults,
        learner: str,
        scores: Mapping[str, Any],
        scored_on: Mapping[str, int],
    ) -> "LearnerAnswer":
        """Make an answer with scores as in an `EpochRecord`, all optional."""
        return cls(
            classifier, prediction, learner, scores.get("val_miou"), dict(scores.get("val_iou") or {}), scored_on
        )

    @property
    def options(self) -> dict[str, Any]:
        """The options that the image was predicted with; see `PredictOptions`."""
        return {"tta": True} if self.scope == EIGHT_VIEWS else {}

    @property
    def rank(self) -> float:
        """The value by which answers are compared; -1 without a score."""
        return -1.0 if self.score is None else self.score + self.score_bonus

    @property
    def caption(self) -> str:
        """The caption over the picture, such as ``"U-Net, epoch 31, score 0.87 (0.62 to 0.96)"``."""
        return self.learner if self.score is None else f"{self.learner}, {self._score_in_words}"

    def likely(self, class_name: str | None = None) -> tuple[float, float] | None:
        """Return the probable range (95 %) of the score or of a class's; None if it or its strokes are unknown."""
        if class_name is None:
            score, strokes = self.score, strokes_of_mean(n for n in self.scored_on.values() if n)
        else:
            score, strokes = self.class_scores.get(class_name), self.scored_on.get(class_name, 0)
        return None if score is None else likely_range(min(max(score, 0.0), 1.0), strokes)

    @property
    def _score_in_words(self) -> str:
        score, strokes, likely = min(max(self.score or 0.0, 0.0), 1.0), sum(self.scored_on.values()), self.likely()
        if likely is None:
            return f"score {score:.2f}"
        if score >= ALL_RIGHT and strokes < FEW_IN_ALL:
            return f"{strokes} of {strokes} test stroke{'' if strokes == 1 else 's'} right (at least {likely[0]:.2f})"
        return f"score {score:.2f} ({likely[0]:.2f} to {likely[1]:.2f})"

    @property
    def about(self) -> str:
        """The caption with what was predicted and what the score was measured on."""
        scope = "".join(f"; {words}" for words in (self.scope, self.prediction.resampling) if words)
        if self.score is None:
            return f"{self.caption}{scope}"
        strokes = sum(self.scored_on.values())
        number = f"{strokes} stroke{'' if strokes == 1 else 's'}"
        on = f"{number}, each left out once" if self.held_out_in_turn else f"{number} in the test area"
        brackets = ". In brackets: the probable range (95 %)" if self.scored_on else ""
        few = ", so it is rough" if strokes < FEW_STROKES * len(self.class_scores) else ""
        return f"{self.caption}{scope}; measured on {on}{few}{brackets}"


def range_warning_text(classifier: Classifier, image: Image) -> str:
    """Describe how an image differs from those that a classifier was trained on; "" if it does not."""
    return " ".join(f"{found.title}. {found.detail}" for found in classifier.check(image))


class RangeNotice:
    """Warns once per image and classifier if the image is unlike those that the classifier was trained on.

    Parameters
    ----------
    report
        Called with the text and the level "warning".
    """

    def __init__(self, report: Callable[[str, str], None]) -> None:
        self._report = report
        self._lock = threading.Lock()
        self._said: dict[str, str] = {}  # image name to the last warning

    def check(self, shown: LearnerAnswer | None) -> None:
        """Warn about the answer that is shown, once its image was compared."""
        if shown is None or shown.warning is None:
            return
        name = shown.prediction.image_name
        with self._lock:
            is_news = self._said.get(name, "") != shown.warning
            self._said[name] = shown.warning
        if is_news and shown.warning:
            self._report(shown.warning, "warning")
