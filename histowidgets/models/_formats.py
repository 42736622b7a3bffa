"""Number formats that a device computes well in."""

import torch


def half_format(device: torch.device) -> str | None:
    """Return the number format of half the size that a device computes well in, "bf16" or "fp16"; None if none is."""
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    tests = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")  # not public, and so maybe gone one day
    return "bf16" if device.type == "cpu" and any(getattr(torch.cpu, name, bool)() for name in tests) else None
