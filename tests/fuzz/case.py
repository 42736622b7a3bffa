"""What every generated case is held to: it ends soon, writes nothing where it may not, and takes little memory."""

import collections
import contextlib
import gc
import os
import signal
import sys
import threading
import time
from pathlib import Path

#: Seconds of a processor that a case may take, and bytes that the process may grow by. By the clock it may take longer,
#: since others use the machine: 0.4 s were seen to last 4.9 with twenty at it.
MOST_SECONDS, MOST_BYTES = 5.0, 1 << 30
HANGS_AFTER = 40.0

#: Cases after which garbage is collected: a network in the traceback of an error is garbage only the collector finds.
GARBAGE_EVERY = 50

#: Cases of each kind that were tried in this process, the slowest of them, and the growth of the process.
tried = collections.Counter()
slowest = collections.defaultdict(float)
grown = 0

_WRITING = {
    "os.rename": (0, 1), "os.remove": (0,), "os.mkdir": (0,), "os.rmdir": (0,), "os.truncate": (0,), "os.chmod": (0,),
    "os.symlink": (1,), "os.link": (1,),
}  # fmt: skip
_watched = threading.local()
_first_peak = None


class Hang(BaseException):
    """A case that does not end; no `except Exception` keeps it from the test."""


def _hang(number, frame):
    raise Hang(f"a case took more than {HANGS_AFTER:g} s")


def _audit(event, args):
    """Note each write, whoever makes it, that is not below the folder of the case."""
    inside = getattr(_watched, "inside", None)
    if inside is None:
        return
    if event == "open":
        path, mode, flags = args
        flags = flags if isinstance(flags, int) else 0
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) or set(mode or "") & set("wax+")
        paths = [path] if writes else []
    else:
        paths = [args[i] for i in _WRITING.get(event, ())]
    for path in paths:
        if isinstance(path, str | bytes | os.PathLike) and not _below(os.fsdecode(path), inside):
            _watched.outside.append(f"{event} {os.fsdecode(path)}")


def _below(path, folder):
    whole = os.path.abspath(path)  # noqa: PTH100 - Path.resolve asks the disk, which would be an event in an event
    return whole.startswith(folder + os.sep) or whole in (folder, os.devnull) or "__pycache__" in whole


sys.addaudithook(_audit)


def peak_bytes():
    """Highest resident memory of this process so far.

    Not ru_maxrss, which begins with that of the process that started this one.
    """
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024


@contextlib.contextmanager
def a_case(kind, inside="/nowhere"):
    """Hold one case to the rules, and count it.

    Parameters
    ----------
    kind : str
        What is generated.
    inside : path
        The one folder in which it may write; by default nowhere.
    """
    global _first_peak, grown
    if _first_peak is None:
        _first_peak = peak_bytes()
    _watched.inside, _watched.outside = os.path.normpath(inside), []
    before = signal.signal(signal.SIGALRM, _hang)
    signal.setitimer(signal.ITIMER_REAL, HANGS_AFTER)
    began = time.process_time()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        _watched.inside = None
    taken = time.process_time() - began
    if sum(tried.values()) % GARBAGE_EVERY == 0:
        gc.collect()
    tried[kind] += 1
    slowest[kind] = max(slowest[kind], taken)
    grown = max(grown, peak_bytes() - _first_peak)
    assert taken < MOST_SECONDS
    assert _watched.outside == []
    assert grown < MOST_BYTES, f"the process grew by {grown / 1e6:.0f} MB"
