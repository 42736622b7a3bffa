"""Scores from a confusion matrix of labelled pixels."""

import numpy as np
import torch

from histowidgets.annotations import UNLABELLED


class Confusion:
    """Counts labelled pixels by true class (rows) and predicted class (columns).

    Unlabelled pixels are ignored: a prediction that is right for all labelled pixels scores 1.
    """

    def __init__(self, n_classes: int) -> None:
        self.counts = np.zeros((n_classes, n_classes), np.int64)

    def add(self, predicted: torch.Tensor, labels: torch.Tensor) -> None:
        """Add a batch of predicted class indices (N, H, W) and labels (N, H, W), where 255 is unlabelled."""
        n = len(self.counts)
        keep = labels != UNLABELLED
        pairs = labels[keep].to(torch.int64) * n + predicted[keep].to(torch.int64)
        self.counts += torch.bincount(pairs, minlength=n * n).reshape(n, n).cpu().numpy()

    def iou(self) -> list[float | None]:
        """Return the intersection over union of each class; None for a class without labels."""
        hits = np.diag(self.counts)
        truth, predicted = self.counts.sum(1), self.counts.sum(0)
        union = truth + predicted - hits
        return [float(h / u) if t > 0 else None for h, u, t in zip(hits, union, truth, strict=True)]

    def mean_iou(self) -> float | None:
        """Return the mean IoU over the classes that have labels; None without labels."""
        present = [value for value in self.iou() if value is not None]
        return float(np.mean(present)) if present else None

    def accuracy(self) -> float | None:
        """Return the share of labelled pixels that are predicted correctly; None without labels."""
        total = int(self.counts.sum())
        return float(np.trace(self.counts) / total) if total else None
