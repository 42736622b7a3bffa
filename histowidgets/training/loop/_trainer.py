"""The training loop, in plain sight. It knows no thread, no widget and no project."""

import copy
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import torch

from histowidgets.errors import TrainingError
from histowidgets.images import Normalization
from histowidgets.training._events import BatchEnded, EpochEnded, EpochRecord, Message, RunStarted, State, StateChanged
from histowidgets.training._limits import CONTINUE_LR_SHARE, TEACH_FROM_STEP
from histowidgets.training.checkpoint import Checkpoint, capture, put_back
from histowidgets.training.data import Batch, TrainingRequest
from histowidgets.training.loop._control import Kept, RunControl
from histowidgets.training.loop._distributed import Together
from histowidgets.training.loop._loss import sure_labels, teaching_loss
from histowidgets.training.loop._lr_finder import try_rates
from histowidgets.training.loop._metrics import Confusion
from histowidgets.training.loop._micro_batches import Pieces, is_out_of_memory
from histowidgets.training.loop._model_selection import is_better, score, should_stop_early
from histowidgets.training.loop._scheduler import tile_size_at
from histowidgets.training.loop._setup import Emit, prepare
from histowidgets.training.storage import RunFolder


class _Stopped(Exception):
    """Somebody stopped the run: no error, but the way out of nested loops."""


def run_loop(request: TrainingRequest, normalization: Normalization, emit: Emit, control: RunControl) -> None:
    """Train until the epochs or the time are used up, validation stops improving, or `control` says stop.

    Parameters
    ----------
    request : TrainingRequest
        What to train on and how.
    normalization : Normalization
        Fitted; see `fitted_normalization`.
    emit : callable
        Is given each event, on this thread.
    control : RunControl
        Obeyed within one batch; takes the weights that are kept.

    Raises
    ------
    TrainingError
        The loss became NaN or infinite.
    """
    try:
        loop = Loop(request, normalization, emit, control)
    except _Stopped:
        return
    loop.run()


class Loop:
    """What turns; `run_loop` runs it, and others may take single steps of it."""

    def __init__(self, request: TrainingRequest, normalization: Normalization, emit: Emit, control: RunControl) -> None:
        self.settings = request.settings
        self.classes = request.snapshot.classes
        self.request, self.emit, self.control = request, emit, control
        self.history: list[EpochRecord] = []
        self.best: EpochRecord | None = None
        self.confusion: list[list[int]] | None = None
        self.step = 0
        self.together = Together()
        self.pieces = Pieces(self.settings, emit)
        self.parts = prepare(request, normalization, emit, partial(self._check, "preparing"))
        self.folder = RunFolder(request, normalization, self.parts.network, self.parts.arithmetic.choice, emit)
        if request.resumed is not None:
            self._put_back(request.resumed)

    def run(self) -> None:
        """Go through the epochs."""
        settings, parts, control = self.settings, self.parts, self.control
        self.emit(
            RunStarted(
                self.request.run_id,
                self.request.placement.n_tiles,
                parts.validation.n_tiles,
                parts.steps_per_epoch,
                settings.epochs,
                parts.network.spec.backbone,
                str(parts.arithmetic.choice),
                self._class_labels(),
                settings,
            )
        )
        self.emit(StateChanged("running"))
        try:
            if self.request.resumed is not None:
                self._tell_again()
            elif settings.find_learning_rate:
                self._find_rate()
            # The time limit is for training itself.
            control.start_clock(0.0 if self.request.resumed is None else self.request.resumed.plain["seconds"])
            # Looked at before an epoch, not after one: a run may have broken off when all was done.
            while len(self.history) < settings.epochs and not self._is_done():
                epoch = len(self.history) + 1
                train_loss, train_scores = self._train(epoch)
                val_loss, val_scores = self.validate()
                self._end_epoch(epoch, train_loss, train_scores, val_loss, val_scores)
        except _Stopped:
            self._keep_on_stop()
        finally:
            parts.tiles.close()
        if not control.leaving:
            self.folder.close(self.history, control.kept)

    def _is_done(self) -> bool:
        """Say whether there is no use in, or no time for, another epoch."""
        if self.history and self._time_is_up():
            return True
        if not should_stop_early(self.history, self.settings):
            return False
        self.emit(Message("info", f"Stopped early: no better epoch in {self.settings.early_stopping_patience}."))
        return True

    def _put_back(self, checkpoint: Checkpoint) -> None:
        """Bring all to where the run broke off."""
        plain = checkpoint.plain
        better = put_back(checkpoint, self.parts)
        self.parts = replace(self.parts, peaks=tuple(plain["peaks"]))
        self.step, self.history, self.best = plain["step"], list(plain["history"]), plain["best"]
        self.confusion, self.pieces.count = plain["confusion"], plain["pieces"]
        if self.best is not None:
            network = self._snapshot(None).network if better is None else better
            self.control.kept = Kept(network, self.best, plain["best_confusion"])

    def _tell_again(self) -> None:
        """Tell the epochs from before the run broke off, for those who draw its curve."""
        best: EpochRecord | None = None
        kept = self.control.kept
        for number, record in enumerate(self.history):
            better = is_better(record, best, self.settings, self.history[:number])
            best = record if better else best
            confusion = kept.confusion if kept is not None and record == kept.record else None
            if number == len(self.history) - 1:
                confusion = self.confusion
            self.emit(EpochEnded(record, better, confusion))

    def _find_rate(self) -> None:
        """Scale the highest learning rates to what the range test suggests; the groups keep their ratio.

        A run that goes on from a classifier takes its share of that, as it takes of the rate that is set.
        """
        chosen, set_to = self.parts.peaks[0], self.settings.learning_rate
        self.emit(Message("info", "Learning rates are being tried, before the first epoch."))
        try:
            found = try_rates(self.parts, self.settings, self._check).suggested
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            self.emit(Message("warning", f"Memory ran out while rates were tried; {chosen:g} is used."))
            return
        if found is None:
            self.emit(Message("warning", f"No learning rate made the loss fall clearly; {chosen:g} is used."))
            return
        self.parts = replace(self.parts, peaks=tuple(peak * found / set_to for peak in self.parts.peaks))
        used = "which is used"
        if self.request.start is not None:
            used = f"of which {CONTINUE_LR_SHARE:.0%} is used, since training goes on: {self.parts.peaks[0]:.2g}"
        self.emit(Message("info", f"The loss falls fastest at a learning rate of {found:.2g}, {used}."))

    def _train(self, epoch: int) -> tuple[float, Confusion]:
        """Take the steps of one epoch; return the mean loss and the scores on the tiles as they were drawn."""
        parts, total, taken = self.parts, 0.0, 0
        scores = Confusion(len(self.classes))
        parts.network.train()
        for step in range(1, parts.steps_per_epoch + 1):
            self._check()
            share = parts.schedule.share(self._progress())
            for group, peak in zip(parts.optimizer.param_groups, parts.peaks, strict=True):
                group["lr"] = peak * share
            loss = self.take_step(scores)
            if not math.isfinite(loss):
                # Told as an epoch too, so that who reads the curves sees where they broke off.
                self._tell_broken(epoch, loss)
                raise TrainingError(
                    f"The loss became {loss} in epoch {epoch}, step {step}. Lower the learning rate "
                    f"(it is {self.settings.learning_rate:g}), or set precision to 'fp32'."
                )
            total, taken = total + loss, taken + 1
            self.step += 1
            self.emit(BatchEnded(epoch, step, parts.steps_per_epoch, loss, parts.peaks[0] * share, self._left()))
            if self._time_is_up():
                break
        self.together.add_up(scores.counts)
        return total / taken, scores

    def take_step(self, scores: Confusion) -> float:
        """Learn from one step's batches: with accumulation, as from one batch of all their tiles (row N2)."""
        parts, settings = self.parts, self.settings
        size = tile_size_at(settings, self._progress())
        batches = [parts.tiles.draw(size) for _ in range(settings.accumulation)]
        value, seen = self.pieces.until_it_fits(partial(self._gradient, batches))
        scores.counts += seen.counts
        parts.arithmetic.step(parts.optimizer, settings.gradient_clip)
        parts.averaged.update()
        return value

    def _gradient(self, batches: Sequence[Batch]) -> tuple[float, Confusion]:
        """Compute the gradient of a step, from nothing; return its loss, and the scores on its tiles."""
        parts, seen = self.parts, Confusion(len(self.classes))
        batches = [piece for batch in batches for piece in self.pieces.of(batch)]
        weights = [parts.loss.weight(batch.labels) for batch in batches]
        # The mean over all labelled pixels, not the mean of means: batches with few labels would count too much.
        (total,) = self.together.sums(sum(weights))
        parts.optimizer.zero_grad(set_to_none=True)
        value = 0.0
        for number, (batch, weight) in enumerate(zip(batches, weights, strict=True)):
            if number:
                self._check()
            share = 1.0 if weight == total else weight / total
            with self.together.apart(parts.learner, last=number == len(batches) - 1):
                value += self._learn_from(batch, share, len(batches), seen)
        return self.together.sums(value)[0], seen

    def _learn_from(self, batch: Batch, share: float, of: int, scores: Confusion) -> float:
        """Add the gradient of one batch `of` so many, with its share in the step; return its part of the loss."""
        parts, arithmetic, settings = self.parts, self.parts.arithmetic, self.settings
        pixels, labels = arithmetic.move(batch.pixels, batch.labels)
        with arithmetic.own_random():
            with arithmetic.cast():
                logits = parts.learner(pixels)
            logits = logits.float()
            loss = parts.loss(logits, labels) * share
            if settings.consistency > 0 and self.step >= TEACH_FROM_STEP:
                weight = settings.consistency / (of * self.together.size)
                loss = loss + weight * teaching_loss(logits, self._taught(batch, labels))
            # Gradients are averaged over the processes, and are to be their sum.
            arithmetic.backward(loss * self.together.size)
        scores.add(logits.detach().argmax(1), labels)
        return float(loss.detach())

    @torch.no_grad()
    def _taught(self, batch: Batch, labels: torch.Tensor) -> torch.Tensor:
        """Ask the averaged weights about the unlabelled pixels, in their unvaried colours."""
        arithmetic = self.parts.arithmetic
        plain, _ = arithmetic.move(batch.plain, batch.labels)
        with arithmetic.cast():
            logits = self.parts.averaged.network(plain)
        return sure_labels(logits.float(), labels)

    @torch.no_grad()
    def validate(self) -> tuple[float | None, Confusion]:
        """Measure the averaged weights on the held-out tiles; the loss is the mean over labelled pixels."""
        scores = Confusion(len(self.classes))
        total, pixels_seen = 0.0, 0.0
        for batch in self.together.mine(self.parts.validation.batches):
            self._check()
            if batch is None:
                continue
            loss, n_labelled, seen = self.pieces.until_it_fits(partial(self._measured, batch))
            total += loss
            pixels_seen += n_labelled
            scores.counts += seen.counts
        total, pixels_seen = self.together.sums(total, pixels_seen)
        self.together.add_up(scores.counts)
        return (total / pixels_seen if pixels_seen else None), scores

    def _measured(self, batch: Batch) -> tuple[float, int, Confusion]:
        """Return the sum of the loss over a batch's labelled pixels, their number, and the scores."""
        parts, arithmetic = self.parts, self.parts.arithmetic
        seen, total, pixels_seen = Confusion(len(self.classes)), 0.0, 0
        for piece in self.pieces.of(batch):
            pixels, labels = arithmetic.move(piece.pixels, piece.labels)
            with arithmetic.cast():
                logits = parts.averaged.network(pixels)
            logits = logits.float()
            n_labelled = int((piece.labels < len(self.classes)).sum())
            total += float(parts.loss(logits, labels, every_pixel=True)) * n_labelled
            pixels_seen += n_labelled
            seen.add(logits.argmax(1), labels)
        return total, pixels_seen, seen

    def _end_epoch(
        self, epoch: int, train_loss: float, train: Confusion, val_loss: float | None, val: Confusion
    ) -> None:
        record = EpochRecord(
            epoch=epoch,
            train_loss=train_loss,
            val_loss=val_loss,
            train_miou=train.mean_iou(),
            val_miou=val.mean_iou(),
            val_iou=dict(zip(self.classes, val.iou(), strict=True)),
            val_accuracy=val.accuracy(),
            learning_rate=self.parts.optimizer.param_groups[0]["lr"],
            seconds=self.control.seconds(),
            steps=self.parts.steps_per_epoch,
        )
        self.parts.schedule.epoch_ended(score(record, self.settings))
        self.confusion = val.counts.tolist() if val.counts.any() else None
        self.history.append(record)
        best = is_better(record, self.best, self.settings, self.history)
        if best:
            self.best = record
            # Kept before it is told, so that who hears of the epoch finds its weights.
            self.control.kept = self._snapshot(record, self.confusion)
            self.folder.write_best(self.control.kept)
        self.folder.write_history(self.history)
        self.folder.write_resume(self._state)
        self.emit(EpochEnded(record, best, self.confusion))

    def _class_labels(self) -> dict[str, tuple[int, int]] | None:
        """Count what each class has on either side: annotations in training, pixels in validation."""
        held_out = self.parts.validation.counts.tolist()
        if not any(held_out):
            return None
        seen = Counter(anchors.class_index for anchors in self.request.placement.anchors)
        return {name: (seen[k], held_out[k]) for k, name in enumerate(self.classes)}

    def _tell_broken(self, epoch: int, loss: float) -> None:
        """Put an epoch into the history that has no score, only a loss that is no number."""
        record = EpochRecord(
            epoch=epoch,
            train_loss=loss,
            val_loss=None,
            train_miou=None,
            val_miou=None,
            val_iou=dict.fromkeys(self.classes),
            val_accuracy=None,
            learning_rate=self.parts.optimizer.param_groups[0]["lr"],
            seconds=self.control.seconds(),
            steps=self.parts.steps_per_epoch,
        )
        self.history.append(record)
        self.folder.write_history(self.history)
        self.emit(EpochEnded(record, False))

    def _keep_on_stop(self) -> None:
        """Do with the weights what the one who stopped the run asked for."""
        control = self.control
        if control.keep == "nothing":
            control.kept = None
        elif control.keep == "last":
            control.kept = self._snapshot(self.history[-1] if self.history else None, self.confusion)
        elif control.kept is None and self.step:
            control.kept = self._snapshot(None)
            self.emit(Message("info", "Stopped before the first epoch ended: the weights kept were not measured."))

    def _snapshot(self, record: EpochRecord | None, confusion: list[list[int]] | None = None) -> Kept:
        return Kept(copy.deepcopy(self.parts.averaged.network).to("cpu"), record, confusion)

    def _state(self) -> Checkpoint:
        """Note where the run stands, for a kernel that is killed."""
        kept = self.control.kept
        apart = kept is not None and self.best is not self.history[-1]
        about = {
            "step": self.step,
            "pieces": self.pieces.count,
            "history": self.history,
            "best": self.best,
            "confusion": self.confusion,
            "best_confusion": None if kept is None else kept.confusion,
            "seconds": self.control.seconds(),
        }
        return capture(self.parts, kept.network if kept is not None and apart else None, about)

    def _check(self, state: State = "running") -> None:
        """Hold while the run is paused, and leave when it is stopped; `state` is what it is in otherwise."""
        if self.control.should_stop(lambda paused: self.emit(StateChanged("paused" if paused else state))):
            raise _Stopped

    def _progress(self) -> float:
        """How far the run has come, 0 to 1: by steps or by time, whichever is further."""
        by_steps = self.step / (self.settings.epochs * self.parts.steps_per_epoch)
        limit = self.settings.max_seconds
        return min(1.0, max(by_steps, self.control.seconds() / limit if limit else 0.0))

    def _left(self) -> float:
        """Estimate the seconds left, from the speed so far and the time limit."""
        seconds = self.control.seconds()
        steps_left = self.settings.epochs * self.parts.steps_per_epoch - self.step
        left = seconds / self.step * steps_left
        limit = self.settings.max_seconds
        return max(0.0, left if limit is None else min(left, limit - seconds))

    def _time_is_up(self) -> bool:
        limit = self.settings.max_seconds
        return limit is not None and self.control.seconds() >= limit
