"""How a network computes: its number format and memory format, and which of them is fastest on a device."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

_MEMORY_FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class ComputeFormat:
    """How a network computes.

    Attributes
    ----------
    precision : {"fp32", "bf16", "fp16"}
        Number format of convolutions; weights stay fp32.
    memory_format : {"contiguous", "channels_last"}
        Order of the pixels in memory.
    """

    precision: str = "fp32"
    memory_format: str = "contiguous"

    def __str__(self) -> str:
        return f"{self.precision}, {self.memory_format.replace('_', ' ')}"

    @property
    def dtype(self) -> torch.dtype:
        """Torch's name of the number format."""
        return _DTYPES[self.precision]

    @property
    def layout(self) -> torch.memory_format:
        """Torch's name of the memory format."""
        return _MEMORY_FORMATS[self.memory_format]

    def autocast(self, device: torch.device) -> torch.autocast:
        """Return the context in which a network computes in this number format."""
        dtype = torch.bfloat16 if self.precision == "fp32" else self.dtype  # ignored for fp32: autocast is then off
        return torch.autocast(device.type, dtype, enabled=self.precision != "fp32")


def half_format(device: torch.device) -> str | None:
    """Return the 16-bit number format that a device computes well in, "bf16" or "fp16"; None if there is none."""
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    tests = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")  # private functions, which may be removed
    return "bf16" if device.type == "cpu" and any(getattr(torch.cpu, name, bool)() for name in tests) else None


def seconds_of(work: Callable[[], object], device: torch.device) -> float:
    """Time a computation, from the call until the device has finished it."""
    began = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
    return time.perf_counter() - began


def quickest(
    seconds: Mapping[ComputeFormat, float], share: Callable[[ComputeFormat, ComputeFormat], float]
) -> ComputeFormat:
    """Choose the compute format from measured times.

    Parameters
    ----------
    seconds : mapping of ComputeFormat to float
        The shortest time of each format, since other work on the computer only adds to it; the preferred format first.
    share : callable
        Takes a candidate and the best format so far; returns the fraction of the best time below which the candidate
        must stay to replace it.
    """
    best, *others = seconds
    for candidate in others:
        if seconds[candidate] < share(candidate, best) * seconds[best]:
            best = candidate
    return best
