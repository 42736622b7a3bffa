"""The weights that a run keeps, with the scores of their epoch."""

from dataclasses import dataclass
from typing import Any

from histowidgets.models import Network
from histowidgets.training._events import EpochRecord


@dataclass(frozen=True)
class BestWeights:
    """Weights that remain after the trainer has ended.

    Attributes
    ----------
    network : Network
        A copy on the CPU, in evaluation mode.
    record : EpochRecord or None
        Record of their epoch; None for weights that were kept before the first epoch ended.
    confusion : list of list of int, or None
        Numbers of labelled validation pixels, with a row for each true class; None without validation labels.
    """

    network: Network
    record: EpochRecord | None
    confusion: list[list[int]] | None = None

    def scores(self) -> dict[str, Any]:
        """Return the record with the confusion matrix; empty without a record."""
        return {} if self.record is None else {**self.record, "confusion": self.confusion}
