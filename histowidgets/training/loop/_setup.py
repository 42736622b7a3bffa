"""Set up the parts of a trainer: network, optimizer, tiles, loss, scheduler."""

from collections.abc import Callable

import numpy as np
import torch

from histowidgets.images import Normalization
from histowidgets.models import ComputeFormat, Network, apply_freeze, build_network, find_backbone
from histowidgets.training._events import Event, Message
from histowidgets.training.data import (
    Augmentation,
    TilePrefetcher,
    TrainingRequest,
    TrainingTiles,
    ValidationTiles,
    cut_validation_tiles,
    labels_without_data,
    normalization_of,
)
from histowidgets.training.loop._autotune import find_compute_format
from histowidgets.training.loop._compute import ComputeContext, choose_device, compute_formats
from histowidgets.training.loop._distributed import ProcessGroup
from histowidgets.training.loop._ema import AveragedWeights
from histowidgets.training.loop._loss import Loss
from histowidgets.training.loop._scheduler import Scheduler
from histowidgets.training.loop._state import TrainerState
from histowidgets.training.settings import TrainingSettings

Emit = Callable[[Event], None]

#: Highest learning rate when training continues from a classifier, as a share of the setting: at the full rate, the
#: first steps would undo what was learned.
CONTINUE_LR_SHARE = 0.3

#: Number of steps in an epoch below which a message says that its scores mean little.
MIN_STEPS_PER_EPOCH = 2


def fitted_normalization(request: TrainingRequest) -> Normalization:
    """Return the run's normalization: from the classifier to continue from, or fitted to the training images."""
    if request.start is not None:
        return request.start.normalization
    return normalization_of(request.settings).fitted(request.train_images())


def prepare(
    request: TrainingRequest,
    normalization: Normalization,
    emit: Emit,
    group: ProcessGroup,
    check: Callable[[], None] = lambda: None,
) -> TrainerState:
    """Build the parts of a trainer, and emit messages about them; `check` may raise to stop."""
    settings, snapshot = request.settings, request.snapshot
    check()
    network = _network(request, emit)
    apply_freeze(network, settings.freeze, settings.adapt_norm)
    network.train()
    validation = cut_validation_tiles(
        request.working.snapshot,
        request.working.validation_split(request.split),
        normalization,
        tile_size=settings.tile_size,
        downsample=settings.downsample,
        batch_size=settings.batch_size,
        check=check,
    )
    steps = request.steps_per_epoch()
    _warn(request, validation, steps, emit)
    group.check_batch_size(settings.batch_size)
    tiles = TrainingTiles(
        request.sampling,
        request.working.snapshot,
        normalization,
        tile_size=settings.tile_size,
        downsample=settings.downsample,
        batch_size=settings.batch_size,
        augmentation=Augmentation.of(settings),
        seed=settings.seed,
        share=(group.rank, group.size),
    )
    check()
    device = choose_device(settings.device)
    loss = Loss(
        settings.loss,
        [settings.class_weights.get(name, 1.0) for name in snapshot.classes],
        device,
        focal_gamma=settings.focal_gamma,
        hardest_share=settings.hardest_share,
    )
    compute_format = _compute_format(request, network, device, loss, tiles, steps, emit, group, check)
    compute = ComputeContext(device, compute_format, settings.seed)
    compute.place(network)
    optimizer, max_lrs = make_optimizer(network, settings, continued=request.start is not None)
    return TrainerState(
        network=network,
        ddp_model=group.wrap(network),
        averaged=AveragedWeights(network, settings.ema_decay),
        optimizer=optimizer,
        max_lrs=max_lrs,
        scheduler=Scheduler(settings.scheduler),
        loss=loss,
        tiles=TilePrefetcher(tiles, settings.accumulation),
        validation=validation,
        compute=compute,
        normalization=normalization,
        steps_per_epoch=steps,
    )


def make_optimizer(
    network: Network, settings: TrainingSettings, continued: bool = False
) -> tuple[torch.optim.Optimizer, tuple[float, ...]]:
    """Return AdamW for the parameters that are not frozen, and the highest learning rate of each of its groups.

    The encoder has its own group, with ``encoder_lr_ratio`` times the rate if it starts from trained weights.
    `continued` means that training continues from a classifier or an interrupted run.
    """
    encoder = [p for p in network.encoder.parameters() if p.requires_grad]
    inside = {id(p) for p in encoder}
    rest = [p for p in network.parameters() if p.requires_grad and id(p) not in inside]
    rate = settings.learning_rate * (CONTINUE_LR_SHARE if continued else 1.0)
    learned = continued or network.weights_used != "random"
    groups = [(rest, rate), (encoder, rate * (settings.encoder_lr_ratio if learned else 1.0))]
    groups = [(members, max_lr) for members, max_lr in groups if members]
    # On a CPU the fused version is fastest; elsewhere torch chooses well.
    on_cpu = all(p.device.type == "cpu" for members, _ in groups for p in members)
    optimizer = torch.optim.AdamW(
        [{"params": members, "lr": max_lr} for members, max_lr in groups],
        weight_decay=settings.weight_decay,
        fused=True if on_cpu else None,
    )
    return optimizer, tuple(max_lr for _, max_lr in groups)


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
        emit(Message("info", "Training continues from the classifier, at a lower learning rate."))
    return network


def _compute_format(
    request: TrainingRequest,
    network: Network,
    device: torch.device,
    loss: Loss,
    tiles: TrainingTiles,
    steps: int,
    emit: Emit,
    group: ProcessGroup,
    check: Callable[[], None],
) -> ComputeFormat:
    """Choose the compute format: unchanged in a resumed run, from the settings, or else the fastest."""
    settings = request.settings
    if request.resumed is not None:
        return ComputeFormat(**request.resumed.part("arithmetic")["choice"])
    offered = compute_formats(settings.precision, settings.memory_format, device)
    found = find_compute_format(
        network,
        offered,
        device,
        loss,
        tiles.sample,
        batch_shape=(settings.batch_size, settings.tile_size),
        steps=settings.epochs * steps * settings.accumulation,
        max_seconds=settings.max_seconds,
        # Not with several processes, which would not call `check` equally often.
        check=check if group.size == 1 else lambda: None,
    )
    if found is not None:
        emit(Message("info", str(found)))
    own = offered[0] if found is None else found.compute_format
    (agreed,) = group.broadcast(offered.index(own))
    return offered[int(agreed)]


def _warn(request: TrainingRequest, validation: ValidationTiles, steps: int, emit: Emit) -> None:
    """Emit warnings about missing or unusual data."""
    settings = request.settings
    n_tiles = request.sampling.n_tiles

    def warn(text: str) -> None:
        emit(Message("warning", text))

    if settings.freeze != "encoder" and find_backbone(settings.backbone).foundation:
        warn(
            f"{settings.backbone} is a foundation encoder, but freeze is {settings.freeze!r}: training on few labels "
            "damages its weights, and is slow. Set freeze to 'encoder'."
        )
    # Classes that only one side has are reported by the split itself.
    painted = {a.class_name for some in request.snapshot.annotations.values() for a in some}
    for name in request.snapshot.classes:
        if name not in painted:
            warn(f"{name} has no labels, so it cannot be learned. Paint a few strokes of it.")
    missing = labels_without_data(request.working.snapshot, request.sampling.windows, settings.downsample)
    for name, n in missing.items():
        warn(f"{n} labelled pixels of {name} have no data (NaN) and are left out.")
    if validation.n_left_out:
        some, others = validation.n_tiles, validation.n_left_out
        warn(f"Validation uses {some} tiles; {others} more are left out to save memory.")
    in_a_step = settings.batch_size * settings.accumulation
    if in_a_step > n_tiles:
        what = "A batch has" if settings.accumulation == 1 else f"The {settings.accumulation} batches of a step have"
        warn(f"{what} {in_a_step} tiles, but the labels fill only {n_tiles}: tiles are repeated, with variations.")
    if steps < MIN_STEPS_PER_EPOCH:
        warn("An epoch is a single step. For smoother curves, set steps_per_epoch to 10 or more, or paint more.")
