"""Suggest where to annotate next."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from histowidgets.advice._advice import Action, Advice, with_actions
from histowidgets.advice.suggestions._windows import Window, box_means, unlikeness, windows_of
from histowidgets.annotations import Project, ProjectSnapshot, snapshot_of
from histowidgets.errors import AdviceError, ImageNameError
from histowidgets.images import Region

#: Labels are in easy places only, if less than this share of their pixels is uncertain.
EASY_SHARE = 0.05
#: A region is not suggested if more than this share of it is labelled.
LABELLED_ENOUGH = 0.25
#: Weights of the uncertainty, the predicted boundaries, and the difference from labelled places.
REGION_WEIGHTS = (1.0, 0.6, 0.6)
#: Scores count as shares of the highest score, or of these values if that is lower: uncertainty, share of boundary
#: pixels, standard deviations of texture.
REGION_FLOORS = (0.1, 0.02, 1.0)
#: Suggestions are at least this many region sides apart.
REGION_SPACING = 1.0
#: A reason is named if its score reaches this share of the best one.
REASON_SHARE = 0.6
#: Each suggested region lowers the scores of further regions on the same image by this factor.
SAME_IMAGE = 0.97

_KINDS = ("uncertain", "boundary", "unlike")


@dataclass(frozen=True)
class _Candidate:
    """A candidate place to annotate, with its three scores (uncertain, boundary, unlike)."""

    window: Window
    row: int
    col: int
    scores: tuple[float, float, float]

    @property
    def region(self) -> Region:
        side = self.window.side
        return Region(self.window.region.x + self.col, self.window.region.y + self.row, side, side)


def suggest_regions(
    project: Project | ProjectSnapshot,
    classifier: Any,
    n: int = 10,
    image_name: str | None = None,
    *,
    warn_if_easy: bool = False,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> list[Advice]:
    """Suggest where to annotate next.

    Places are ranked by how uncertain the classifier is, how many boundaries between classes it predicts, and how
    different they look from all labelled places. The suggestions are spread out, and mostly unlabelled.

    Parameters
    ----------
    project : Project or ProjectSnapshot
    classifier : Classifier
        It predicts each image once, or six windows of a large one.
    n : int, default 10
        Maximum number of suggestions.
    image_name : str, optional
        Search only this image.
    warn_if_easy : bool, default False
        Begin with the warning of `only_easy_regions` if it applies, without predicting the images again.
    progress : callable, optional
        ``progress(done, total)`` after each image.
    should_stop : callable, optional
        Called before each image; if it returns True, the search ends with the images so far.

    Returns
    -------
    list of Advice
        The best first, with `image_name` and `region`; the title is the reason. Empty without images.

    Raises
    ------
    AdviceError
        `n` is not a whole number of at least 1, or `classifier` cannot predict.
    ImageNameError
        There is no image with that name.
    """
    _check(n, classifier)
    snapshot, windows = snapshot_of(project), list[Window]()
    names = _names(snapshot, image_name)
    for done, name in enumerate(names, 1):
        if should_stop is not None and should_stop():
            break
        windows += windows_of(snapshot, name, classifier)
        if progress is not None:
            progress(done, len(names))
    easy = _only_easy(windows) if warn_if_easy else None
    return [*([] if easy is None else [easy]), *_ranked(windows, classifier, n)]


def only_easy_regions(
    project: Project | ProjectSnapshot, classifier: Any, image_name: str | None = None
) -> Advice | None:
    """Warn if all labels are where the classifier is already certain, while it is uncertain elsewhere.

    The unlabelled pixels around the labels are examined: on the labels themselves, which it was trained on, a
    classifier is nearly always certain. None if some labels are in uncertain places.
    """
    _check(1, classifier)
    snapshot = snapshot_of(project)
    return _only_easy([one for name in _names(snapshot, image_name) for one in windows_of(snapshot, name, classifier)])


def _only_easy(windows: Sequence[Window]) -> Advice | None:
    hard, labelled, unsure, free = 0, 0, 0, 0
    for window in windows:
        around = ndimage.uniform_filter(window.uncertain.astype(np.float32), max(3, window.side // 2))
        hard += int(np.count_nonzero(around[window.labelled] > EASY_SHARE))
        labelled += int(np.count_nonzero(window.labelled))
        unsure += int(np.count_nonzero(window.uncertain))
        free += int(np.count_nonzero(~window.labelled))
    if labelled == 0 or free == 0 or hard > EASY_SHARE * labelled or unsure < EASY_SHARE * free:
        return None
    return Advice(
        id="only-easy-regions",
        title="All strokes lie where the classifier is already certain",
        detail="Annotate where it is uncertain: it learns most there.",
        evidence={
            "strokes_in_uncertain_places_percent": round(100 * hard / labelled, 1),
            "uncertain_percent_of_image": round(100 * unsure / free, 1),
            "limit_percent": 100 * EASY_SHARE,
        },
        severity="warning",
        **with_actions([Action("Annotate uncertain places", kind="annotate")]),
    )


def _check(n: int, classifier: Any) -> None:
    if not callable(getattr(classifier, "predict", None)):
        raise AdviceError(
            f"The classifier is a {type(classifier).__name__}; expected a Classifier, such as run.classifier or "
            "hw.quick_classifier(project)."
        )
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise AdviceError(f"n is {n!r}; expected a whole number of at least 1.")


def _ranked(windows: Sequence[Window], classifier: Any, n: int) -> list[Advice]:
    if not windows:
        return []
    candidates = _candidates(windows)
    relative = _relative(candidates)
    names = tuple(str(name) for name in classifier.classes)
    return [
        _advice(candidates[i], relative[i], place, names) for place, i in enumerate(_spread(candidates, relative, n), 1)
    ]


def _names(snapshot: ProjectSnapshot, image_name: str | None) -> list[str]:
    """Return the names of the images to search: all, or the given one."""
    if image_name is not None and image_name not in snapshot.images:
        raise ImageNameError(f"There is no image named {image_name!r}; the images are {', '.join(snapshot.images)}.")
    return list(snapshot.images) if image_name is None else [image_name]


def _candidates(windows: Sequence[Window]) -> list[_Candidate]:
    """Return half-overlapping squares that are mostly unlabelled."""
    found = []
    for window, far in zip(windows, unlikeness(windows), strict=True):
        side, step = window.side, max(1, window.side // 2)
        unsure = box_means((1 - window.margin) * ~window.labelled, side, step)
        edges = box_means(window.edges, side, step)
        full = np.repeat(np.repeat(far, window.cell, axis=0), window.cell, axis=1)
        wide = np.pad(
            full, [(0, max(0, a - b)) for a, b in zip(window.labelled.shape, full.shape, strict=True)], "edge"
        )
        unlike = box_means(wide[: window.labelled.shape[0], : window.labelled.shape[1]], side, step)
        labelled = box_means(window.labelled, side, step)
        for i, j in np.argwhere(labelled <= LABELLED_ENOUGH):
            scores = (float(unsure[i, j]), float(edges[i, j]), float(unlike[i, j]))
            found.append(_Candidate(window, int(i) * step, int(j) * step, scores))
    return found


def _relative(candidates: Sequence[_Candidate]) -> np.ndarray:
    """Return the scores relative to the best, (n, 3), 0 to 1; scores that are low everywhere stay low."""
    scores = np.array([candidate.scores for candidate in candidates]).reshape(-1, 3)
    highest = np.maximum(scores.max(axis=0, initial=0), REGION_FLOORS)
    relative: np.ndarray = scores / highest
    return relative


def _spread(candidates: Sequence[_Candidate], relative: np.ndarray, n: int) -> list[int]:
    """Choose the best candidates in turn, none near one chosen earlier on the same image."""
    if len(candidates) == 0:
        return []
    left = relative @ np.array(REGION_WEIGHTS)
    x = np.array([c.region.x + c.window.side / 2 for c in candidates])
    y = np.array([c.region.y + c.window.side / 2 for c in candidates])
    names = np.array([c.window.name for c in candidates])
    chosen: list[int] = []
    while len(chosen) < n and np.isfinite(left).any():
        best = int(np.argmax(left))
        chosen.append(best)
        same = names == names[best]
        apart = REGION_SPACING * candidates[best].window.side
        left[same] *= SAME_IMAGE
        left[same & (np.maximum(np.abs(x - x[best]), np.abs(y - y[best])) < apart)] = -math.inf
    return chosen


def _advice(candidate: _Candidate, relative: np.ndarray, place: int, names: Sequence[str]) -> Advice:
    weighted = relative * np.array(REGION_WEIGHTS)
    reason = _KINDS[int(np.argmax(weighted))]
    one, other = _two_classes(candidate, names)
    title = {
        "uncertain": f"Uncertain between {one} and {other}",
        "boundary": f"{one} and {other} meet here",
        "unlike": "Looks unlike all labelled places",
    }[reason]
    strong = [kind for kind, value in zip(_KINDS, weighted, strict=True) if value >= REASON_SHARE * weighted.max()]
    return Advice(
        id="annotate-here",
        title=title,
        detail="Paint over wrong predictions here. If all are right, paint a stroke of each class that you see.",
        evidence={
            "place": place,
            "uncertainty": round(candidate.scores[0], 3),
            "boundary_share": round(candidate.scores[1], 4),
            "unlike_labelled": round(candidate.scores[2], 3),
        },
        about={"reasons": ", ".join(strong)},
        image_name=candidate.window.name,
        region=candidate.region,
        **with_actions([Action("Annotate here", kind="annotate")]),
    )


def _two_classes(candidate: _Candidate, names: Sequence[str]) -> tuple[str, str]:
    """Return the two classes in question: the most frequent pair of most and second most probable class."""
    side = candidate.window.side
    rows, cols = slice(candidate.row, candidate.row + side), slice(candidate.col, candidate.col + side)
    first = candidate.window.first[rows, cols].astype(int)
    second = candidate.window.second[rows, cols].astype(int)
    unsure = candidate.window.margin[rows, cols] <= np.median(candidate.window.margin[rows, cols])
    low, high = np.minimum(first, second)[unsure], np.maximum(first, second)[unsure]
    pair = int(np.bincount(low * len(names) + high).argmax())
    return names[pair // len(names)], names[pair % len(names)]
