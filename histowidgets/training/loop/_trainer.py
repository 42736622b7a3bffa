"""The training loop, independent of threads, widgets and projects."""

import copy
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial

import torch

from histowidgets.errors import TrainingError
from histowidgets.images import Normalization
from histowidgets.models import using_optimizers
from histowidgets.training._events import BatchEnded, EpochEnded, EpochRecord, Message, RunStarted, State, StateChanged
from histowidgets.training.checkpoint import Checkpoint
from histowidgets.training.data import Batch, TrainingRequest
from histowidgets.training.loop._control import RunControl
from histowidgets.training.loop._distributed import ProcessGroup
from histowidgets.training.loop._loss import TEACH_FROM_STEP, consistency_loss, pseudo_labels
from histowidgets.training.loop._lr_finder import try_rates
from histowidgets.training.loop._metrics import Confusion
from histowidgets.training.loop._micro_batches import MicroBatches, is_out_of_memory
from histowidgets.training.loop._model_selection import ModelSelection
from histowidgets.training.loop._scheduler import progressive_tile_size
from histowidgets.training.loop._setup import CONTINUE_LR_SHARE, Emit, prepare
from histowidgets.training.loop._state import TrainerState, load_state, state_dict
from histowidgets.training.storage import BestWeights, RunWriter


class _Stopped(Exception):
    """The run was stopped; used to leave nested loops."""


@using_optimizers()
def run_loop(request: TrainingRequest, normalization: Normalization, emit: Emit, control: RunControl) -> None:
    """Train until the epochs or the time limit are reached, validation stops improving, or `control` stops the run.

    Parameters
    ----------
    request : TrainingRequest
        What to train on and how.
    normalization : Normalization
        Fitted; see `fitted_normalization`.
    emit : callable
        Called with each event, on this thread.
    control : RunControl
        Obeyed within one batch; receives the weights to keep.

    Raises
    ------
    TrainingError
        The loss became NaN or infinite.
    """
    try:
        trainer = make_trainer(request, normalization, emit, control)
    except _Stopped:
        return
    trainer.run()


def make_trainer(request: TrainingRequest, normalization: Normalization, emit: Emit, control: RunControl) -> "Trainer":
    """Set up a trainer and the writer of its run's folder; arguments as for `run_loop`."""
    group = ProcessGroup.current()
    state = prepare(request, normalization, emit, group, partial(_check, control, emit, "preparing"))
    writer = RunWriter(request, normalization, state.network, asdict(state.compute.compute_format), emit, group.size)
    return Trainer(request, state, writer, emit, control, group)


def _check(control: RunControl, emit: Emit, state: State = "running") -> None:
    """Wait while the run is paused, and raise if it is stopped; `state` is its state otherwise."""
    if control.should_stop(lambda paused: emit(StateChanged("paused" if paused else state))):
        raise _Stopped


class Trainer:
    """Trains a network; `run` trains all epochs, but `take_step` and `validate` can also be called separately.

    Parameters
    ----------
    request : TrainingRequest
        What to train on and how.
    state : TrainerState
        Network, optimizer, tiles and so on; see `prepare`.
    writer : RunWriter
        Writes the run's folder.
    emit : callable
        Called with each event.
    control : RunControl
        Obeyed within one batch; receives the weights to keep.
    group : ProcessGroup
        The processes that train together.
    """

    def __init__(
        self,
        request: TrainingRequest,
        state: TrainerState,
        writer: RunWriter,
        emit: Emit,
        control: RunControl,
        group: ProcessGroup,
    ) -> None:
        settings = request.settings
        self.settings = settings
        self.classes = request.snapshot.classes
        self.request, self.state, self.writer, self.emit, self.control = request, state, writer, emit, control
        self.group = group
        self.selection = ModelSelection.of(settings)
        self.history: list[EpochRecord] = []
        self.best: EpochRecord | None = None
        self.confusion: list[list[int]] | None = None
        self.step = 0
        self.micro_batches = MicroBatches(
            settings.batch_size,
            tile_size=settings.tile_size,
            accumulation=settings.accumulation,
            min_tiles=settings.min_batch_size,
            emit=emit,
        )
        if request.resumed is not None:
            self._load(request.resumed)

    def run(self) -> None:
        """Train all epochs."""
        settings, state, control = self.settings, self.state, self.control
        self.emit(
            RunStarted(
                self.request.run_id,
                self.request.sampling.n_tiles,
                state.validation.n_tiles,
                state.steps_per_epoch,
                settings.epochs,
                state.network.spec.backbone,
                str(state.compute.compute_format),
                self._class_labels(),
                settings,
            )
        )
        self.emit(StateChanged("running"))
        try:
            if self.request.resumed is not None:
                self._repeat_epochs()
            elif settings.find_learning_rate:
                self._find_learning_rate()
            # The time limit applies to the training itself, not to its preparation.
            control.start_clock(0.0 if self.request.resumed is None else self.request.resumed.plain["seconds"])
            # Checked before each epoch rather than after, since a resumed run may have been complete already.
            while len(self.history) < settings.epochs and not self._is_done():
                epoch = len(self.history) + 1
                train_loss, train_scores = self._train(epoch)
                val_loss, val_scores = self.validate()
                self._end_epoch(epoch, train_loss, train_scores, val_loss, val_scores)
        except _Stopped:
            self._keep_on_stop()
        finally:
            state.tiles.close()
        if not control.leaving:
            self.writer.close(self.history, control.kept, self.step, control.keep)

    def _is_done(self) -> bool:
        """Return whether to end the run: another epoch is useless, or there is no time for it."""
        if self.history and self._time_is_up():
            return True
        if not self.selection.should_stop(self.history):
            return False
        self.emit(
            Message("info", f"Stopped early: no better epoch in the last {self.settings.early_stopping_patience}.")
        )
        return True

    def _load(self, checkpoint: Checkpoint) -> None:
        """Restore the state at which the run was interrupted."""
        plain = checkpoint.plain
        better = load_state(checkpoint, self.state)
        self.state = replace(self.state, max_lrs=tuple(plain["peaks"]))
        self.step, self.history, self.best = plain["step"], list(plain["history"]), plain["best"]
        self.confusion, self.micro_batches.count = plain["confusion"], plain["pieces"]
        if self.best is not None:
            network = self._snapshot(None).network if better is None else better
            self.control.kept = BestWeights(network, self.best, plain["best_confusion"])

    def _repeat_epochs(self) -> None:
        """Emit the epochs from before the interruption, for subscribers that draw the curves."""
        best: EpochRecord | None = None
        kept = self.control.kept
        for number, record in enumerate(self.history):
            better = self.selection.is_better(record, best, self.history[:number])
            best = record if better else best
            confusion = kept.confusion if kept is not None and record == kept.record else None
            if number == len(self.history) - 1:
                confusion = self.confusion
            self.emit(EpochEnded(record, better, confusion))

    def _find_learning_rate(self) -> None:
        """Scale the highest learning rates to the result of the range test, keeping the ratio of the groups.

        A run that continues from a classifier uses the same share of it as of the rate in the settings.
        """
        chosen, set_to = self.state.max_lrs[0], self.settings.learning_rate
        self.emit(Message("info", "Trying learning rates before the first epoch."))
        try:
            found = try_rates(self.state, self.settings, self.group, self._check).suggested
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            self.emit(Message("warning", f"Memory ran out while trying learning rates, so {chosen:g} is used."))
            return
        if found is None:
            self.emit(Message("warning", f"No learning rate made the loss fall clearly, so {chosen:g} is used."))
            return
        self.state = replace(self.state, max_lrs=tuple(max_lr * found / set_to for max_lr in self.state.max_lrs))
        used = "which is used"
        if self.request.start is not None:
            share = f"{CONTINUE_LR_SHARE:.0%}"
            used = f"of which {share} is used, since training continues from a classifier: {self.state.max_lrs[0]:.2g}"
        self.emit(Message("info", f"The loss falls fastest at a learning rate of {found:.2g}, {used}."))

    def _train(self, epoch: int) -> tuple[float, Confusion]:
        """Take the steps of one epoch; return the mean loss, and the scores on the drawn tiles."""
        state, total, taken = self.state, 0.0, 0
        scores = Confusion(len(self.classes))
        state.network.train()
        for step in range(1, state.steps_per_epoch + 1):
            self._check()
            share = state.scheduler.share(self._progress())
            for parameters, max_lr in zip(state.optimizer.param_groups, state.max_lrs, strict=True):
                parameters["lr"] = max_lr * share
            loss = self.take_step(scores)
            if not math.isfinite(loss):
                # Emitted as an epoch too, so that the curves show where training failed.
                self._end_broken_epoch(epoch, loss)
                raise TrainingError(
                    f"The loss became {loss} in epoch {epoch}, step {step}. Lower the learning rate "
                    f"(it is {self.settings.learning_rate:g}), or set precision to 'fp32'."
                )
            total, taken = total + loss, taken + 1
            self.step += 1
            self.emit(BatchEnded(epoch, step, state.steps_per_epoch, loss, state.max_lrs[0] * share, self._left()))
            if self._time_is_up():
                break
        self.group.sum_in_place(scores.counts)
        return total / taken, scores

    def take_step(self, scores: Confusion) -> float:
        """Take one optimizer step; with accumulation, the batches of the step count as one large batch."""
        state, settings = self.state, self.settings
        size = settings.tile_size
        if settings.progressive_resizing:
            size = progressive_tile_size(size, self._progress())
        batches = [state.tiles.draw(size) for _ in range(settings.accumulation)]
        value, seen = self.micro_batches.until_it_fits(partial(self._gradient, batches))
        scores.counts += seen.counts
        state.compute.step(state.optimizer, settings.gradient_clip)
        state.averaged.update()
        return value

    def _gradient(self, batches: Sequence[Batch]) -> tuple[float, Confusion]:
        """Compute the gradient of a step; return its loss, and the scores on its tiles."""
        state, seen = self.state, Confusion(len(self.classes))
        batches = [part for batch in batches for part in self.micro_batches.split(batch)]
        weights = [state.loss.weight(batch.labels) for batch in batches]
        # The mean over all labelled pixels, since in a mean of means batches with few labels would count too much.
        (total,) = self.group.sums(sum(weights))
        state.optimizer.zero_grad(set_to_none=True)
        value = 0.0
        for number, (batch, weight) in enumerate(zip(batches, weights, strict=True)):
            if number:
                self._check()
            share = 1.0 if weight == total else weight / total
            with self.group.no_sync(state.ddp_model, last=number == len(batches) - 1):
                value += self._learn_from(batch, share, len(batches), seen)
        return self.group.sums(value)[0], seen

    def _learn_from(self, batch: Batch, share: float, of: int, scores: Confusion) -> float:
        """Add the gradient of one of the `of` batches of a step, weighted by `share`; return its part of the loss."""
        state, compute, settings = self.state, self.state.compute, self.settings
        pixels, labels = compute.move(batch.pixels, batch.labels)
        with compute.own_random():
            logits = compute.logits(state.ddp_model, pixels)
            loss = state.loss(logits, labels) * share
            if settings.consistency > 0 and self.step >= TEACH_FROM_STEP:
                weight = settings.consistency / (of * self.group.size)
                loss = loss + weight * consistency_loss(logits, self._pseudo_labels(batch, labels))
            # Gradients are averaged over the processes, but we need their sum.
            compute.backward(loss * self.group.size)
        scores.add(logits.detach().argmax(1), labels)
        return float(loss.detach())

    @torch.no_grad()
    def _pseudo_labels(self, batch: Batch, labels: torch.Tensor) -> torch.Tensor:
        """Make pseudo-labels with the averaged weights, which see the tile without colour augmentation."""
        compute = self.state.compute
        plain, _ = compute.move(batch.plain, batch.labels)
        return pseudo_labels(compute.logits(self.state.averaged.network, plain), labels)

    @torch.no_grad()
    def validate(self) -> tuple[float | None, Confusion]:
        """Score the averaged weights on the held-out tiles; the loss is the mean over labelled pixels."""
        scores = Confusion(len(self.classes))
        total, pixels_seen = 0.0, 0.0
        for batch in self.group.share_of(self.state.validation.batches):
            self._check()
            if batch is None:
                continue
            loss, n_labelled, seen = self.micro_batches.until_it_fits(partial(self._measured, batch))
            total += loss
            pixels_seen += n_labelled
            scores.counts += seen.counts
        total, pixels_seen = self.group.sums(total, pixels_seen)
        self.group.sum_in_place(scores.counts)
        return (total / pixels_seen if pixels_seen else None), scores

    def _measured(self, batch: Batch) -> tuple[float, int, Confusion]:
        """Return the loss summed over a batch's labelled pixels, their number, and the scores."""
        state, compute = self.state, self.state.compute
        seen, total, pixels_seen = Confusion(len(self.classes)), 0.0, 0
        for part in self.micro_batches.split(batch):
            pixels, labels = compute.move(part.pixels, part.labels)
            logits = compute.logits(state.averaged.network, pixels)
            n_labelled = int((part.labels < len(self.classes)).sum())
            total += float(state.loss(logits, labels, every_pixel=True)) * n_labelled
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
            learning_rate=self.state.optimizer.param_groups[0]["lr"],
            seconds=self.control.seconds(),
            steps=self.state.steps_per_epoch,
        )
        self.state.scheduler.epoch_ended(self.selection.score(record))
        self.confusion = val.counts.tolist() if val.counts.any() else None
        self.history.append(record)
        best = self.selection.is_better(record, self.best, self.history)
        if best:
            self.best = record
            # Kept before emitting the event, so that subscribers find the weights.
            self.control.kept = self._snapshot(record, self.confusion)
            self.writer.write_best(self.control.kept)
        self.writer.write_history(self.history)
        self.writer.write_resume(self._checkpoint)
        self.emit(EpochEnded(record, best, self.confusion))

    def _class_labels(self) -> dict[str, tuple[int, int]] | None:
        """Count the labels of each class: annotations in training, pixels in validation."""
        held_out = self.state.validation.counts.tolist()
        if not any(held_out):
            return None
        seen = Counter(samples.class_index for samples in self.request.sampling.samples)
        return {name: (seen[k], held_out[k]) for k, name in enumerate(self.classes)}

    def _end_broken_epoch(self, epoch: int, loss: float) -> None:
        """Record an epoch without scores, whose loss is NaN or infinite."""
        record = EpochRecord(
            epoch=epoch,
            train_loss=loss,
            val_loss=None,
            train_miou=None,
            val_miou=None,
            val_iou=dict.fromkeys(self.classes),
            val_accuracy=None,
            learning_rate=self.state.optimizer.param_groups[0]["lr"],
            seconds=self.control.seconds(),
            steps=self.state.steps_per_epoch,
        )
        self.history.append(record)
        self.writer.write_history(self.history)
        self.emit(EpochEnded(record, False))

    def _keep_on_stop(self) -> None:
        """Keep the weights as requested by `stop`."""
        control = self.control
        if control.keep == "nothing":
            control.kept = None
        elif control.keep == "last":
            control.kept = self._snapshot(self.history[-1] if self.history else None, self.confusion)
        elif control.kept is None and self.step:
            control.kept = self._snapshot(None)
            self.emit(Message("info", "Stopped before the first epoch ended: the kept weights have not been scored."))

    def _snapshot(self, record: EpochRecord | None, confusion: list[list[int]] | None = None) -> BestWeights:
        return BestWeights(copy.deepcopy(self.state.averaged.network).to("cpu"), record, confusion)

    def _checkpoint(self) -> Checkpoint:
        """Return the state to resume from, in case the kernel is killed."""
        kept = self.control.kept
        is_older = kept is not None and self.best is not self.history[-1]
        about = {
            "step": self.step,
            "pieces": self.micro_batches.count,
            "history": self.history,
            "best": self.best,
            "confusion": self.confusion,
            "best_confusion": None if kept is None else kept.confusion,
            "seconds": self.control.seconds(),
        }
        return state_dict(self.state, kept.network if kept is not None and is_older else None, about)

    def _check(self) -> None:
        end = self.request.end
        if end is not None and end.keep is not None and (self.step, len(self.history)) >= (end.steps, end.epochs):
            self.control.stop(end.keep)
        _check(self.control, self.emit)

    def _progress(self) -> float:
        """Return the progress of the run, 0 to 1, by steps or by time, whichever is greater."""
        by_steps = self.step / (self.settings.epochs * self.state.steps_per_epoch)
        limit = self.settings.max_seconds
        return min(1.0, max(by_steps, self.control.seconds() / limit if limit else 0.0))

    def _left(self) -> float:
        """Estimate the remaining seconds from the speed so far and the time limit."""
        seconds = self.control.seconds()
        steps_left = self.settings.epochs * self.state.steps_per_epoch - self.step
        left = seconds / self.step * steps_left
        limit = self.settings.max_seconds
        return max(0.0, left if limit is None else min(left, limit - seconds))

    def _time_is_up(self) -> bool:
        end = self.request.end
        if end is not None and end.keep is None and self.step >= end.steps:
            return True
        limit = self.settings.max_seconds
        return limit is not None and self.control.seconds() >= limit
