"""What the arithmetic of a run needs: device, number format, memory format, random numbers of its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import torch

from histowidgets.errors import SettingsError
from histowidgets.models import half_format
from histowidgets.training.settings import TrainingSettings

_FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def choose_device(settings: TrainingSettings) -> torch.device:
    """Return the device that the settings ask for.

    Raises
    ------
    SettingsError
        This computer does not have it.
    """
    have = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    chosen = settings.device
    if chosen == "auto":
        chosen = next(name for name in ("cuda", "mps", "cpu") if have[name])
    if not have[chosen]:
        raise SettingsError(f"device is {chosen!r}, which this computer does not have; use 'auto'.")
    if chosen == "cuda" and "LOCAL_RANK" in os.environ:
        # Started by torchrun: each process has a GPU of its own.
        return torch.device(chosen, int(os.environ["LOCAL_RANK"]) % torch.cuda.device_count())
    return torch.device(chosen)


def number_formats(device: torch.device) -> tuple[str, ...]:
    """List the number formats in which a device computes well, the one that is most often quickest first."""
    half = half_format(device)
    return ("fp32",) if half is None else (half, "fp32")


@dataclass(frozen=True)
class Choice:
    """How a network computes.

    Attributes
    ----------
    precision : {"fp32", "bf16", "fp16"}
        Number format of convolutions; weights stay fp32.
    memory_format : {"contiguous", "channels_last"}
        Order of the pixels in memory.
    """

    precision: str
    memory_format: str

    def __str__(self) -> str:
        return f"{self.precision}, {self.memory_format.replace('_', ' ')}"


def choices(settings: TrainingSettings, device: torch.device) -> list[Choice]:
    """List what the settings leave to choose from; the first is what is taken unmeasured."""
    precisions = number_formats(device) if settings.precision == "auto" else (settings.precision,)
    found = []
    for precision in precisions:
        # Measured on processors: bf16 gains most with channels last, which in fp32 can be twelve times slower.
        likely = ("contiguous", "channels_last") if precision == "fp32" else ("channels_last", "contiguous")
        formats = likely if settings.memory_format == "auto" else (settings.memory_format,)
        found += [Choice(precision, memory_format) for memory_format in formats]
    return found


class Arithmetic:
    """Moves and casts; one for a run.

    Parameters
    ----------
    settings : TrainingSettings
        ``device``, ``precision``, ``memory_format`` and ``seed``.
    choice : Choice, optional
        How to compute; by default the first of `choices`.
    """

    def __init__(self, settings: TrainingSettings, choice: Choice | None = None) -> None:
        self.device = choose_device(settings)
        self.choice = choices(settings, self.device)[0] if choice is None else choice
        self._format = _FORMATS[self.choice.memory_format]
        # Gradients in fp16 are too small for its range; bf16 has that of fp32.
        self._scaler = torch.amp.GradScaler(self.device.type, enabled=self.choice.precision == "fp16")
        self._state = torch.Generator().manual_seed(settings.seed).get_state()
        self._seed = settings.seed
        self._draws = True

    def place(self, network: torch.nn.Module) -> torch.nn.Module:
        """Bring a network to the device, in the memory format."""
        return network.to(self.device).to(memory_format=self._format)

    def move(self, pixels: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Bring a batch to the device; labels become int64."""
        pixels = pixels.to(self.device, memory_format=self._format)
        return pixels, labels.to(self.device, torch.int64)

    def cast(self) -> torch.autocast:
        """Return the context in which a network computes."""
        precision = self.choice.precision
        return torch.autocast(self.device.type, _DTYPES.get(precision, torch.bfloat16), enabled=precision != "fp32")

    def backward(self, loss: torch.Tensor) -> None:
        """Add a loss's gradients to those that are there."""
        self._scaler.scale(loss).backward()

    def step(self, optimizer: torch.optim.Optimizer, longest: float = 0.0) -> None:
        """Let an optimizer step; a gradient longer than `longest` is shortened to it, where that is above 0."""
        if longest > 0:
            self._scaler.unscale_(optimizer)
            trained = [p for group in optimizer.param_groups for p in group["params"]]
            torch.nn.utils.clip_grad_norm_(trained, longest)
        self._scaler.step(optimizer)
        self._scaler.update()

    def state(self) -> dict[str, Any]:
        """Return what the next steps depend on; `restore` takes it back, and `Choice` the choice."""
        state: dict[str, Any] = {"random": self._state, "seed": self._seed, "draws": self._draws}
        return state | {"choice": asdict(self.choice), "scaler": self._scaler.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""
        self._state, self._seed, self._draws = state["random"], state["seed"], state["draws"]
        if state["scaler"]:
            self._scaler.load_state_dict(state["scaler"])

    @contextmanager
    def own_random(self) -> Iterator[None]:
        """Let layers such as dropout draw from the run's own stream, leaving torch's generator as it was.

        Where the first step shows that no layer draws, later steps do without.
        """
        if not self._draws:
            yield
            return
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.set_rng_state(self._state)
            if devices:
                self._seed += 1
                torch.cuda.manual_seed(self._seed)
            yield
            state = torch.get_rng_state()
            self._draws = bool(devices) or not torch.equal(state, self._state)
            self._state = state
