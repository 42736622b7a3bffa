"""The ensemble of a network and the quick learner, which make errors in different places."""

from dataclasses import replace
from functools import partial

from histowidgets.annotations import Project, ProjectSnapshot, Split, snapshot_of
from histowidgets.prediction import Classifier, ClassifierSpec, mean_of
from histowidgets.training.quick._learner import fit_quick, scores_on

#: The network's weight in the mean, with two classes and with more, of which it needs more time to learn each. Chosen
#: on six sets of images (docs/learning.md); held-out strokes are too few to choose it for each project.
WEIGHT_OF_TWO, WEIGHT_OF_MANY = 0.5, 0.35


class QuickPartner:
    """A quick learner that matches a network, so that both can be averaged, and the mean scored.

    Parameters
    ----------
    snapshot : ProjectSnapshot
    network : Classifier
        Its normalization and channels are used.
    split : Split, optional
        What the network held out. A second quick learner, which has not seen it either, is used to score the mean.
    seed : int, default 0

    Raises
    ------
    TrainingDataError
        If fewer than two classes are annotated, or an annotated image lacks the network's channels.
    """

    def __init__(
        self, snapshot: ProjectSnapshot, network: Classifier, split: Split | None = None, seed: int = 0
    ) -> None:
        self._snapshot, self._normalization, self._split = snapshot, network.normalization, split
        fit = partial(
            fit_quick,
            snapshot,
            network.channel_names,
            seed,
            normalization=network.normalization,
            score=False,
            pixel_size_um=network.pixel_size_um,
        )
        self._network_size = network.pixel_size_um
        self._quick = fit(split=None)
        self._for_scores = None if split is None else fit(split=split)

    def fits(self, snapshot: ProjectSnapshot, network: Classifier, split: Split | None) -> bool:
        """Return whether this partner is still valid for these arguments."""
        mine, other = self._snapshot, snapshot
        drawn = [[id(a) for some in one.annotations.values() for a in some] for one in (mine, other)]
        same = drawn[0] == drawn[1] and (mine.classes, mine.roles) == (other.classes, other.roles)
        alike = (self._split, self._normalization, self._quick.channel_names, self._network_size)
        return same and alike == (split, network.normalization, network.channel_names, network.pixel_size_um)

    def join(self, network: Classifier) -> Classifier:
        """Return the ensemble of a network and the quick learner, with scores on the held-out labels, if any.

        The network counts as much as the quick learner with two classes, and less with more.

        ``scores["network_alone"]`` is the network's mIoU measured in the same way; the one from training is measured on
        tiles around the strokes, and so differs slightly.

        Raises
        ------
        ClassifierError
            If the network has other classes.
        """
        share = WEIGHT_OF_TWO if len(network.classes) <= 2 else WEIGHT_OF_MANY
        weights = (share, 1 - share)
        both = mean_of([network.spec, self._alike(self._quick)], weights)
        if self._for_scores is not None and self._split is not None:
            for_scores = Classifier(mean_of([network.spec, self._alike(self._for_scores)], weights))
            scores = scores_on(for_scores, self._snapshot, self._split)
            scores["network_alone"] = scores_on(network, self._snapshot, self._split)["val_miou"]
            both = replace(both, scores=scores)
        return Classifier(both)

    def _alike(self, quick: Classifier) -> ClassifierSpec:
        """Return a quick learner's spec with the network's pixel size, which differs if one of them has none."""
        return replace(quick.spec, pixel_size_um=self._network_size)


def ensemble_with_quick(
    network: Classifier, project: Project | ProjectSnapshot, split: Split | None = None, seed: int = 0
) -> Classifier:
    """Return the ensemble of a network and the quick learner, which is fitted to the present annotations.

    After seconds of training the quick learner is better than the network; after minutes it is the other way round. For
    most of that time their mean is better than both (`benchmarks/quality.py`). With more than two classes the network
    has less than half of the weight. The ensemble uses new strokes without further training.

    Parameters
    ----------
    network : Classifier
        The network, such as ``run.classifier``.
    project : Project or ProjectSnapshot
    split : Split, optional
        ``run.split``; the mean is then scored on what the network held out (``scores["val_miou"]``), with a quick
        learner that has not seen it either.
    seed : int, default 0

    Returns
    -------
    Classifier
        A classifier of kind "mean"; ``parts`` holds the two.

    Raises
    ------
    ClassifierError
        If the network has other classes.
    TrainingDataError
        If fewer than two classes are annotated, or an annotated image lacks the network's channels.
    """
    snapshot = snapshot_of(project)
    return QuickPartner(snapshot, network, split, seed).join(network)
