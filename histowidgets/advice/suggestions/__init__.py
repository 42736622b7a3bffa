"""Where to annotate next, and which labels to look at again."""

from histowidgets.advice.suggestions._label_review import Review, ReviewTile, review
from histowidgets.advice.suggestions._regions import annotate_next, only_easy_regions, suggest_regions

__all__ = [
    "Review",
    "ReviewTile",
    "annotate_next",
    "only_easy_regions",
    "review",
    "suggest_regions",
]
