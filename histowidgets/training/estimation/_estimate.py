"""Estimate how long a run will take, and whether it fits into memory."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from histowidgets._durations import roughly
from histowidgets.annotations import Project, ProjectSnapshot
from histowidgets.errors import BackboneError, BudgetError, SettingsError
from histowidgets.models import Backbone, backbones
from histowidgets.training.data import TrainingRequest, make_request
from histowidgets.training.estimation._footprint import Footprint, footprint
from histowidgets.training.estimation._memory import Memory, gpu_memory, host_memory
from histowidgets.training.estimation._step_timing import time_steps
from histowidgets.training.loop import choose_device
from histowidgets.training.settings import TrainingSettings

_TIMED_STEPS = 4
_MOST_ACCUMULATION = 8
_TILE_SIZES = (768, 512, 384, 256, 192, 160, 128, 96, 64)
#: Replacements for a backbone that is too large, the largest first.
_SMALLER_BACKBONES = ("resnet50", "resnet34", "resnet18", "efficientnet-lite0")


@dataclass(frozen=True)
class Estimate:
    """The time and memory that a run would need.

    Attributes
    ----------
    settings : TrainingSettings
        Settings of the run.
    n_tiles : int
        Number of training tiles in an epoch.
    steps_per_epoch, steps : int
        Number of steps in an epoch, and in all epochs.
    seconds : float or None
        Time for all steps and validations, or the time limit if that is less; None if no steps were measured.
    memory_bytes, gpu_bytes : int
        Peak memory on top of what is in use now, of the computer and of the GPU; the latter is 0 without a GPU.
    free, gpu_free : Memory
        The available memory.
    suggestion : TrainingSettings or None
        The nearest settings that fit; None if `settings` fit, or if none were found.
    pixel_size_um : float or None
        Pixel size for training; None if that of no image is known.
    n_resampled : int
        Number of images that are resampled to it.
    """

    settings: TrainingSettings
    n_tiles: int
    steps_per_epoch: int
    steps: int
    seconds: float | None
    memory_bytes: int
    gpu_bytes: int
    free: Memory
    gpu_free: Memory
    suggestion: TrainingSettings | None
    pixel_size_um: float | None = None
    n_resampled: int = 0

    @property
    def fits(self) -> bool:
        """Whether there is enough memory, as far as is known."""
        return _fits(Footprint(self.memory_bytes, self.gpu_bytes), self.free, self.gpu_free)

    def text(self) -> str:
        """Describe the estimate in two or three sentences."""
        time_needed = "" if self.seconds is None else f", about {roughly(self.seconds)}"
        text = (
            f"{self.n_tiles} tiles, {self.settings.epochs} epochs of {self.steps_per_epoch} steps{time_needed}. "
            f"Needs about {_needs(self.memory_bytes, self.free)}"
        )
        if self.gpu_bytes:
            text += f", and {_needs(self.gpu_bytes, self.gpu_free)}"
        text += "."
        if self.fits:
            return text
        return text + " " + _remedy(self.settings, self.suggestion)


def estimate(
    project: Project | ProjectSnapshot, settings: TrainingSettings | None = None, *, measure: bool = True
) -> Estimate:
    """Estimate the time and the memory that a training needs.

    Activations are counted on a copy of the network without data (torch's meta device), in a fraction of a second; the
    estimated peak was within 30 % of measured ones. Memory limits of containers (cgroups v1 and v2) are respected.

    Parameters
    ----------
    project : Project or ProjectSnapshot
        The images and annotations to train on.
    settings : TrainingSettings, optional
        By default, the default settings.
    measure : bool
        Whether to take a few real steps to estimate the time. They are skipped if the run does not fit.

    Returns
    -------
    Estimate

    Raises
    ------
    TrainingDataError
        There is too little to learn from.
    SettingsError, BackboneError
        A setting does not fit the project, or the backbone is unknown.
    """
    request = make_request(project, settings if settings is not None else TrainingSettings())
    return estimate_request(request, measure=measure)


def estimate_request(request: TrainingRequest, *, measure: bool) -> Estimate:
    """Estimate the time and memory of a request; see `estimate`."""
    settings = request.settings
    free, gpu_free = host_memory(), gpu_memory() if choose_device(settings.device).type == "cuda" else None
    gpu_free = Memory(None, "the GPU", None) if gpu_free is None else gpu_free
    needed = footprint(request, settings)
    fits = _fits(needed, free, gpu_free)
    per_epoch = request.steps_per_epoch()
    return Estimate(
        settings=settings,
        n_tiles=request.sampling.n_tiles,
        steps_per_epoch=per_epoch,
        steps=per_epoch * settings.epochs,
        seconds=_seconds(request, per_epoch) if measure and fits else None,
        memory_bytes=needed.host,
        gpu_bytes=needed.gpu,
        free=free,
        gpu_free=gpu_free,
        suggestion=None if fits else _nearest(request, free, gpu_free),
        pixel_size_um=request.working.pixel_size_um,
        n_resampled=len(request.working.resampled),
    )


def check_budget(request: TrainingRequest) -> None:
    """Raise BudgetError if a run does not fit into memory.

    Raises
    ------
    BudgetError
        The run does not fit; the message has the nearest settings that would.
    """
    found = estimate_request(request, measure=False)
    if not found.fits:
        raise BudgetError(found.text())


def _fits(needed: Footprint, free: Memory, gpu_free: Memory) -> bool:
    return all(
        memory.free is None or size <= memory.free for size, memory in ((needed.host, free), (needed.gpu, gpu_free))
    )


def _seconds(request: TrainingRequest, per_epoch: int) -> float:
    """Take a few steps, validate once, and extrapolate to the whole run."""
    times, validation = time_steps(request, _TIMED_STEPS)
    # The first step is slower than the others: kernels are compiled, and tiles are read.
    whole = request.settings.epochs * (per_epoch * statistics.median(times[1:]) + validation)
    limit = request.settings.max_seconds
    return whole if limit is None else min(whole, limit)


def _nearest(request: TrainingRequest, free: Memory, gpu_free: Memory) -> TrainingSettings | None:
    """Find the largest of `smaller_settings` that fit."""
    for candidate in smaller_settings(request.settings):
        try:
            if _fits(footprint(request, candidate), free, gpu_free):
                return candidate
        except BackboneError:
            continue
    return None


def smaller_settings(settings: TrainingSettings) -> Iterator[TrainingSettings]:
    """Yield ever smaller settings: a smaller batch with accumulation, then a smaller tile, then a smaller backbone."""
    cards: dict[str, Backbone] = {card.name: card for card in backbones()}
    own = cards[settings.backbone].parameters if settings.backbone in cards else None
    names = [settings.backbone]
    names += [n for n in _SMALLER_BACKBONES if n != names[0] and (own is None or (cards[n].parameters or 0) < own)]
    tiles = [settings.tile_size, *(size for size in _TILE_SIZES if size < settings.tile_size)]
    for name in names:
        for tile in tiles:
            batch, accumulation = settings.batch_size, settings.accumulation
            while batch >= 1:
                change = {"backbone": name, "tile_size": tile, "batch_size": batch, "accumulation": accumulation}
                try:
                    candidate = settings.model_copy(update=change)
                except SettingsError:
                    break
                if candidate != settings:
                    yield candidate
                batch //= 2
                accumulation = min(_MOST_ACCUMULATION, accumulation * 2)


def _remedy(settings: TrainingSettings, suggestion: TrainingSettings | None) -> str:
    if suggestion is None:
        return "No settings were found that fit. Close other notebooks, or use a computer with more memory."
    names = ("backbone", "tile_size", "batch_size", "accumulation")
    changed = [n for n in names if getattr(settings, n) != getattr(suggestion, n)]
    return f"That does not fit. Use {' with '.join(f'{n} {getattr(suggestion, n)}' for n in changed)}."


def _needs(size: int, memory: Memory) -> str:
    if memory.free is None:
        return f"{_size(size)} of the memory of {memory.whose}"
    of_all = "" if memory.total is None else f" of {_size(memory.total)}"
    return f"{_size(size)} of the memory of {memory.whose}, which has {_size(memory.free)}{of_all} free"


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
