"""How a run computes: its device, number format, memory format and random numbers."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import torch

from histowidgets.errors import SettingsError
from histowidgets.models import ComputeFormat, half_format


def choose_device(name: str) -> torch.device:
    """Return the requested device: "cpu", "cuda", "mps", or "auto" for the best available one.

    Raises
    ------
    SettingsError
        This computer does not have the device.
    """
    have = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if have[kind])
    if not have[name]:
        raise SettingsError(f"device is {name!r}, which this computer does not have; use 'auto'.")
    if name == "cuda" and "LOCAL_RANK" in os.environ:
        # With torchrun, each process has its own GPU.
        return torch.device(name, int(os.environ["LOCAL_RANK"]) % torch.cuda.device_count())
    return torch.device(name)


def compute_formats(precision: str, memory_format: str, device: torch.device) -> list[ComputeFormat]:
    """List the formats that the settings allow on a device, the one that is usually fastest first.

    Parameters
    ----------
    precision : {"auto", "fp32", "bf16", "fp16"}
    memory_format : {"auto", "contiguous", "channels_last"}
    device : torch.device
        With "auto", the formats that suit the device are allowed.
    """
    half = half_format(device)
    known = ("fp32",) if half is None else (half, "fp32")
    found = []
    for chosen in known if precision == "auto" else (precision,):
        # Measured on CPUs: bf16 gains most with channels last, which in fp32 can be twelve times slower.
        likely = ("contiguous", "channels_last") if chosen == "fp32" else ("channels_last", "contiguous")
        layouts = likely if memory_format == "auto" else (memory_format,)
        found += [ComputeFormat(chosen, layout) for layout in layouts]
    return found


class ComputeContext:
    """Handles devices, precision, gradient scaling and random numbers; there is one for each run.

    Parameters
    ----------
    device : torch.device
        Device to compute on.
    compute_format : ComputeFormat
        Number format and memory format.
    seed : int
        Random seed.
    """

    def __init__(self, device: torch.device, compute_format: ComputeFormat, seed: int) -> None:
        self.device = device
        self.compute_format = compute_format
        # Gradients are too small for the range of fp16 and must be scaled; bf16 has the range of fp32.
        self._scaler = torch.amp.GradScaler(device.type, enabled=compute_format.precision == "fp16")
        self._state = torch.Generator().manual_seed(seed).get_state()
        self._seed = seed
        self._draws = True

    def place(self, network: torch.nn.Module) -> torch.nn.Module:
        """Move a network to the device, and convert it to the memory format."""
        return network.to(self.device).to(memory_format=self.compute_format.layout)

    def move(self, pixels: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Move a batch to the device, and convert the labels to int64."""
        pixels = pixels.to(self.device, memory_format=self.compute_format.layout)
        return pixels, labels.to(self.device, torch.int64)

    def logits(self, network: torch.nn.Module, pixels: torch.Tensor) -> torch.Tensor:
        """Compute a network's logits in the number format, and return them in fp32."""
        with self.compute_format.autocast(self.device):
            logits: torch.Tensor = network(pixels)
        return logits.float()

    def backward(self, loss: torch.Tensor) -> None:
        """Accumulate the gradients of a loss."""
        self._scaler.scale(loss).backward()

    def step(self, optimizer: torch.optim.Optimizer, max_norm: float = 0.0) -> None:
        """Take an optimizer step, with the gradient clipped to the norm `max_norm` if that is above 0."""
        if max_norm > 0:
            self._scaler.unscale_(optimizer)
            trained = [p for group in optimizer.param_groups for p in group["params"]]
            torch.nn.utils.clip_grad_norm_(trained, max_norm)
        self._scaler.step(optimizer)
        self._scaler.update()

    def state_dict(self) -> dict[str, Any]:
        """Return the state that the next steps depend on; ``choice`` holds the compute format, for the constructor."""
        state: dict[str, Any] = {"random": self._state, "seed": self._seed, "draws": self._draws}
        return state | {"choice": asdict(self.compute_format), "scaler": self._scaler.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state from `state_dict`."""
        self._state, self._seed, self._draws = state["random"], state["seed"], state["draws"]
        if state["scaler"]:
            self._scaler.load_state_dict(state["scaler"])

    @contextmanager
    def own_random(self) -> Iterator[None]:
        """Let layers such as dropout draw from the run's own random numbers, without changing torch's generator.

        If the first step shows that no layer draws any, later steps skip this.
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
