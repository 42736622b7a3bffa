"""Show the best available prediction: of the quick learner, of the network, or of both."""

import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from histowidgets.advice import held_out_counts
from histowidgets.annotations import Project, Split
from histowidgets.errors import HistowidgetsError, TrainingDataError
from histowidgets.images import Region, at_pixel_size
from histowidgets.prediction import Classifier, Prediction, PredictionResults, ViewPredictor
from histowidgets.widgets.common import LatestWorker
from histowidgets.widgets.live_prediction._answer import (
    EIGHT_VIEWS,
    ON_DISK,
    SHIFTED_PIXELS,
    LearnerAnswer,
    PredictionRequest,
    RangeNotice,
    range_warning_text,
)
from histowidgets.widgets.live_prediction._quick_ensemble import USUALLY_BETTER, QuickEnsemble, score_bonus
from histowidgets.widgets.live_prediction._scoring import QuickScorer, held_out_scores

#: In images above this many pixels, only the region in view is predicted live, or the middle of a larger region.
WHOLE_IMAGE_PIXELS = 4_000_000
#: Seconds without a new answer before it is measured how much the one that is shown changes when the image is moved.
SHIFT_REST = 4.0


class LivePrediction:
    """Runs the workers of the live prediction, and chooses between their answers.

    The quick learner answers each edit; a newer edit replaces one in progress. When no edits come, the quick learner
    is scored by leaving out each stroke in turn. The network answers after each better epoch and, at intervals, joined
    with the quick learner. From the first run on, all answers are scored on the strokes that the run holds out, and
    the best one is shown. Without such scores, the joined answer is shown once a run has kept an epoch.

    Parameters
    ----------
    project
        The project that is annotated.
    view
        Returns the name of the image shown and the region in view.
    show
        Called on a worker's thread with the prediction (or None) and its caption.
    report
        Called on a worker's thread with a message and its level when an answer failed.
    log
        Called on a worker's thread with the traceback of each unexpected error.
    """

    def __init__(
        self,
        project: Project,
        view: Callable[[], tuple[str, Region]],
        show: Callable[[PredictionResults | None, str], None],
        report: Callable[[str, str], None],
        log: Callable[[str], None],
    ) -> None:
        self._project, self._view, self._show, self._report, self._log = project, view, show, report, log
        self._lock = threading.RLock()
        self._showing = threading.RLock()  # ensures that the last choice is shown last, whichever worker is slower
        self._answers: dict[str, LearnerAnswer] = {}
        self._on_disk: dict[str, LearnerAnswer] = {}  # image name to the prediction saved to disk
        self._range_notice = RangeNotice(report)
        self._split: Split | None = None
        self._scored_on: Mapping[str, int] = {}
        self._channels: tuple[str, ...] | None = None
        self._pixel_size_um: float | None = None
        self.wanted = "best"
        self.quick = LatestWorker("quick-learner", self._fit_quick, self._deliver_quick)
        self.network = LatestWorker("network-overlay", self._predict_network, self._deliver_network)
        self.score = QuickScorer(self._refine_quick, self._quick_scored, log)
        self.shifts = LatestWorker("shift-sensitivity", self._measure_shifts, self._deliver_shifts, rest=SHIFT_REST)
        self.view = LatestWorker("view-overlay", self._predict_view, self._deliver_view)
        self._ensemble = QuickEnsemble()
        #: A network, and the temperature of its mean with the quick learner, which is formed again after each stroke.
        self._joint_temperature: tuple[Classifier, float] | None = None
        #: Networks that were replaced by the same with a temperature, which requests of before still name.
        self._scaled_versions: list[tuple[Classifier, Classifier]] = []
        self._scalings = 0  # so that an answer that was begun before the last scaling is recognized
        self._scalings_at_start = 0
        self._predictors: dict[str, ViewPredictor] = {}  # for large images, whose tiles are kept for the next pan

    # -- for the studio ---------------------------------------------------------------

    def refresh(self) -> None:
        """Fit the quick learner to the current annotations; returns at once.

        Before the first stroke, this loads the learner's libraries and computes the features of the image.
        """
        request = self._request()
        self.quick.request(request)
        self.score.request(request)

    def edited(self) -> None:
        """Respond to a change of the annotations; a prediction on disk is no longer shown."""
        if self.wanted == ON_DISK:
            self.wanted = "best"
            self._choose()
        self.refresh()
        self._join_again()

    def _join_again(self) -> None:
        """Join the network with a quick learner fitted to the new strokes; the network stays until the next run."""
        with self._lock:
            network = self._answers.get("network") if "both" in self._answers else None
        if network is not None and network.final:
            scores = {"val_miou": network.score}
            self._offer(network.classifier, network.learner, scores=scores, joined=True, final=True)

    def show_prediction_on_disk(self, image_name: str, answer: LearnerAnswer) -> None:
        """Show a prediction from disk until the annotations change or another learner is chosen."""
        with self._lock:
            self._on_disk[image_name] = answer
        self.wanted = ON_DISK
        self._choose()

    @property
    def has_prediction_on_disk(self) -> bool:
        """Whether there is a prediction on disk of the image shown or of a part of it."""
        with self._lock:
            return self._view()[0] in self._on_disk

    def score_on(self, split: Split | None) -> None:
        """Score the quick learner on the held-out strokes of a split from now on."""
        with self._lock:
            self._split = split
            self._scored_on = {} if split is None else held_out_counts(self._project.snapshot(), split)
        self.refresh()

    def use_channels(self, channels: Sequence[str] | None, pixel_size_um: float | None = None) -> None:
        """Let the quick learner use these channels and this pixel size from now on, as the next run will.

        None stands for all channels, or for the usual pixel size of the images.
        """
        wanted = None if channels is None else tuple(channels)
        if (wanted, pixel_size_um) != (self._channels, self._pixel_size_um):
            self._channels, self._pixel_size_um = wanted, pixel_size_um
            self.refresh()

    def offer_network(
        self,
        classifier: Classifier,
        learner: str,
        scores: Mapping[str, Any],
        final: bool = True,
        alone: bool = False,
    ) -> None:
        """Predict with a network, and show its answer if that is the best.

        `scores` has ``val_miou`` and ``val_iou`` as in an `EpochRecord`; it is empty if nothing is held out. The
        network is joined with the quick learner unless `alone`. If the weights are `final`, a small image is predicted
        again with test-time augmentation.
        """
        self._offer(classifier, learner, scores=scores, final=final, alone=alone)

    def _offer(self, classifier: Classifier, learner: str, **more: Any) -> None:
        request = replace(self._request(), classifier=classifier, learner=learner, scored_on=self._scored_on, **more)
        self.network.request(request)

    def forget_network(self) -> None:
        """Use only the quick learner, as when a run is discarded."""
        with self._lock:
            self._answers.pop("network", None)
            self._answers.pop("both", None)
        self._choose()

    def image_changed(self) -> None:
        """Predict the image shown with the current classifiers."""
        with self._lock:
            network, quick, _ = (self._answers.pop(name, None) for name in ("network", "quick", "both"))
        self._choose()
        if quick is not None or network is None:
            self.refresh()
        if network is not None:
            scores = {"val_miou": network.score, "val_iou": network.class_scores}
            self.offer_network(network.classifier, network.learner, scores, network.final, network.alone)

    def view_changed(self) -> None:
        """Predict newly visible parts of a large image; returns at once."""
        best = self.best
        if best is None or best.prediction.pyramid:
            return
        request = self._request()
        if request.region is None or best.prediction.region.contains(request.region):
            return
        with self._lock:
            learner = next((name for name, answer in self._answers.items() if answer is best), "network")
        self.view.request(replace(request, classifier=best.classifier, learner=learner))

    def show_learner(self, wanted: str) -> None:
        """Show the "best" answer, always that of "both", "quick" or "network", or the prediction "on-disk"."""
        before, self.wanted = self.wanted, wanted
        self._choose()
        if before == ON_DISK:  # the view may have moved since the last prediction of the learners
            self.view_changed()

    def use_scaled(
        self, classifier: Classifier, scaled: Classifier, ratio: float, should_stop: Callable[[], bool]
    ) -> bool:
        """Show a classifier whose probabilities were scaled, instead of the same one without that; predicts here.

        Parameters
        ----------
        classifier, scaled
            The classifier of an answer, and that with a temperature.
        ratio
            The temperature of `scaled`, relative to that of `classifier`.
        should_stop
            Called now and then; if it returns True, the prediction is cancelled.

        Returns
        -------
        bool
            Whether it is shown; False if the classifier has been replaced by a newer one.

        Raises
        ------
        PredictionCancelled
            If `should_stop` returned True; nothing changes then.
        """
        with self._lock:
            learner = self._learner_of(classifier)
            answer = None if learner is None else self._answers[learner]
        if learner is None or answer is None:
            return False
        request = replace(self._request(), tta=answer.scope == EIGHT_VIEWS)
        if request.image_name != answer.prediction.image_name:
            return False
        prediction = self._predict(learner, scaled, request, should_stop)
        with self._lock:
            if self._learner_of(classifier) != learner:
                return False
            network = self._answers.get("network")
            if learner == "both" and network is not None:
                self._joint_temperature = network.classifier, ratio
            self._answers[learner] = replace(self._answers[learner], classifier=scaled, prediction=prediction)
            self._scaled_versions = [*self._scaled_versions[-3:], (classifier, scaled)]  # more are not in use
            self._scalings += 1
        self._choose()
        return True

    def take_back(self, classifier: Classifier, scaled: Classifier) -> bool:
        """Show a classifier without the temperature that `use_scaled` gave it; return whether that was still in use."""
        with self._lock:
            learner, network, joint = self._learner_of(scaled), self._answers.get("network"), self._joint_temperature
            self._joint_temperature = None
            self._scaled_versions = [pair for pair in self._scaled_versions if pair[1] is not scaled]
            self._scalings += 1
        if joint is not None and network is not None and joint[0] is network.classifier:
            self._offer(
                network.classifier, network.learner, scores={"val_miou": network.score}, joined=True, final=True
            )
            return True
        if learner is None:
            return False
        answer = self._answers[learner]
        scores = {"val_miou": answer.score, "val_iou": answer.class_scores}
        self.offer_network(classifier, answer.learner, scores, answer.final, answer.alone)
        return True

    def _learner_of(self, classifier: Classifier) -> str | None:
        """Return the learner whose answer is by a classifier; None if there is none."""
        return next((name for name, answer in self._answers.items() if answer.classifier is classifier), None)

    def answer_of(self, learner: str) -> LearnerAnswer | None:
        """Return the last answer of "both", "quick" or "network", if any."""
        return self._answers.get(learner)

    @property
    def best(self) -> LearnerAnswer | None:
        """The answer that is shown, the best one unless another was chosen; None if there is none yet."""
        with self._lock:
            both = self._answers.get("both")
            trained = [self._answers[name] for name in ("both", "network") if name in self._answers]
            quick, chosen = self._answers.get("quick"), self._answers.get(self.wanted)
            if self.wanted == ON_DISK:
                chosen = self._on_disk.get(self._view()[0])
        if chosen is not None or not trained:
            return chosen or quick
        best = max(trained, key=lambda answer: answer.rank)
        # A score "in turn" is of other strokes and not comparable.
        if quick is None or quick.score is None or quick.held_out_in_turn or best.score is None:
            return best
        # The network must beat the quick answer; the joined answer, usually the better one, must not be clearly worse.
        needed = quick.score - USUALLY_BETTER if best is both else quick.score
        return best if best.score > needed else quick

    @property
    def choice_text(self) -> str:
        """Why the quick prediction is shown although a network was trained, as a sentence; "" otherwise."""
        with self._lock:
            network, quick = self._answers.get("network"), self._answers.get("quick")
        if network is None or quick is None or self.best is not quick or self.wanted != "best":
            return ""
        return "The quick prediction scores better than the network, so it stays."

    def close(self) -> None:
        """End the workers."""
        for worker in (self.quick, self.score, self.network, self.shifts, self.view):
            worker.close()

    # -- on the workers' threads ----------------------------------------------------------------

    def _request(self) -> PredictionRequest:
        name, in_view = self._view()
        snapshot = self._project.snapshot()
        if name not in snapshot.images:  # the image was just removed; another one is about to be shown
            name, in_view = next((other, image.region) for other, image in snapshot.images.items())
        image = snapshot.images[name]
        whole = image.width * image.height <= WHOLE_IMAGE_PIXELS
        region = None if whole else _middle(in_view)
        return PredictionRequest(snapshot, name, region, self._split, self._channels, self._pixel_size_um)

    def _predict(
        self, learner: str, classifier: Classifier, request: PredictionRequest, is_stale: Callable[[], bool]
    ) -> Prediction:
        """Predict all of a small image, or the requested region of a large one."""
        image, region = request.snapshot.images[request.image_name], request.region
        seen = at_pixel_size(image, classifier.pixel_size_um)
        most = WHOLE_IMAGE_PIXELS * min(1.0, image.region.area / seen.region.area)
        if (region is None and image.region.area > most) or (region is not None and region.area > most):
            region = _middle(region or image.region, most)  # it is enlarged to the classifier's pixel size
        if region is None:
            # A given region suppresses the Python warning: the studio shows the warning itself.
            return classifier.predict(image, image.region, tta=request.tta, should_stop=is_stale)
        with self._lock:
            predictor = self._predictors.get(learner)
            if predictor is None or predictor.spec is not classifier.spec:
                predictor = self._predictors[learner] = ViewPredictor(classifier.spec)
        return predictor.predict(image, region, is_stale)

    def _fit_quick(self, request: PredictionRequest, is_stale: Callable[[], bool]) -> LearnerAnswer | None:
        # Imported on the worker's thread, since loading torch must not keep the page waiting.
        from histowidgets.training import quick_classifier, warm_quick

        if not any(request.snapshot.annotations.values()):
            warm_quick(request.snapshot, request.image_name, request.channels, request.pixel_size_um)
        scores: Mapping[str, Any] = {}
        classifier = quick_classifier(
            request.snapshot, channels=request.channels, pixel_size_um=request.pixel_size_um, announce=False
        )
        if is_stale():
            return None
        prediction = self._predict("quick", classifier, request, is_stale)
        if request.split is not None and not is_stale():
            scores = held_out_scores(request)
        strokes = {} if request.split is None else held_out_counts(request.snapshot, request.split)
        return LearnerAnswer.of(classifier, prediction, "quick", scores, strokes)

    def _predict_network(self, request: PredictionRequest, is_stale: Callable[[], bool]) -> LearnerAnswer | None:
        classifier, learner, scores, bonus = request.classifier, request.learner, request.scores, 0.0
        if classifier is None:
            raise ValueError("the request has no classifier of a network")
        with self._lock:
            self._scalings_at_start = self._scalings
            for before, scaled in self._scaled_versions:
                classifier = scaled if classifier is before and not request.joined else classifier
        if request.joined:
            both = self._ensemble.join(request)
            if both is None:
                return None
            bonus, scores = score_bonus(request, both), both.scores
            classifier, learner = self._scaled_like_before(both, classifier), f"{learner} + quick"
        prediction = self._predict(request.answers_as, classifier, request, is_stale)
        answer = LearnerAnswer.of(classifier, prediction, learner, scores, request.scored_on)
        scope = EIGHT_VIEWS if request.tta else ""
        return replace(answer, final=request.final, alone=request.alone, scope=scope, score_bonus=bonus)

    def _scaled_like_before(self, both: Classifier, network: Classifier) -> Classifier:
        """Return the mean of a network and the quick learner with the temperature that it was calibrated to, if any."""
        with self._lock:
            joint = self._joint_temperature
        if joint is None or joint[0] is not network:
            return both
        temperature = joint[1] * float(both.scores.get("temperature", 1.0))
        model = both.spec.model.with_temperature(joint[1])
        return Classifier(replace(both.spec, model=model, scores={**both.scores, "temperature": temperature}))

    def _predict_view(self, request: PredictionRequest, is_stale: Callable[[], bool]) -> Prediction:
        if request.classifier is None:
            raise ValueError("the request has no classifier to predict the view with")
        return self._predict(request.learner, request.classifier, request, is_stale)

    def _deliver_view(
        self, request: PredictionRequest, prediction: Prediction | None, error: BaseException | None
    ) -> None:
        if prediction is None or request.image_name != self._view()[0]:
            self._deliver("view", request, None, error)
            return
        with self._lock:
            for learner, answer in self._answers.items():
                # A newer classifier's answer is for the view at the time of its request.
                if answer.classifier is request.classifier:
                    self._answers[learner] = replace(answer, prediction=prediction)
        self._choose()
        self.view_changed()

    def _deliver_quick(
        self, payload: PredictionRequest, answer: LearnerAnswer | None, error: BaseException | None
    ) -> None:
        if isinstance(error, TrainingDataError):
            # Fewer than two classes are painted (the studio shows a hint), so an old answer would be wrong.
            with self._lock:
                self._answers.pop("quick", None)
            self._choose()
            return
        if answer is not None and payload.split is None:
            answer = self.score.put_on(answer)
        self._deliver("quick", payload, answer, error)
        if answer is not None:  # requested with each edit too, which ends the work on an earlier request
            self.score.request(payload)

    def _refine_quick(self, request: PredictionRequest, is_stale: Callable[[], bool]) -> None:
        """Predict a small image again with test-time augmentation, if the quick answer is shown."""
        with self._lock:
            quick = self._answers.get("quick")
        if quick is None or quick.scope or quick.prediction.image_name != request.image_name:
            return
        if self.best is not quick or not request.is_small:
            return
        image = request.snapshot.images[request.image_name]
        prediction = quick.classifier.predict(image, image.region, tta=True, should_stop=is_stale)
        with self._lock:
            present = self._answers.get("quick")
            if present is None or present.classifier is not quick.classifier:
                return
            self._answers["quick"] = replace(present, prediction=prediction, scope=EIGHT_VIEWS)
        self._choose()

    def _quick_scored(self) -> None:
        with self._lock:
            quick = self._answers.get("quick")
            if quick is not None and self._split is None:
                self._answers["quick"] = self.score.put_on(quick)
        self._choose()

    def _deliver_network(
        self, payload: PredictionRequest, answer: LearnerAnswer | None, error: BaseException | None
    ) -> None:
        if answer is not None and self._scalings_at_start != self._scalings:  # calibrated, or taken back, meanwhile
            self.network.request_more(payload)
            return
        if answer is None and error is None:  # the learners cannot be joined, so their earlier joint answer is outdated
            with self._lock:
                self._answers.pop("both", None)
            self._choose()
        self._deliver(payload.answers_as, payload, answer, error)
        more = self._more(payload) if error is None else None
        if more is not None:
            self.network.request_more(more)

    def _more(self, done: PredictionRequest) -> PredictionRequest | None:
        """Return the follow-up request for the network that just answered, or None."""
        if self._ensemble.is_due(done):
            return replace(done, joined=True)
        if not done.final or done.tta or not done.is_small:
            return None
        with self._lock:
            both = self._answers.get("both")
        return replace(done, tta=True, joined=both is not None and self.best is both)

    def _deliver(
        self, learner: str, request: PredictionRequest, answer: LearnerAnswer | None, error: BaseException | None
    ) -> None:
        if error is not None:
            known = isinstance(error, HistowidgetsError)
            self._report(str(error) if known else f"No prediction: {type(error).__name__}: {error}", "error")
            if not known:
                self._log("".join(traceback.format_exception(error)))
            return
        if answer is None or request.image_name != self._view()[0]:
            return
        with self._lock:
            self._answers[learner] = answer
        self._choose()
        self.view_changed()  # the view may have moved in the meantime
        self._compare(learner, answer, request)

    def _compare(self, learner: str, answer: LearnerAnswer, request: PredictionRequest) -> None:
        """Add a warning to the answer if the image is unlike the classifier's training images."""
        warning = range_warning_text(answer.classifier, request.snapshot.images[request.image_name])
        with self._lock:
            present = self._answers.get(learner)
            if present is not None and present.classifier is answer.classifier:
                self._answers[learner] = replace(present, warning=warning)
        if warning:
            self._choose()
        else:
            self._range_notice.check(self.best)

    def _choose(self) -> None:
        with self._showing:
            best = self.best
            if best is None:
                self._show(None, "")
            else:
                self._show(best.prediction, f"Prediction: {best.caption}{self._hint(best)}")
        self._range_notice.check(best)
        if best is not None and best.changed_by_shifts is None:
            self.shifts.request(best)

    def _measure_shifts(self, answer: LearnerAnswer, is_stale: Callable[[], bool]) -> float | None:
        """Measure how much an answer changes when the image is moved."""
        from histowidgets.prediction import shift_sensitivity

        image = self._project.snapshot().images.get(answer.prediction.image_name)
        if image is None or answer.prediction.pyramid or is_stale():
            return None  # the options of a prediction on disk are not known here
        return shift_sensitivity(
            answer.classifier, image, max_pixels=SHIFTED_PIXELS, should_stop=is_stale, **answer.options
        ).changed

    def _deliver_shifts(self, measured: LearnerAnswer, changed: float | None, error: BaseException | None) -> None:
        if error is not None:
            self._log("".join(traceback.format_exception(error)))
        if changed is None:
            return
        with self._lock:
            for learner, answer in self._answers.items():
                if answer.classifier is measured.classifier and answer.scope == measured.scope:
                    self._answers[learner] = replace(answer, changed_by_shifts=changed)
        self._choose()

    def _hint(self, best: LearnerAnswer) -> str:
        """Return a hint if the view is too large to be predicted live, so that only its middle is."""
        _, in_view = self._view()
        if in_view is None or in_view.area <= WHOLE_IMAGE_PIXELS or best.prediction.pyramid:
            return ""
        return " · middle of the view only"


def _middle(region: Region, most: float = WHOLE_IMAGE_PIXELS) -> Region:
    """Return the middle part of a region that is predicted live."""
    if region.area <= most:
        return region
    share = (most / region.area) ** 0.5
    width, height = int(region.width * share), int(region.height * share)
    return Region(region.x + (region.width - width) // 2, region.y + (region.height - height) // 2, width, height)
