"""Losses over labelled pixels only."""

import math
from collections.abc import Sequence

import segmentation_models_pytorch as smp
import torch
from torch.nn import functional

from histowidgets.annotations import UNLABELLED
from histowidgets.training._limits import TEACH_ABOVE
from histowidgets.training.settings import TrainingSettings


class Loss:
    """The loss that the settings ask for, of logits (N, K, H, W) float32 and labels (N, H, W) int64, 255 unlabelled.

    A class's weight is used in every loss, and nowhere else (rows R57 and B11).

    Parameters
    ----------
    settings : TrainingSettings
        ``loss``, ``focal_gamma``, ``hardest_share`` and ``class_weights``.
    classes : sequence of str
        Names in the order of the class indices.
    device : torch.device
        Where it is computed.
    """

    def __init__(self, settings: TrainingSettings, classes: Sequence[str], device: torch.device) -> None:
        self._weights = torch.tensor([settings.class_weights.get(name, 1.0) for name in classes], device=device)
        self._gamma = settings.focal_gamma if settings.loss.startswith("focal") else 0.0
        self._hardest = settings.hardest_share
        self._lovasz = settings.loss == "lovasz"
        self._dice: smp.losses.DiceLoss | None = None
        if settings.loss.endswith("dice"):
            self._dice = smp.losses.DiceLoss(
                smp.losses.MULTICLASS_MODE, ignore_index=UNLABELLED, smooth=1.0, class_weights=self._weights.tolist()
            )

    def __call__(self, logits: torch.Tensor, labels: torch.Tensor, every_pixel: bool = False) -> torch.Tensor:
        """Compute a scalar; a batch without labels gives 0.

        With `every_pixel`, ``hardest_share`` has no say: for measuring.
        """
        if self._lovasz:
            return _lovasz(logits, labels, self._weights)
        share = 1.0 if every_pixel else self._hardest
        value = _cross_entropy(logits, labels, self._weights, self._gamma, share)
        return value if self._dice is None else 0.5 * value + 0.5 * self._dice(logits, labels)

    def weight(self, labels: torch.Tensor) -> float:
        """Say how much labels weigh together: what a mean over several parts of a batch is weighted by."""
        return float(self._weights[labels[labels != UNLABELLED].to(self._weights.device, torch.int64)].sum())


def _cross_entropy(
    logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor, gamma: float, hardest: float
) -> torch.Tensor:
    """Weighted mean cross-entropy; with `gamma` above 0, focal (Lin et al. 2017).

    With `hardest` below 1 the mean is over that share of the labelled pixels, those whose weighted loss is largest
    (online hard example mining, Shrivastava et al. 2016; row N4).
    """
    keep = labels != UNLABELLED
    target = labels[keep]
    entropy = functional.cross_entropy(logits.movedim(1, -1)[keep], target, reduction="none")
    each = weights[target]
    if gamma > 0:
        entropy = entropy * (1 - torch.exp(-entropy)).clamp(min=1e-6) ** gamma
    values = entropy * each
    if hardest < 1:
        # Rounded up, so that one labelled pixel is enough.
        values, which = values.topk(math.ceil(hardest * len(values)))
        each = each[which]
    return values.sum() / each.sum().clamp(min=1e-6)


def _lovasz(logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Weighted mean, over the classes present, of the Lovasz-Softmax loss (Berman et al. 2018, algorithm 1).

    With equal weights it is ``smp.losses.LovaszLoss``, which has no class weights.
    """
    keep = labels != UNLABELLED
    target, probability = labels[keep], logits.softmax(1).movedim(1, -1)[keep]
    present = target.unique()
    total = logits.sum() * 0
    for index in present.tolist():
        truth = (target == index).to(probability.dtype)
        errors, order = (truth - probability[:, index]).abs().sort(descending=True)
        hits = truth[order]
        # Jaccard's loss if the pixels up to each one were wrong, and how much each of them adds to it.
        jaccard = 1 - (hits.sum() - hits.cumsum(0)) / (hits.sum() + (1 - hits).cumsum(0))
        steps = torch.diff(jaccard, prepend=jaccard.new_zeros(1))
        total = total + weights[index] * torch.dot(errors, steps)
    return total / weights[present].sum().clamp(min=1e-6)


def sure_labels(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Label the unlabelled pixels of which another network is sure.

    Parameters
    ----------
    logits : Tensor, (N, K, H, W)
        Of the other network.
    labels : Tensor, (N, H, W), int64
        255 where unlabelled.

    Returns
    -------
    Tensor, (N, H, W), int64
        Its class where it is sure and nobody labelled the pixel; 255 elsewhere.
    """
    probability, best = logits.softmax(1).max(1)
    return torch.where((labels == UNLABELLED) & (probability >= TEACH_ABOVE), best, UNLABELLED)


def teaching_loss(logits: torch.Tensor, taught: torch.Tensor) -> torch.Tensor:
    """Cross-entropy with `sure_labels`, as a sum over the sure pixels divided by all: few sure ones weigh little."""
    total = functional.cross_entropy(logits, taught, ignore_index=UNLABELLED, reduction="sum")
    return total / taught.numel()
