"""Advice on where the annotations are: at boundaries, in varied places, and free of contradictions."""

from collections.abc import Sequence

import numpy as np
from scipy.spatial import cKDTree

from histowidgets.advice import _thresholds as t
from histowidgets.advice._advice import Action, Advice, with_actions
from histowidgets.advice.coaching._counts import nearest_other
from histowidgets.advice.coaching._image_summary import ImageSummary, cell_edges
from histowidgets.advice.coaching._totals import Totals
from histowidgets.annotations import UNLABELLED, ProjectSnapshot, conflicts
from histowidgets.errors import HistowidgetsError

#: This share of the labelled pixels should lie at boundaries.
BOUNDARY_SHARE = 0.02
#: Labels whose bounding box covers less than this share of the image are in one corner.
CORNER_SHARE = 0.25
#: Cells are of two kinds if the two centres explain `KINDS_EXPLAIN` of the variance, and each kind has `KIND_SHARE` of
#: the cells.
KINDS_EXPLAIN = 0.6
KIND_SHARE = 0.15
#: The labelled cells are of one kind if `ONE_KIND` of them are. With fewer than `VARIETY_STROKES` there is no advice.
ONE_KIND = 0.97
VARIETY_STROKES = 6
#: Patches are near-identical if their root-mean-square difference is at most this share of the image's range.
IDENTICAL = 0.012
#: Maximum number of labelled patches that are compared, and of contradictions that are listed.
MOST_PATCHES = 1500
MOST_LISTED = 5


def boundaries(snapshot: ProjectSnapshot, summaries: Sequence[ImageSummary], totals: Totals) -> Advice | None:
    """Advise on whether enough of the labels are near a label of another class."""
    classes = np.flatnonzero(totals.areas)
    if len(classes) < 2:
        return None
    share = totals.boundary_share()
    evidence: dict[str, float | int] = {
        "boundary_percent": round(100 * share, 2),
        "limit_percent": 100 * BOUNDARY_SHARE,
        "within_pixels": t.BOUNDARY_PIXELS,
    }
    if share >= BOUNDARY_SHARE:
        title = f"{100 * share:.0f} % of the labels lie where classes meet"
        return Advice("boundaries-enough", title, "", evidence, severity="good")
    place = nearest_other(snapshot, summaries, snapshot.classes[int(classes[0])])
    return Advice(
        id="few-boundaries",
        title="Hardly any strokes lie where classes meet",
        detail="Boundaries are hardest to learn. Paint short strokes on both sides of a few boundaries.",
        evidence=evidence,
        severity="warning",
        image_name=place[1].name if place else None,
        region=place[2] if place else None,
        **with_actions([Action("Annotate boundaries", kind="annotate")]),
    )


def corner(summaries: Sequence[ImageSummary]) -> Advice | None:
    """Advise on whether the strokes lie in one part of every annotated image, or are spread over one of them."""
    if sum(summary.strokes for summary in summaries) < VARIETY_STROKES:
        return None
    shares = []
    for summary in summaries:
        rows, cols = np.flatnonzero(summary.labelled.any(axis=1)), np.flatnonzero(summary.labelled.any(axis=0))
        if len(rows):
            shares.append((rows[-1] - rows[0] + 1) * (cols[-1] - cols[0] + 1) / summary.labels.size)
    if not shares:
        return None
    evidence: dict[str, float | int] = {
        "reach_percent": round(100 * max(shares), 1),
        "limit_percent": 100 * CORNER_SHARE,
    }
    if max(shares) >= CORNER_SHARE:
        title = f"The strokes span {100 * max(shares):.0f} % of an image"
        return Advice("spread-enough", title, "", evidence, severity="good")
    summary = summaries[0]
    rows, cols = np.nonzero(summary.labelled)
    # The middle of the quadrant opposite the strokes.
    row = summary.labels.shape[0] * (0.25 if rows.mean() > summary.labels.shape[0] / 2 else 0.75)
    col = summary.labels.shape[1] * (0.25 if cols.mean() > summary.labels.shape[1] / 2 else 0.75)
    return Advice(
        id="one-corner",
        title="All strokes lie in one part of the image",
        detail="Annotate other parts too, where the tissue looks different.",
        evidence=evidence,
        severity="warning",
        image_name=summary.name,
        region=summary.around(row, col),
        **with_actions([Action("Annotate another part", kind="annotate")]),
    )


def one_kind(summaries: Sequence[ImageSummary]) -> Advice | None:
    """Advise on whether all strokes lie in one of two kinds of places, which differ in brightness or colour."""
    if not summaries or sum(summary.strokes for summary in summaries) < VARIETY_STROKES:
        return None
    features = np.concatenate([summary.texture.cells for summary in summaries])
    labelled = np.concatenate([_labelled_cells(summary) for summary in summaries])
    kind, explained = _two_kinds(features)
    smaller = min(kind.mean(), 1 - kind.mean())
    if labelled.sum() < 3 or explained < KINDS_EXPLAIN or smaller < KIND_SHARE:
        return None
    share = float(kind[labelled].mean())
    missing = kind != (share > 0.5)
    evidence: dict[str, float | int] = {
        "other_kind_percent": round(100 * float(missing.mean()), 1),
        "strokes_in_one_kind_percent": round(100 * max(share, 1 - share), 1),
        "limit_percent": 100 * ONE_KIND,
    }
    if max(share, 1 - share) < ONE_KIND:
        title = "The strokes cover both kinds of places in the images"
        return Advice("kinds-covered", title, "", evidence, severity="good")
    # The cell that differs most from the labelled ones.
    away = np.linalg.norm(features - features[labelled].mean(axis=0), axis=1)
    number = int(np.argmax(np.where(missing, away, -1)))
    owner, cell = divmod(number, t.GRID * t.GRID)
    summary = summaries[owner]
    row, col = ((v + 0.5) * side / t.GRID for v, side in zip(divmod(cell, t.GRID), summary.labels.shape, strict=True))
    return Advice(
        id="one-kind-of-place",
        title="All strokes lie in places that look alike",
        detail="Part of the tissue is brighter, darker or of another colour, and has no strokes. Annotate there too.",
        evidence=evidence,
        severity="warning",
        image_name=summary.name,
        region=summary.around(row, col),
        **with_actions([Action("Annotate there", kind="annotate")]),
    )


def overdrawn(snapshot: ProjectSnapshot, summaries: Sequence[ImageSummary]) -> list[Advice]:
    """Advise on places that were labelled twice, with different classes."""
    places = sorted(
        ((summary.name, conflict) for summary in summaries for conflict in conflicts(snapshot, summary.name)),
        key=lambda pair: -pair[1].pixels,
    )
    pixels = sum(conflict.pixels for _, conflict in places)
    return [
        Advice(
            id="labelled-twice",
            title=f"{conflict.above} was painted over {conflict.below}",
            detail="The later stroke counts. If that is wrong, undo it or paint the place again.",
            evidence={"pixels": conflict.pixels, "pixels_in_all": pixels, "places": len(places)},
            severity="warning",
            image_name=name,
            region=conflict.region,
        )
        for name, conflict in places[:MOST_LISTED]
    ]


def contradictions(snapshot: ProjectSnapshot, summaries: Sequence[ImageSummary]) -> list[Advice]:
    """Advise on near-identical patches with different labels: the two places of each pair follow one another."""
    patches, labels, where = _labelled_patches(summaries)
    if len(patches) < 2:
        return []
    tree = cKDTree(patches)
    limit = IDENTICAL * np.sqrt(patches.shape[1])
    pairs = tree.query_pairs(limit, output_type="ndarray")
    pairs = pairs[labels[pairs[:, 0]] != labels[pairs[:, 1]]]
    if len(pairs) == 0:
        return []
    apart = np.linalg.norm(patches[pairs[:, 0]] - patches[pairs[:, 1]], axis=1) / np.sqrt(patches.shape[1])
    found = []
    used: set[int] = set()
    for k in np.argsort(apart, kind="stable"):
        i, j = (int(v) for v in pairs[k])
        if i in used or j in used:
            continue
        used |= {i, j}
        numbers: dict[str, float | int] = {
            "difference": float(apart[k]),
            "limit": IDENTICAL,
            "pairs_in_all": len(pairs),
        }
        for here, there in ((i, j), (j, i)):
            summary, row, col = where[here]
            mine, other = snapshot.classes[labels[here]], snapshot.classes[labels[there]]
            found.append(
                Advice(
                    id="contradicting-labels",
                    title=f"Labelled {mine} here, {other} in a place that looks the same",
                    detail="One of the two may be wrong. Look at both, and paint over the wrong one.",
                    evidence=numbers,
                    severity="warning",
                    image_name=summary.name,
                    region=summary.around(row, col),
                )
            )
        if len(found) >= 2 * MOST_LISTED:
            break
    return found


def consistent(totals: Totals, found: Sequence[Advice]) -> Advice | None:
    """Confirm that no place was labelled twice, and that no places that look the same have different classes."""
    if found or np.count_nonzero(totals.areas) < 2:
        return None
    title = "No place has two classes"
    return Advice("labels-consistent", title, "", {"places": 0, "pixels_in_all": 0}, severity="good")


def unreadable(summaries: Sequence[ImageSummary]) -> tuple[list[ImageSummary], list[Advice]]:
    """Return the images whose pixels can be read, and advice about each of the others."""
    readable, found = [], []
    for summary in summaries:
        try:
            summary.texture  # noqa: B018 # reads the pixels, once for each image
        except (HistowidgetsError, OSError, RuntimeError, ValueError) as error:
            found.append(
                Advice(
                    id="image-unreadable",
                    title=f"The pixels of {summary.name} cannot be read, so the coach leaves this image out",
                    detail=f"Its strokes still count. {error}",
                    evidence={"images_left_out": 1, "annotations": summary.strokes},
                    severity="warning",
                    image_name=summary.name,
                )
            )
        else:
            readable.append(summary)
    return readable, found


def _labelled_patches(
    summaries: Sequence[ImageSummary],
) -> tuple[np.ndarray, np.ndarray, list[tuple[ImageSummary, int, int]]]:
    """Return the patches whose centre is labelled, (n, values), their classes, and their places."""
    if len({summary.texture.patches.shape[-1] for summary in summaries}) != 1:
        return np.empty((0, 1)), np.empty(0, int), []  # images with different channels cannot be compared
    patches, labels, where = [], [], []
    for summary in summaries:
        spots = summary.texture.spots
        centres = summary.labels[spots[..., 0], spots[..., 1]]
        at = np.argwhere(centres != UNLABELLED)
        at = at[:: max(1, -(-len(at) * len(summaries) // MOST_PATCHES))]
        patches.append(summary.texture.patches[at[:, 0], at[:, 1]])
        labels.append(centres[at[:, 0], at[:, 1]].astype(int))
        where += [(summary, int(r), int(c)) for r, c in spots[at[:, 0], at[:, 1]]]
    return np.concatenate(patches), np.concatenate(labels), where


def _labelled_cells(summary: ImageSummary) -> np.ndarray:
    """Return a mask of the grid cells that have a label, (256,) bool."""
    rows, cols = np.nonzero(summary.labelled)
    y, x = (
        np.searchsorted(cell_edges(n), at, side="right") - 1
        for n, at in zip(summary.labels.shape, (rows, cols), strict=True)
    )
    labelled = np.zeros(t.GRID * t.GRID, bool)
    labelled[y * t.GRID + x] = True
    return labelled


def _two_kinds(features: np.ndarray) -> tuple[np.ndarray, float]:
    """Split cells in two by 2-means along the first principal axis; also return the share of the variance explained."""
    centred = features - features.mean(axis=0)
    total = float((centred**2).sum())
    if total <= 0:
        return np.zeros(len(features), bool), 0.0
    axis = np.linalg.svd(centred, full_matrices=False)[2][0]
    kind = centred @ axis > 0
    for _ in range(10):
        if kind.all() or not kind.any():
            break
        low, high = centred[~kind].mean(axis=0), centred[kind].mean(axis=0)
        again = np.linalg.norm(centred - high, axis=1) < np.linalg.norm(centred - low, axis=1)
        if (again == kind).all():
            break
        kind = again
    within = sum(float(((centred[k] - centred[k].mean(axis=0)) ** 2).sum()) for k in (kind, ~kind) if k.any())
    return kind, 1 - within / total
