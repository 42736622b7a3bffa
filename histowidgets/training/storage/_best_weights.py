"""The weights that a run keeps, with the scores of their epoch."""

from dataclasses import dataclass
from typing import Any

from histowidgets.models import Network
from histowidgets.training._events import EpochRecord


@dataclass(frozen=True)
class BestWeights:
    """Weights that outlive the trainer.

    Attributes
    ----------
    network : Network
        A copy on the CPU, in evaluation mode.
    record : EpochRecord or None
        Their epoch; None for weights that were kept before an epoch had ended.
    confusion : list of list of int, or None
        Labelled pixels of validation, a row for each true class; None without validation labels.
    """

    network: Network
    record: EpochRecord | None
    confusion: list[list[int]] | None = None

    def scores(self) -> dict[str, Any]:
        """Return the record with the confusion matrix; empty if nothing was measured."""
        return {} if self.record is None else {**self.record, "confusion": self.confusion}
