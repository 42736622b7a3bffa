"""Where to annotate next, and which labels to review."""

from histowidgets.advice.suggestions._label_review import (
    ContradictedAnnotation,
    LabelReview,
    ReviewTile,
    find_label_errors,
)
from histowidgets.advice.suggestions._regions import only_easy_regions, suggest_regions

__all__ = [
    "ContradictedAnnotation",
    "LabelReview",
    "ReviewTile",
    "find_label_errors",
    "only_easy_regions",
    "suggest_regions",
]
