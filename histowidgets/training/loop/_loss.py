"""Losses over labelled pixels only."""

import math
from collections.abc import Sequence

import segmentation_models_pytorch as smp
import torch
from torch.nn import functional

from histowidgets.annotations import UNLABELLED

#: The step from which unlabelled pixels are learned from (a mean teacher, Tarvainen & Valpola 2017): before it the
#: averaged weights know too little. Measured as the best of the recipes tried on sparse strokes.
TEACH_FROM_STEP = 80

#: Probability from which the averaged weights count as sure of a pixel.
TEACH_ABOVE = 0.8


class Loss:
    """A loss of logits (N, K, H, W) float32 and labels (N, H, W) int64, with 255 for unlabelled pixels.

    Class weights are used here and nowhere else; tiles are not sampled by them.

    Parameters
    ----------
    kind : {"ce_dice", "ce", "focal", "focal_dice", "lovasz"}
        Cross-entropy or focal loss, with or without Dice, or Lovasz-Softmax.
    class_weights : sequence of float
        A weight for each class, in the order of the class indices.
    device : torch.device
        Where it is computed.
    focal_gamma : float
        How much focal loss reduces the weight of easy pixels.
    hardest_share : float
        Share of the labelled pixels, the hardest, that cross-entropy and focal loss learn from.
    """

    def __init__(
        self,
        kind: str,
        class_weights: Sequence[float],
        device: torch.device,
        *,
        focal_gamma: float = 2.0,
        hardest_share: float = 1.0,
    ) -> None:
        self._weights = torch.tensor(list(class_weights), device=device)
        self._gamma = focal_gamma if kind.startswith("focal") else 0.0
        self._hardest = hardest_share
        self._lovasz = kind == "lovasz"
        self._dice: smp.losses.DiceLoss | None = None
        if kind.endswith("dice"):
            self._dice = smp.losses.DiceLoss(
                smp.losses.MULTICLASS_MODE, ignore_index=UNLABELLED, smooth=1.0, class_weights=self._weights.tolist()
            )

    def __call__(self, logits: torch.Tensor, labels: torch.Tensor, every_pixel: bool = False) -> torch.Tensor:
        """Compute a scalar; a batch without labels gives 0.

        With `every_pixel` all labelled pixels count, whatever ``hardest_share``: for validation.
        """
        if self._lovasz:
            return _lovasz(logits, labels, self._weights)
        share = 1.0 if every_pixel else self._hardest
        value = _cross_entropy(logits, labels, self._weights, self._gamma, share)
        return value if self._dice is None else 0.5 * value + 0.5 * self._dice(logits, labels)

    def weight(self, labels: torch.Tensor) -> float:
        """Return the total weight of labels, by which a mean over several parts of a batch is weighted."""
        return float(self._weights[labels[labels != UNLABELLED].to(self._weights.device, torch.int64)].sum())


def _cross_entropy(
    logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor, gamma: float, hardest: float
) -> torch.Tensor:
    """Weighted mean cross-entropy; with `gamma` above 0, focal (Lin et al. 2017).

    With `hardest` below 1 the mean is over that share of the labelled pixels, those whose weighted loss is largest
    (online hard example mining, Shrivastava et al. 2016).
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


def pseudo_labels(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return pseudo-labels: the class of each unlabelled pixel of which another network is sure.

    Parameters
    ----------
    logits : Tensor, (N, K, H, W)
        Of the other network.
    labels : Tensor, (N, H, W), int64
        255 where unlabelled.

    Returns
    -------
    Tensor, (N, H, W), int64
        Its class where it is sure and the pixel is unlabelled; 255 elsewhere.
    """
    probability, best = logits.softmax(1).max(1)
    return torch.where((labels == UNLABELLED) & (probability >= TEACH_ABOVE), best, UNLABELLED)


def consistency_loss(logits: torch.Tensor, pseudo: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy with `pseudo_labels`, summed over the sure pixels and divided by the number of all."""
    total = functional.cross_entropy(logits, pseudo, ignore_index=UNLABELLED, reduction="sum")
    return total / pseudo.numel()
