"""Find the free memory of the computer, its container, and the GPU. Loads torch only for the GPU."""

from dataclasses import dataclass
from pathlib import Path

_PROC, _CGROUP = Path("/proc"), Path("/sys/fs/cgroup")

#: Without a limit, cgroups v1 reports a number near 2**63.
_NO_LIMIT = 1 << 60


@dataclass(frozen=True)
class Memory:
    """Available memory.

    Attributes
    ----------
    free : int or None
        Free memory in bytes; None if unknown.
    whose : str
        What sets the limit: "this computer", "the container" or "the GPU".
    total : int or None
        Total memory in bytes; None if unknown.
    """

    free: int | None
    whose: str
    total: int | None


def host_memory(proc: Path = _PROC, cgroup: Path = _CGROUP) -> Memory:
    """Return the memory available to this process: that of the computer, or of its container if that is less.

    Parameters
    ----------
    proc, cgroup : Path
        Mount points of procfs and of cgroups v1 or v2. On systems without them, nothing is known.
    """
    found = [_machine(proc), *_containers(proc, cgroup)]
    known = [memory for memory in found if memory.free is not None]
    return min(known, key=lambda memory: memory.free or 0) if known else Memory(None, "this computer", None)


def gpu_memory() -> Memory:
    """Return the free memory of the current GPU."""
    import torch

    if not torch.cuda.is_available():
        return Memory(None, "the GPU", None)
    free, total = torch.cuda.mem_get_info()
    # Memory that torch has reserved but does not use is available too.
    free += torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
    return Memory(int(free), "the GPU", int(total))


def _machine(proc: Path) -> Memory:
    sizes = {}
    for line in _read(proc / "meminfo").splitlines():
        name, _, rest = line.partition(":")
        number = rest.split()[:1]
        if number and number[0].isdecimal():
            sizes[name] = int(number[0]) * 1024
    return Memory(sizes.get("MemAvailable"), "this computer", sizes.get("MemTotal"))


def _containers(proc: Path, cgroup: Path) -> list[Memory]:
    """Return the memory available in each cgroup of this process and in their parents."""
    found = []
    for line in _read(proc / "self" / "cgroup").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers == "":
            names = ("memory.max", "memory.current", "inactive_file")
            top = cgroup
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            top = cgroup / "memory"
        else:
            continue
        # In a container the path may be that of the host, which is not visible; the root is then its own cgroup.
        own = top / path.lstrip("/")
        for folder in (own, *own.parents):
            found.append(_group(folder, *names))
            if folder == top:
                break
    return [memory for memory in found if memory is not None]


def _group(folder: Path, limit_name: str, usage_name: str, cache_name: str) -> Memory | None:
    limit, usage = _read(folder / limit_name).strip(), _read(folder / usage_name).strip()
    if not limit.isdecimal() or not usage.isdecimal() or int(limit) >= _NO_LIMIT:
        return None
    cached = 0
    for line in _read(folder / "memory.stat").splitlines():
        name, _, number = line.partition(" ")
        if name == cache_name and number.strip().isdecimal():
            # The file cache is released before an allocation fails.
            cached = int(number)
    return Memory(max(0, int(limit) - int(usage) + cached), "the container", int(limit))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
