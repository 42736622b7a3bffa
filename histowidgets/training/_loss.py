"""Losses over labelled pixels only."""

from collections.abc import Callable, Sequence

import segmentation_models_pytorch as smp
import torch
from torch.nn import functional

from histowidgets.annotations import UNLABELLED
from histowidgets.training._limits import TEACH_ABOVE
from histowidgets.training._settings import TrainingSettings

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def make_loss(settings: TrainingSettings, classes: Sequence[str], device: torch.device) -> Loss:
    """Return the loss that the settings ask for.

    Parameters
    ----------
    settings : TrainingSettings
        ``loss``, ``focal_gamma`` and ``class_weights``; a weight is used here and nowhere else (row B11).
    classes : sequence of str
        Names in the order of the class indices.
    device : torch.device
        Where it is computed.

    Returns
    -------
    callable
        From logits (N, K, H, W) float32 and labels (N, H, W) int64, 255 for unlabelled, to a scalar. A batch without
        labels gives 0.
    """
    weights = torch.tensor([settings.class_weights.get(name, 1.0) for name in classes], device=device)
    gamma = settings.focal_gamma if settings.loss.startswith("focal") else 0.0
    dice = smp.losses.DiceLoss(
        smp.losses.MULTICLASS_MODE, ignore_index=UNLABELLED, smooth=1.0, class_weights=weights.tolist()
    )

    def loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        value = _cross_entropy(logits, labels, weights, gamma)
        if settings.loss.endswith("dice"):
            value = 0.5 * value + 0.5 * dice(logits, labels)
        return value

    return loss


def _cross_entropy(logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor, gamma: float) -> torch.Tensor:
    """Weighted mean cross-entropy; with `gamma` above 0, focal (Lin et al. 2017)."""
    keep = labels != UNLABELLED
    target = labels[keep]
    entropy = functional.cross_entropy(logits.movedim(1, -1)[keep], target, reduction="none")
    each = weights[target]
    if gamma > 0:
        entropy = entropy * (1 - torch.exp(-entropy)).clamp(min=1e-6) ** gamma
    return (entropy * each).sum() / each.sum().clamp(min=1e-6)


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
