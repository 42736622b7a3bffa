"""Advice on how much is annotated: strokes per class, images, and areas of classes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from histowidgets.advice import _thresholds as t
from histowidgets.advice._advice import Action, Advice, Severity, with_actions
from histowidgets.advice.coaching._image_summary import ImageSummary
from histowidgets.advice.coaching._totals import Totals
from histowidgets.annotations import ProjectSnapshot
from histowidgets.images import Region

#: Number of classes from which an entry applies, and the minimum and recommended number of annotations per class.
COUNTS = ((5, 20, 50), (3, 15, 40), (0, 10, 30))
#: The areas of classes are imbalanced if they differ by this factor.
AREA_RATIO = 10.0


def counts_wanted(n_classes: int) -> tuple[int, int]:
    """Return the minimum and the recommended number of annotations per class."""
    return next((minimum, wanted) for least, minimum, wanted in COUNTS if n_classes >= least)


def counts(snapshot: ProjectSnapshot, summaries: Sequence[ImageSummary], totals: Totals) -> list[Advice]:
    """Advise on each class: "stop" below the minimum, "warning" below the recommended number, else "good".

    The evidence also holds the class's area, share at boundaries, and number of images.
    """
    minimum, wanted = counts_wanted(len(snapshot.classes))
    numbers = dict.fromkeys(snapshot.classes, 0)
    for some in snapshot.annotations.values():
        for annotation in some:
            if annotation.class_name is not None:
                numbers[annotation.class_name] += 1
    found = []
    for index, (name, number) in enumerate(numbers.items()):
        evidence: dict[str, float | int] = {
            "count": number,
            "minimum": minimum,
            "recommended": wanted,
            "area_pixels": int(totals.areas[index]),
            "area_percent": round(100 * float(totals.areas[index] / max(1, totals.areas.sum())), 2),
            "boundary_percent": round(100 * totals.boundary_share(index), 2),
            "annotated_images": int(totals.images[index]),
        }
        found.append(_count(snapshot, summaries, name, evidence))
    return found


def one_image(snapshot: ProjectSnapshot, summaries: Sequence[ImageSummary]) -> Advice | None:
    """Advise on whether all labels are on one image, or on several."""
    if not summaries:
        return None
    evidence: dict[str, float | int] = {
        "annotated_images": len(summaries),
        "images": len(snapshot.images),
        "wanted": 2,
    }
    if len(summaries) > 1:
        title = f"{len(summaries)} images are annotated"
        return Advice("several-images", title, "", evidence, severity="good")
    others = [name for name in snapshot.images if name != summaries[0].name]
    where = f"Annotate {others[0]} too" if others else "Add a second image and annotate it too"
    return Advice(
        id="one-image",
        title="All strokes are on one image",
        detail=f"{where}: a classifier trained on one image knows one stain and one patient.",
        evidence=evidence,
        image_name=others[0] if others else None,
        **with_actions([Action(where, kind="annotate")]),
    )


def least_covered(snapshot: ProjectSnapshot, summaries: Sequence[ImageSummary]) -> Advice | None:
    """Advise on the image with the smallest labelled share, if that is far below the share of another image."""
    if len(snapshot.images) < 2 or not summaries:
        return None
    shares = dict.fromkeys(snapshot.images, 0.0)
    shares |= {summary.name: float(summary.labelled.mean()) for summary in summaries}
    name = min(shares, key=lambda n: shares[n])
    evidence: dict[str, float | int] = {
        "labelled_percent": round(100 * shares[name], 3),
        "most_percent": round(100 * max(shares.values()), 3),
    }
    if shares[name] >= max(shares.values()) / 2:
        title = "All images are covered about equally"
        return Advice("images-covered", title, "", evidence, severity="good", image_name=name)
    return Advice(
        id="least-covered-image",
        title=f"Your strokes cover {name} least",
        detail="Annotate there next, so that the classifier knows all images equally well.",
        evidence=evidence,
        image_name=name,
        region=snapshot.images[name].region,
    )


def area_imbalance(
    snapshot: ProjectSnapshot, summaries: Sequence[ImageSummary], totals: Totals, settings: Any
) -> Advice | None:
    """Advise on whether the areas of two classes differ tenfold; the offered weights are final values, not factors."""
    areas = {name: float(totals.areas[i]) for i, name in enumerate(snapshot.classes) if totals.areas[i] > 0}
    if len(areas) < 2:
        return None
    large, small = max(areas, key=lambda n: areas[n]), min(areas, key=lambda n: areas[n])
    ratio = areas[large] / areas[small]
    about = {"largest": large, "smallest": small}
    evidence: dict[str, float | int] = {
        "ratio": round(ratio, 2),
        "limit": AREA_RATIO,
    }
    if ratio < AREA_RATIO:
        title = f"No class covers {AREA_RATIO:.0f} times the area of another"
        return Advice("areas-balanced", title, "", evidence, severity="good", about=about)
    weights = balanced_weights(areas)
    present = getattr(settings, "class_weights", None)
    if present is not None and all(abs(present.get(n, 1.0) - w) < 1e-9 for n, w in weights.items()):
        title = "The class weights balance the areas of the classes"
        return Advice("areas-balanced", title, "", evidence, severity="good", about=about)
    near = nearest_other(snapshot, summaries, small)
    return Advice(
        id="area-imbalance",
        title=f"{large} covers {ratio:.0f} times the area of {small}",
        detail=f"Annotate more of {small}, or balance the classes in the loss.",
        evidence=evidence,
        about=about,
        severity="warning",
        image_name=near[1].name if near else None,
        region=near[2] if near else None,
        **with_actions([Action("Balance the class weights", {"class_weights": weights})]),
    )


def balanced_weights(areas: Mapping[str, float]) -> dict[str, float]:
    """Return a weight for each class: the median area divided by its own area, limited to 0.1 to 10."""
    low, high = t.WEIGHT_RANGE
    middle = float(np.median(list(areas.values())))
    return {name: round(min(max(middle / area, low), high), 2) for name, area in areas.items()}


def nearest_other(
    snapshot: ProjectSnapshot, summaries: Sequence[ImageSummary], name: str
) -> tuple[str, ImageSummary, Region] | None:
    """Find where a class comes nearest to another one; return that class, the image, and the place."""
    index = list(snapshot.classes).index(name)
    best: tuple[float, str, ImageSummary, Region] | None = None
    for summary in summaries:
        mine = summary.points(index, 64)
        if len(mine) == 0:
            continue
        for k, other in enumerate(snapshot.classes):
            theirs = summary.points(k, 64) if k != index and summary.areas[k] else mine[:0]
            if len(theirs) == 0:
                continue
            apart = np.hypot(*(mine[:, None] - theirs[None]).transpose(2, 0, 1))
            i, j = np.unravel_index(int(np.argmin(apart)), apart.shape)
            distance = float(apart[i, j]) * summary.downsample
            if best is None or distance < best[0]:
                row, col = (mine[i] + theirs[j]) / 2
                best = distance, other, summary, summary.around(float(row), float(col))
    return None if best is None else best[1:]


def _count(
    snapshot: ProjectSnapshot, summaries: Sequence[ImageSummary], name: str, evidence: dict[str, float | int]
) -> Advice:
    about = {"class": name}
    number, minimum, wanted = (int(evidence[key]) for key in ("count", "minimum", "recommended"))
    if number >= wanted:
        return Advice(
            "annotations-enough",
            f"{name} has enough strokes: {number}",
            "",
            evidence,
            severity="good",
            about=about,
        )
    severity: Severity = "stop" if number < minimum else "warning"
    missing = (minimum if number < minimum else wanted) - number
    near = nearest_other(snapshot, summaries, name)
    # The title names a single place; the user can see there whether the classes really meet.
    where = f", best where it meets {near[0]}" if near else ""
    need = "needs" if severity == "stop" else "would gain from"
    return Advice(
        id="annotations-few" if severity == "stop" else "annotations-more",
        title=f"{name} {need} {missing} more {'stroke' if missing == 1 else 'strokes'}{where}",
        detail=f"It has {number}. With {len(snapshot.classes)} classes, each needs {minimum}; {wanted} are better.",
        evidence=evidence,
        about=about,
        severity=severity,
        image_name=near[1].name if near else None,
        region=near[2] if near else None,
        **with_actions([Action(f"Annotate {name}", kind="annotate")]),
    )
