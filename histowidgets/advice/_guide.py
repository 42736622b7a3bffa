"""The guide page for each kind of advice. The pages are `docs/guide/<page>.md`."""

GUIDE = "https://github.com/histowidgets/histowidgets/blob/main/docs/guide"

#: Maps each page to its title.
_TITLES = {
    "annotate-here": "Where to annotate next",
    "annotations-few": "How many annotations a class needs",
    "area-imbalance": "Classes of very different area",
    "augmentation-off": "Tiles are not flipped and rotated",
    "batch-exceeds-tiles": "The batch holds all the tiles",
    "class-in-one-split": "A class is labelled on one side only",
    "class-never-learned": "A class was never learned",
    "class-poor": "One class is recognized poorly",
    "contradicting-labels": "Places that look alike have different labels",
    "converged": "Training has converged",
    "early-stopping-off": "Early stopping is off",
    "few-boundaries": "Few strokes at boundaries",
    "good": "Training goes well",
    "image-outside-training": "An image unlike the training images",
    "image-unlike-others": "An image unlike the other images",
    "image-unreadable": "An image cannot be read",
    "labelled-twice": "The same place has two classes",
    "least-covered-image": "The image with the fewest labels",
    "little-memory": "No GPU, or little memory",
    "loss-nan": "The loss is no longer a number",
    "lr-too-high": "The learning rate is too high",
    "lr-too-low": "The learning rate is too low",
    "multi-scale": "Features at several scales are needed",
    "no-image": "Add an image to begin",
    "no-training-statistics": "A classifier without training statistics",
    "normalization": "How pixel values are scaled to 0 to 1",
    "not-pretrained": "The backbone starts from random weights",
    "one-class-predicted": "Everything is predicted as one class",
    "one-corner": "All strokes lie in one corner",
    "one-image": "Only one image is annotated",
    "one-kind-of-place": "All strokes lie on one kind of place",
    "only-easy-regions": "All strokes lie in easy places",
    "overfitting": "The network is overfitting",
    "single-step-epoch": "An epoch is a single step",
    "stain-varies": "The stain differs between images",
    "stop-diverged": "Stop? Validation diverges",
    "stop-rising": "Stop? Validation has been rising",
    "tissue-distorted": "The tissue is distorted",
    "underfitting": "The network is underfitting",
    "validation-below-training": "Validation looks too good",
}

# Positive advice is explained on the page about the corresponding problem, and all that sets an image apart from those
# of training on one page.
_PAGE_OF = {
    "annotations-enough": "annotations-few",
    "annotations-more": "annotations-few",
    "areas-balanced": "area-imbalance",
    "boundaries-enough": "few-boundaries",
    "channels-by-place": "image-outside-training",
    "images-alike": "image-unlike-others",
    "images-covered": "least-covered-image",
    "kinds-covered": "one-kind-of-place",
    "labels-consistent": "contradicting-labels",
    "pixel-size-coarse": "image-outside-training",
    "pixel-size-far": "image-outside-training",
    "pixel-size-unknown": "image-outside-training",
    "several-images": "one-image",
    "spread-enough": "one-corner",
}


def guide_page(advice_id: str) -> str:
    """Return the address of the guide page for an advice id."""
    return f"{GUIDE}/{_PAGE_OF.get(advice_id, advice_id)}.md"


def guide_title(advice_id: str) -> str:
    """Return the title of the guide page for an advice id, or "" if there is none."""
    return _TITLES.get(_PAGE_OF.get(advice_id, advice_id), "")
