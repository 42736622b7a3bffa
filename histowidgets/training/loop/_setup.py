"""From a request to everything a loop turns: network, optimizer, tiles, loss, schedule."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from histowidgets.images import Normalization
from histowidgets.models import Network, apply_freeze, build_network, find_backbone
from histowidgets.training._events import Event, Message
from histowidgets.training._limits import CONTINUE_LR_SHARE, MIN_STEPS_AN_EPOCH
from histowidgets.training.data import (
    TilesAhead,
    TrainingRequest,
    TrainingTiles,
    ValidationTiles,
    cut_validation_tiles,
    normalization_of,
)
from histowidgets.training.loop._autotune import find_arithmetic
from histowidgets.training.loop._compute import Arithmetic, Choice, choices
from histowidgets.training.loop._distributed import Together
from histowidgets.training.loop._ema import AveragedWeights
from histowidgets.training.loop._loss import Loss
from histowidgets.training.loop._scheduler import Schedule
from histowidgets.training.settings import TrainingSettings

Emit = Callable[[Event], None]


@dataclass(frozen=True)
class Parts:
    """What a loop turns; see the modules of the types."""

    network: Network
    learner: torch.nn.Module
    averaged: AveragedWeights
    optimizer: torch.optim.Optimizer
    peaks: tuple[float, ...]
    schedule: Schedule
    loss: Loss
    tiles: TilesAhead
    validation: ValidationTiles
    arithmetic: Arithmetic
    normalization: Normalization
    steps_per_epoch: int


def fitted_normalization(request: TrainingRequest) -> Normalization:
    """Return the run's normalization: that of the classifier it goes on from, else fitted to the training images."""
    if request.start is not None:
        return request.start.normalization
    return normalization_of(request.settings).fitted(request.train_images())


def prepare(
    request: TrainingRequest, normalization: Normalization, emit: Emit, check: Callable[[], None] = lambda: None
) -> Parts:
    """Build everything a loop turns, saying what a person should know about it; `check` may raise to end that."""
    settings = request.settings
    check()
    network = _network(request, emit)
    apply_freeze(network, settings.freeze, settings.adapt_norm)
    network.train()
    validation = cut_validation_tiles(request.snapshot, request.split, normalization, settings, check)
    steps = request.steps_per_epoch()
    _tell(request, validation, steps, emit)
    together = Together()
    together.check(settings)
    share = (together.rank, together.size)
    tiles = TilesAhead(
        TrainingTiles(request.placement, request.snapshot, normalization, settings, share), settings.accumulation
    )
    check()
    arithmetic = _arithmetic(request, network, tiles, steps, emit, check)
    arithmetic.place(network)
    optimizer, peaks = make_optimizer(network, settings, going_on=request.start is not None)
    return Parts(
        network=network,
        learner=together.wrapped(network),
        averaged=AveragedWeights(network, settings.ema_decay),
        optimizer=optimizer,
        peaks=peaks,
        schedule=Schedule(settings),
        loss=Loss(settings, request.snapshot.classes, arithmetic.device),
        tiles=tiles,
        validation=validation,
        arithmetic=arithmetic,
        normalization=normalization,
        steps_per_epoch=steps,
    )


def make_optimizer(
    network: Network, settings: TrainingSettings, going_on: bool = False
) -> tuple[torch.optim.Optimizer, tuple[float, ...]]:
    """Return AdamW over what is not frozen, and the highest learning rate of each of its groups.

    The encoder has a group of its own, at ``encoder_lr_ratio`` of the rate when it starts from learned weights
    (rows N1 and B13).
    """
    encoder = [p for p in network.encoder.parameters() if p.requires_grad]
    inside = {id(p) for p in encoder}
    rest = [p for p in network.parameters() if p.requires_grad and id(p) not in inside]
    rate = settings.learning_rate * (CONTINUE_LR_SHARE if going_on else 1.0)
    learned = going_on or network.weights_used != "random"
    groups = [(rest, rate), (encoder, rate * (settings.encoder_lr_ratio if learned else 1.0))]
    groups = [(members, peak) for members, peak in groups if members]
    # On a processor the fused form is the quickest; elsewhere torch knows best.
    on_cpu = all(p.device.type == "cpu" for members, _ in groups for p in members)
    optimizer = torch.optim.AdamW(
        [{"params": members, "lr": peak} for members, peak in groups],
        weight_decay=settings.weight_decay,
        fused=True if on_cpu else None,
    )
    return optimizer, tuple(peak for _, peak in groups)


def _network(request: TrainingRequest, emit: Emit) -> Network:
    settings = request.settings
    if request.start is None:
        return build_network(
            request.spec(),
            pretrained=settings.pretrained,
            report=lambda text: emit(Message("warning", text)),
            seed=settings.seed,
        )
    network = build_network(request.start.spec, pretrained=False, seed=settings.seed)
    network.load_state_dict({name: torch.from_numpy(np.array(v)) for name, v in request.start.tensors.items()})
    network.weights_used = request.start.weights_used
    if request.resumed is None:
        emit(Message("info", "Training goes on from the classifier, at a lower learning rate."))
    return network


def _arithmetic(
    request: TrainingRequest,
    network: Network,
    tiles: TilesAhead,
    steps: int,
    emit: Emit,
    check: Callable[[], None],
) -> Arithmetic:
    """Choose how to compute: as before in a run that goes on, as set, or else what is quickest here."""
    settings = request.settings
    if request.resumed is not None:
        return Arithmetic(settings, Choice(**request.resumed.part("arithmetic")["choice"]))
    n_classes, n_batches = len(request.snapshot.classes), settings.epochs * steps * settings.accumulation
    # The processes of one training would not ask the same number of times.
    ask = check if Together().size == 1 else lambda: None
    found = find_arithmetic(settings, network, tiles.sample, n_classes, n_batches, ask)
    if found is not None:
        emit(Message("info", str(found)))
    own = Arithmetic(settings, None if found is None else found.choice)
    offered = choices(settings, own.device)
    (agreed,) = Together().agreed(offered.index(own.choice))
    return Arithmetic(settings, offered[int(agreed)])


def _tell(request: TrainingRequest, validation: ValidationTiles, steps: int, emit: Emit) -> None:
    """Say what is missing or odd about the data (rows N10 and B12)."""
    settings = request.settings
    n_tiles = request.placement.n_tiles

    def warn(text: str) -> None:
        emit(Message("warning", text))

    if settings.freeze != "encoder" and find_backbone(settings.backbone).foundation:
        warn(
            f"{settings.backbone} is a foundation encoder, and freeze is {settings.freeze!r}: few labels spoil what it "
            "has learned, and it is slow to train. Set freeze to 'encoder'."
        )
    # What only one side of the split has is said by the split itself.
    painted = {a.class_name for some in request.snapshot.annotations.values() for a in some}
    for name in request.snapshot.classes:
        if name not in painted:
            warn(f"{name} has no labels: it cannot be learned. Paint some of it.")
    if validation.n_left_out:
        warn(f"Validation measures on {validation.n_tiles} tiles; {validation.n_left_out} more had no room in memory.")
    in_a_step = settings.batch_size * settings.accumulation
    if in_a_step > n_tiles:
        what = "A batch has" if settings.accumulation == 1 else f"The {settings.accumulation} batches of a step have"
        warn(f"{what} {in_a_step} tiles, but the labels fill only {n_tiles}: tiles repeat, varied.")
    if steps < MIN_STEPS_AN_EPOCH:
        warn("An epoch is a single step. Set steps_per_epoch to 10 or more, or paint more, for steadier curves.")
