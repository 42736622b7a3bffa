"""One training on the thread that asks for it, for those that make many and look at their scores."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from histowidgets.training._events import EpochEnded, EpochRecord, Event
from histowidgets.training.data import WHOLE_PIXELS, TrainingRequest
from histowidgets.training.loop import ProcessGroup, RunControl, fitted_normalization, run_loop
from histowidgets.training.storage import BestWeights

Ask = Callable[[], bool]


@dataclass(frozen=True)
class Trained:
    """How a training went.

    Attributes
    ----------
    history : list of EpochRecord
        Its epochs.
    kept : BestWeights or None
        Its best weights and their scores.
    """

    history: list[EpochRecord]
    kept: BestWeights | None


class _Asking(RunControl):
    """Stops when asked whether to; the loop looks before each batch, also of preparing and of validation."""

    def __init__(self, ask: Ask | None) -> None:
        super().__init__(ProcessGroup.current())
        self._ask = ask

    def should_stop(self, tell: Callable[[bool], None]) -> bool:
        if self._ask is not None and self._ask():
            self.stop("nothing")
        return super().should_stop(tell)


def train_here(
    request: TrainingRequest, heard: Callable[[EpochRecord], None] | None, should_stop: Ask | None
) -> Trained | None:
    """Train, writing nothing; None if it was stopped.

    Parameters
    ----------
    request : TrainingRequest
        What to train on and how.
    heard : callable, optional
        Is told each epoch.
    should_stop : callable, optional
        Is asked before each batch; True ends the training there.
    """
    control = _Asking(should_stop)
    records: list[EpochRecord] = []

    def hear(event: Event) -> None:
        if isinstance(event, EpochEnded):
            records.append(event.record)
            if heard is not None:
                heard(event.record)

    run_loop(replace(request, folder=None), fitted_normalization(request), hear, control)
    return None if control.keep is not None else Trained(records, control.kept)


def can_measure(request: TrainingRequest) -> bool:
    """Say whether there are labels in what is held out; of large annotations it looks at some pixels only."""
    snapshot = request.snapshot
    for name, regions in request.split.held_out.items():
        for region in regions:
            for annotation in snapshot.near(name, region):
                box = annotation.shape.region().intersect(region)
                if box is None or annotation.class_name is None:
                    continue
                step = float(request.settings.downsample)
                while box.area / step**2 > WHOLE_PIXELS:
                    step *= 2
                if (snapshot.labels(name, box, step) < len(snapshot.classes)).any():
                    return True
    return False
