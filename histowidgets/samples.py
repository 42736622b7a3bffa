"""Samples that need no network: images from scikit-image, and a small trained classifier."""

from typing import TYPE_CHECKING

from histowidgets.images.samples import cell, colon_ihc, retina

if TYPE_CHECKING:  # it needs torch
    from histowidgets.prediction import Classifier

__all__ = ["cell", "classifier", "colon_ihc", "retina"]


def classifier() -> "Classifier":
    """Return a trained classifier of Epithelium, Stroma and Lumen in H-DAB tissue, such as `colon_ihc`.

    It is a quick learner, made from 18 strokes on `colon_ihc` by ``docs/make_sample_classifier.py``. Its own weights
    are part of this package (0.1 MB); the encoder comes with a dependency. It is meant for trying and teaching: on
    other tissue it is mostly wrong.
    """
    from histowidgets.prediction import sample_classifier  # only here, as it loads torch

    return sample_classifier()
