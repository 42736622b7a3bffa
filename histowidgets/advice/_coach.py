"""What the annotations of a project lack, from the project alone."""

from typing import Any

from histowidgets.advice import _coach_counts as of_count
from histowidgets.advice import _coach_places as of_place
from histowidgets.advice._advice import Advice, most_urgent_first
from histowidgets.advice._look import look_at, snapshot_of
from histowidgets.annotations import Project, ProjectSnapshot


def coach(project: Project | ProjectSnapshot, settings: Any = None) -> list[Advice]:
    """Look at the annotations (rows R14-R16, R18-R25, R61).

    Quick enough to call after each stroke; images of more than 1024 pixels a side are looked at smaller.

    Parameters
    ----------
    project : Project or ProjectSnapshot
    settings : TrainingSettings, optional
        Class weights that are set already are not offered again.

    Returns
    -------
    list of Advice
        The most urgent first. There is one about the strokes of each class: "annotations-few" (below the guide's
        minimum), "annotations-more" (below what it recommends) or "annotations-enough". The others are "no-image",
        "labelled-twice", "contradicting-labels", "few-boundaries", "one-corner", "one-kind-of-place",
        "area-imbalance", "one-image" and "least-covered-image".
    """
    snapshot = snapshot_of(project)
    if not snapshot.images:
        return [Advice("no-image", "Add an image to begin", "", {"images": 0}, rule="R52")]
    looks = [look_at(project, snapshot, name) for name in snapshot.annotated_names()]
    found: list[Advice | None] = [
        *of_count.counts(snapshot, looks),
        *of_place.overdrawn(snapshot, looks),
        *of_place.contradictions(snapshot, looks),
        of_place.boundaries(snapshot, looks),
        of_place.corner(looks),
        of_place.one_kind(looks),
        of_count.area_imbalance(snapshot, looks, settings),
        of_count.one_image(snapshot, looks),
        of_count.least_covered(snapshot, looks),
    ]
    return most_urgent_first(advice for advice in found if advice is not None)
