"""What the arithmetic of a run needs: device, number format, memory format, random numbers of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from histowidgets.errors import SettingsError
from histowidgets.training._settings import TrainingSettings


def choose_device(settings: TrainingSettings) -> torch.device:
    """Return the device that the settings ask for.

    Raises
    ------
    SettingsError
        This computer does not have it.
    """
    have = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if settings.device == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if have[name]))
    if not have[settings.device]:
        raise SettingsError(f"device is {settings.device!r}, which this computer does not have; use 'auto'.")
    return torch.device(settings.device)


def use_bf16(settings: TrainingSettings, device: torch.device) -> bool:
    """Say whether to compute in bf16: as set, or, on auto, where the processor has instructions for it."""
    if settings.precision != "auto":
        return settings.precision == "bf16"
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    if device.type != "cpu":
        return False
    tests = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(bool(getattr(torch.cpu, name)()) for name in tests if hasattr(torch.cpu, name))


class Arithmetic:
    """Moves and casts; one for a run.

    Parameters
    ----------
    settings : TrainingSettings
        ``device``, ``precision`` and ``seed``.
    """

    def __init__(self, settings: TrainingSettings) -> None:
        self.device = choose_device(settings)
        self.bf16 = use_bf16(settings, self.device)
        # Measured on a processor: with bf16 this doubles the speed of depthwise networks; in fp32 it can slow them.
        self._format = torch.channels_last if self.bf16 else torch.contiguous_format
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
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bf16)

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
