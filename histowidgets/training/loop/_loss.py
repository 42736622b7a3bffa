"""Losses over labelled pixels only."""

import math
from collections.abc import Sequence

import segmentation_models_pytorch as smp
import torch
from torch.nn import functional

from histowidgets.annotations import UNLABELLED

#: Step from which training also uses unlabelled pixels (mean teacher, Tarvainen & Valpola 2017); before it the averaged
#: weights are too poor. The best of the variants tried on sparse strokes.
TEACH_FROM_STEP = 80

#: Probability from which the averaged weights count as certain of a pixel.
TEACH_ABOVE = 0.8


class Loss:
    """A loss on logits (N, K, H, W) float32 and labels (N, H, W) int64, where 255 is unlabelled.

    Class weights are used only here; they do not affect the sampling of tiles.

    Parameters
    ----------
    kind : {"ce_dice", "ce", "focal", "focal_dice", "lovasz"}
        Cross-entropy or focal loss, with or without Dice, or Lovasz-Softmax.
    class_weights : sequence of float
        Weight of each class, in the order of the class indices.
    device : torch.device
        Device to compute on.
    focal_gamma : float
        How strongly focal loss reduces the weight of easy pixels.
    hardest_share : float
        Share of the labelled pixels, the hardest ones, that cross-entropy and focal loss use.
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
        """Compute the loss, a scalar; 0 for a batch without labels.

        With `every_pixel`, for validation, all labelled pixels count, whatever ``hardest_share``.
        """
        if self._lovasz:
            return _lovasz(logits, labels, self._weights)
        share = 1.0 if every_pixel else self._hardest
        value = _cross_entropy(logits, labels, self._weights, self._gamma, share)
        return value if self._dice is None else 0.5 * value + 0.5 * self._dice(logits, labels)

    def weight(self, labels: torch.Tensor) -> float:
        """Return the total weight of labels, which weights the mean over several parts of a batch."""
        return float(self._weights[labels[labels != UNLABELLED].to(self._weights.device, torch.int64)].sum())


def _cross_entropy(
    logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor, gamma: float, hardest: float
) -> torch.Tensor:
    """Return the weighted mean cross-entropy; with `gamma` above 0, focal loss (Lin et al. 2017).

    With `hardest` below 1, the mean is over this share of the labelled pixels with the largest weighted loss (online
    hard example mining, Shrivastava et al. 2016).
    """
    keep = labels != UNLABELLED
    target = labels[keep]
    entropy = functional.cross_entropy(logits.movedim(1, -1)[keep], target, reduction="none")
    each = weights[target]
    if gamma > 0:
        entropy = entropy * (1 - torch.exp(-entropy)).clamp(min=1e-6) ** gamma
    values = entropy * each
    if hardest < 1:
        # Rounded up, so that a single labelled pixel counts.
        values, which = values.topk(math.ceil(hardest * len(values)))
        each = each[which]
    return values.sum() / each.sum().clamp(min=1e-6)


def _lovasz(logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return the weighted mean Lovasz-Softmax loss over the classes present (Berman et al. 2018, algorithm 1).

    With equal weights it equals ``smp.losses.LovaszLoss``, which has no class weights.
    """
    keep = labels != UNLABELLED
    target, probability = labels[keep], logits.softmax(1).movedim(1, -1)[keep]
    present = target.unique()
    total = logits.sum() * 0
    for index in present.tolist():
        truth = (target == index).to(probability.dtype)
        errors, order = (truth - probability[:, index]).abs().sort(descending=True)
        hits = truth[order]
        # The Jaccard loss if all pixels up to each one were wrong, and the increase due to each pixel.
        jaccard = 1 - (hits.sum() - hits.cumsum(0)) / (hits.sum() + (1 - hits).cumsum(0))
        steps = torch.diff(jaccard, prepend=jaccard.new_zeros(1))
        total = total + weights[index] * torch.dot(errors, steps)
    return total / weights[present].sum().clamp(min=1e-6)


def pseudo_labels(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return pseudo-labels: the predicted class of each unlabelled pixel of which another network is certain.

    Parameters
    ----------
    logits : Tensor, (N, K, H, W)
        Logits of the other network.
    labels : Tensor, (N, H, W), int64
        255 where unlabelled.

    Returns
    -------
    Tensor, (N, H, W), int64
        The predicted class where it is certain and the pixel is unlabelled; 255 elsewhere.
    """
    probability, best = logits.softmax(1).max(1)
    return torch.where((labels == UNLABELLED) & (probability >= TEACH_ABOVE), best, UNLABELLED)


def consistency_loss(logits: torch.Tensor, pseudo: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy with `pseudo_labels`, summed over them and divided by the number of all pixels."""
    total = functional.cross_entropy(logits, pseudo, ignore_index=UNLABELLED, reduction="sum")
    return total / pseudo.numel()
