"""Which page of the guide explains which advice. The pages are `docs/guide/<page>.md`."""

GUIDE = "https://github.com/histowidgets/histowidgets/blob/main/docs/guide"

# What says that a rule is kept is explained where the rule is.
_PAGE_OF = {
    "annotations-enough": "annotations-few",
    "annotations-more": "annotations-few",
    "areas-balanced": "area-imbalance",
    "boundaries-enough": "few-boundaries",
    "images-covered": "least-covered-image",
    "kinds-covered": "one-kind-of-place",
    "labels-consistent": "contradicting-labels",
    "several-images": "one-image",
    "spread-enough": "one-corner",
}


def guide_page(advice_id: str) -> str:
    """Return the address of the page for an advice."""
    return f"{GUIDE}/{_PAGE_OF.get(advice_id, advice_id)}.md"
