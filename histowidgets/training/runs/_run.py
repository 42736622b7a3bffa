"""One training on a thread of its own, and how to start it."""

import atexit
import threading
import traceback
import weakref
from typing import Any

from histowidgets.annotations import Project, ProjectSnapshot, Split
from histowidgets.errors import HistowidgetsError, TrainingError
from histowidgets.images import Normalization
from histowidgets.prediction import Classifier, ClassifierSpec, NetworkModel, PixelModel
from histowidgets.training._events import EpochRecord, Event, Keep, RunEnded, RunFailed, State, StateChanged
from histowidgets.training.data import TrainingRequest, make_request
from histowidgets.training.estimation import check_budget
from histowidgets.training.loop import (
    fitted_normalization,
    keep_freed_memory,
    lower_thread_priority,
    make_control,
    run_loop,
)
from histowidgets.training.runs._base import RunFace
from histowidgets.training.runs._unfinished import find_unfinished, resume_training
from histowidgets.training.settings import TrainingSettings
from histowidgets.training.storage import BestWeights

_EXIT_SECONDS = 5.0
"""How long a closing kernel waits for its runs to end their step; a step takes well under a second."""

running_runs: "weakref.WeakSet[TrainingRun]" = weakref.WeakSet()

_KEEPS = ("best", "last", "nothing")


class TrainingRun(RunFace):
    """One training; made by `start_training`.

    Its thread is a daemon: closing the kernel does not wait for it, and with a project folder the best weights so
    far are on disk. See `RunFace` for the attributes.

    Attributes
    ----------
    split : Split
        What validation alone sees.
    """

    def __init__(self, request: TrainingRequest) -> None:
        super().__init__(request.run_id, request.settings)
        self.split: Split = request.split
        self._request = request
        self._control = make_control()
        self._normalization: Normalization | None = None
        self._made: tuple[BestWeights, Classifier] | None = None
        self._making = threading.Lock()
        self._thread = threading.Thread(target=self._work, name=f"histowidgets-training-{self.id}", daemon=True)

    @property
    def classifier(self) -> Classifier | None:
        """The best classifier so far; None before the first epoch ends, and after ``stop(keep="nothing")``.

        Its weights are its own: training on does not change it. Its history is that up to now; asking again costs
        nothing until there is another epoch, and next to nothing until there is a better one.
        """
        kept = self._control.kept
        if kept is None or self._normalization is None:
            return None
        with self._making:
            made, history = self._made, list(self.history)
            if made is None or made[0] is not kept:
                model: PixelModel = NetworkModel(kept.network, owned=True)
            elif len(made[1].history) == len(history):
                return made[1]
            else:
                model = made[1].model
            classifier = make_classifier(self._request, self._normalization, model, kept.scores(), history)
            self._made = (kept, classifier)
            return classifier

    @property
    def scores(self) -> dict[str, Any]:
        """The record of the epoch whose weights are kept; see `RunFace`."""
        kept = self._control.kept
        return {} if kept is None else kept.scores()

    def pause(self) -> None:
        """Hold the run within one batch; no effect when it is over."""
        self._control.pause()

    def resume(self) -> None:
        """Go on after `pause`."""
        self._control.resume()

    def stop(self, keep: Keep = "best") -> None:
        """End the run within one batch; no effect when it is over.

        Parameters
        ----------
        keep : {"best", "last", "nothing"}
            Which weights `classifier` has afterwards: those of the best epoch, those of this moment, or none.

        Raises
        ------
        TrainingError
            `keep` is none of the three.
        """
        if keep not in _KEEPS:
            raise TrainingError(f"keep is {keep!r}; use {', '.join(map(repr, _KEEPS))}.")

        def is_news() -> bool:
            if self.is_over:
                return False
            # Before anybody is told: who hears of it may wait for the end.
            self._control.stop(keep)
            return self.state != "stopping"

        self._emit(StateChanged("stopping"), when=is_news)

    def wait(self, timeout: float | None = None) -> State:
        """Block until the run is over, at most `timeout` seconds; return the state."""
        state = super().wait(timeout)
        if self.is_over and self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return state

    def start(self) -> None:
        """Start the thread; `start_training` does it."""
        running_runs.add(self)
        self._thread.start()

    def _work(self) -> None:
        """Prepare, loop, and tell how it ended: the body of the thread."""
        lower_thread_priority()
        state: State = "failed"
        try:
            self._tell(StateChanged("preparing"))
            for message in self._request.messages:
                self._tell(message)
            self._normalization = fitted_normalization(self._request)
            with keep_freed_memory():
                run_loop(self._request, self._normalization, self._tell, self._control)
            state = "finished" if self._control.keep is None else "stopped"
        except Exception as error:  # noqa: BLE001 - the boundary of the thread: whatever it is, the person hears of it
            self.error = error
            reason = str(error) if isinstance(error, HistowidgetsError) else f"{type(error).__name__}: {error}"
            self._tell(RunFailed(reason, traceback.format_exc()))
        kept = self._control.kept
        best = kept.record["epoch"] if kept is not None and kept.record is not None else None
        self._tell(StateChanged(state))
        self._tell(RunEnded(state, best))

    def _tell(self, event: Event) -> None:
        # Whoever pressed stop sees "stopping" until the end, also where the loop was about to say otherwise.
        early = isinstance(event, StateChanged) and event.state in _BEFORE_STOPPING
        self._emit(event, when=lambda: not (early and self.state == "stopping"))


_BEFORE_STOPPING = ("preparing", "running", "paused")


@atexit.register
def _stop_all() -> None:
    """End what still runs when the kernel closes: a thread cut off inside torch can crash the process."""
    runs = [run for run in list(running_runs) if not run.is_over]
    for run in runs:
        run._control.leaving = True
        run.stop("best")
    for run in runs:
        run.wait(_EXIT_SECONDS)


def make_classifier(
    request: TrainingRequest,
    normalization: Normalization,
    model: PixelModel,
    scores: dict[str, Any],
    history: list[EpochRecord],
) -> Classifier:
    """Make a classifier of a trained network, with all that is needed to use it elsewhere."""
    snapshot, settings, image = request.snapshot, request.settings, request.image()
    painted = {name: len(snapshot.annotations[name]) for name in snapshot.annotated_names()}
    return Classifier(
        ClassifierSpec(
            model,
            classes=list(snapshot.classes),
            colors=dict(snapshot.colors),
            channel_names=image.channel_names,
            normalization=normalization,
            pixel_size_um=image.pixel_size_um,
            downsample=settings.downsample,
            tile_size=settings.tile_size,
            settings=settings.model_dump(mode="json"),
            scores=scores,
            history=history,
            trained_on={
                "run": request.run_id,
                "annotations": painted,
                "held_out": {name: [list(region) for region in some] for name, some in request.split.held_out.items()},
            },
            name=request.run_id,
        )
    )


def start_training(
    project: Project | ProjectSnapshot,
    settings: TrainingSettings | None = None,
    *,
    continue_from: Classifier | None = None,
    split: Split | None = None,
    ignore_budget: bool = False,
) -> TrainingRun:
    """Train on a project's annotations, on a thread; return at once.

    Parameters
    ----------
    project : Project or ProjectSnapshot
        Is captured as it is now: painting on does not disturb the run. With a folder, the run is written to
        ``runs/<id>``.
    settings : TrainingSettings, optional
        The defaults if left out.
    continue_from : Classifier, optional
        Go on from its weights, where classes and network are the same; else a message says why not.
    split : Split, optional
        What validation alone may see; by default `split_project` decides.
    ignore_budget : bool
        Start also where the memory seems too little; see `estimate`.

    Returns
    -------
    TrainingRun

    Raises
    ------
    TrainingDataError
        There is too little to learn from.
    SettingsError, BackboneError
        A setting does not fit the project, or nobody knows the backbone.
    BudgetError
        The memory, of this computer, of its container or of its GPU, is too little; names settings that would fit.
    """
    request = make_request(project, settings if settings is not None else TrainingSettings(), continue_from, split)
    if not ignore_budget:
        check_budget(request)
    run = TrainingRun(request)
    run.start()
    return run


def train(
    project: Project | ProjectSnapshot,
    settings: TrainingSettings | None = None,
    *,
    continue_from: Classifier | None = None,
    split: Split | None = None,
    ignore_budget: bool = False,
    resume: bool = False,
) -> TrainingRun:
    """Train and wait; Ctrl+C stops and keeps the best weights. Arguments and errors as `start_training`.

    With ``resume=True`` the last run of the project's folder goes on, if its kernel was killed; else a new one starts.
    See `resume_training`: with other settings than that run's, or other annotations, a new run trains on from its
    best weights. `continue_from` and `split` are then not looked at.

    Raises
    ------
    TrainingError
        The run broke off, besides what `start_training` raises; the cause is chained.
    """
    broken = find_unfinished(project) if resume and isinstance(project, Project) else None
    if broken is not None:
        run = resume_training(broken.folder, project, settings)
    else:
        run = start_training(project, settings, continue_from=continue_from, split=split, ignore_budget=ignore_budget)
    try:
        run.wait()
    except KeyboardInterrupt:
        run.stop(keep="best")
        run.wait()
    if run.error is not None:
        if isinstance(run.error, HistowidgetsError):
            raise run.error
        raise TrainingError(f"The training broke off: {run.error}") from run.error
    return run
