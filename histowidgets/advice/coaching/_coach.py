"""Check the annotations of a project and report what they lack."""

from typing import Any

from histowidgets.advice._advice import Advice, most_urgent_first
from histowidgets.advice.coaching import _counts as of_count
from histowidgets.advice.coaching import _images as of_image
from histowidgets.advice.coaching import _places as of_place
from histowidgets.advice.coaching._image_summary import summarize_image
from histowidgets.advice.coaching._totals import totals_of
from histowidgets.annotations import Project, ProjectSnapshot, snapshot_of


def coach(project: Project | ProjectSnapshot, settings: Any = None) -> list[Advice]:
    """Check the annotations of a project: how many there are, where they are, and whether they agree.

    Fast enough to call after each stroke; images with sides longer than 1024 pixels are downsampled.

    Parameters
    ----------
    project : Project or ProjectSnapshot
    settings : TrainingSettings, optional
        The present settings: class weights that are already set are not offered again.

    Returns
    -------
    list of Advice
        The most urgent first. There is one for each class: "annotations-few" (below the minimum), "annotations-more"
        (below the recommended number) or "annotations-enough"; its `about` names the ``class``, and its `evidence`
        holds ``count``, ``minimum``, ``recommended``, ``area_pixels``, ``area_percent`` (of all labels),
        ``boundary_percent`` and ``annotated_images``. Each other check gives one of two ids with the same evidence, if
        it can be measured:

        ==========================================  ========================  =========================================
        what is missing                             what is good              evidence
        ==========================================  ========================  =========================================
        "few-boundaries"                            "boundaries-enough"       boundary_percent, limit_percent
        "area-imbalance"                            "areas-balanced"          ratio, limit (about: largest, smallest)
        "one-corner"                                "spread-enough"           reach_percent, limit_percent
        "one-kind-of-place"                         "kinds-covered"           strokes_in_one_kind_percent, limit_percent
        "labelled-twice", "contradicting-labels"    "labels-consistent"       pixels_in_all or pairs_in_all; places
        "one-image"                                 "several-images"          annotated_images, images, wanted
        "image-unlike-others"                       "images-alike"            outside_percent, limit_percent, images
        "least-covered-image"                       "images-covered"          labelled_percent, most_percent
        ==========================================  ========================  =========================================

        "image-unreadable" names an image whose pixels cannot be read: its strokes count, but its pixels are left out.
        "no-image" is the only advice for a project without images.
    """
    snapshot = snapshot_of(project)
    if not snapshot.images:
        return [Advice("no-image", "Add an image to begin", "", {"images": 0})]
    summaries = [summarize_image(project, snapshot, name) for name in snapshot.annotated_names()]
    totals = totals_of(summaries)
    readable, unreadable = of_place.unreadable(summaries)
    conflicts = [*of_place.overdrawn(snapshot, summaries), *of_place.contradictions(snapshot, readable)]
    found: list[Advice | None] = [
        *unreadable,
        *of_count.counts(snapshot, summaries, totals),
        *conflicts,
        of_place.consistent(totals, conflicts),
        of_place.boundaries(snapshot, summaries, totals),
        of_place.corner(summaries),
        of_place.one_kind(readable),
        of_count.area_imbalance(snapshot, summaries, totals, settings),
        of_count.one_image(snapshot, summaries),
        of_image.unlike_others(readable),
        of_count.least_covered(snapshot, summaries),
    ]
    return most_urgent_first(advice for advice in found if advice is not None)
