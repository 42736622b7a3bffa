"""Train on the calling thread without writing files, for cross-validation and comparisons."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from histowidgets.training._events import EpochEnded, EpochRecord, Event
from histowidgets.training.data import WHOLE_PIXELS, TrainingRequest
from histowidgets.training.loop import RunControl, fitted_normalization, run_loop
from histowidgets.training.storage import BestWeights

Ask = Callable[[], bool]


@dataclass(frozen=True)
class InlineResult:
    """The result of a training.

    Attributes
    ----------
    history : list of EpochRecord
    kept : BestWeights or None
        The best weights and their scores.
    """

    history: list[EpochRecord]
    kept: BestWeights | None


class _CallbackControl(RunControl):
    """Calls a function before each batch, including preparation and validation, to check whether to stop."""

    def __init__(self, ask: Ask | None) -> None:
        super().__init__()
        self._ask = ask

    def should_stop(self, tell: Callable[[bool], None]) -> bool:
        if self._ask is not None and self._ask():
            self.stop("nothing")
        return super().should_stop(tell)


def run_inline(
    request: TrainingRequest, on_epoch: Callable[[EpochRecord], None] | None, should_stop: Ask | None
) -> InlineResult | None:
    """Train without writing files; return None if the training was stopped.

    Parameters
    ----------
    request : TrainingRequest
        What to train on and how.
    on_epoch : callable, optional
        Called with the record of each epoch.
    should_stop : callable, optional
        Called before each batch; if it returns True, the training stops.
    """
    control = _CallbackControl(should_stop)
    records: list[EpochRecord] = []

    def emit(event: Event) -> None:
        if isinstance(event, EpochEnded):
            records.append(event.record)
            if on_epoch is not None:
                on_epoch(event.record)

    run_loop(replace(request, folder=None), fitted_normalization(request), emit, control)
    return None if control.keep is not None else InlineResult(records, control.kept)


def can_measure(request: TrainingRequest) -> bool:
    """Return whether the held-out regions have labels; for large annotations only some pixels are checked."""
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
