"""An export in a process of its own: tracing changes torch's global state, and would disturb a training here."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from histowidgets._threads import process_is_ending
from histowidgets.errors import ClassifierError, ExportCancelled
from histowidgets.prediction.onnx._graph import GraphOptions

#: Files in the folder that parent and child share.
JOB, WEIGHTS, PROGRESS = "job.json", "weights.safetensors", "progress.jsonl"
_OUTPUT = "output.txt"

_POLL_SECONDS = 0.05
#: Characters of what the child printed that are kept with an error.
_MOST_OUTPUT = 4000


class CannotStartError(Exception):
    """Where no process can be started, as in some sandboxes."""


def export_in_process(
    spec: Mapping[str, Any],
    tensors: Mapping[str, Any],
    path: Path,
    options: GraphOptions,
    *,
    tell: Callable[[str], None],
    should_stop: Callable[[], bool],
    max_seconds: float,
) -> None:
    """Write a network as ONNX, and wait for that; see `write_graph`.

    The process ends with this one, however that ends.

    Parameters
    ----------
    spec, tensors : mapping
        Those of a `NetworkModel`.
    path : Path
        What the process writes.
    options : GraphOptions
    tell : callable
        Called with the name of each step as it begins.
    should_stop : callable
        Asked several times a second; True ends the process.
    max_seconds : float
        It is ended after this time.

    Raises
    ------
    ClassifierError
        If the export failed, or took too long.
    ExportCancelled
        When `should_stop` says so, or this process ends.
    CannotStartError
        If no process could be started.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="histowidgets-export-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            _write_job(folder, spec, tensors, path, options, max_seconds)
            process = _started(folder)
            try:
                _follow(process, folder, tell, should_stop, max_seconds)
            finally:
                _end(process)
    except OSError as error:
        raise ClassifierError(
            f"The export needs room for the weights in {tempfile.gettempdir()}: {error.strerror or error}. "
            "Free some space, or name another folder in the variable TMPDIR."
        ) from error


def _write_job(
    folder: Path,
    spec: Mapping[str, Any],
    tensors: Mapping[str, Any],
    path: Path,
    options: GraphOptions,
    max_seconds: float,
) -> None:
    from safetensors.numpy import save_file

    job = {"spec": spec, "path": str(path.absolute()), "options": asdict(options), "max_seconds": max_seconds}
    (folder / JOB).write_text(json.dumps(job), encoding="utf-8")
    save_file(dict(tensors), folder / WEIGHTS)


def _started(folder: Path) -> "subprocess.Popen[bytes]":
    """Start the child; its input is a pipe that closes when this process ends, upon which it ends too."""
    if not sys.executable:
        raise CannotStartError("it is not known which Python this is")
    # It must find the same histowidgets, and need not know the GPU.
    search = os.pathsep.join(str(Path(entry or ".").absolute()) for entry in sys.path)
    variables = {**os.environ, "PYTHONPATH": search, "CUDA_VISIBLE_DEVICES": ""}
    more: dict[str, Any] = {}
    if sys.platform == "win32":
        more["creationflags"] = subprocess.CREATE_NO_WINDOW
    try:
        with (folder / _OUTPUT).open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "histowidgets.prediction.onnx", str(folder)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=variables,
                start_new_session=True,  # Ctrl+C is for this process, which then ends the other
                **more,
            )
    except (OSError, RuntimeError, ValueError) as error:
        if process_is_ending():
            raise _cancelled() from error
        raise CannotStartError(str(error)) from error


def _follow(
    process: "subprocess.Popen[bytes]",
    folder: Path,
    tell: Callable[[str], None],
    should_stop: Callable[[], bool],
    max_seconds: float,
) -> None:
    """Report the steps until the child has ended; raise what went wrong in it."""
    began, failure, known = time.monotonic(), None, False
    lines = _lines(folder / PROGRESS)
    while True:
        ended = process.poll() is not None  # before the lines are read, so that the last one is among them
        while (line := next(lines)) is not None:
            known = True
            if "step" in line:
                tell(line["step"])
            failure = line.get("failure", failure)
        if ended:
            break
        if should_stop() or process_is_ending():
            raise _cancelled()
        if time.monotonic() - began > max_seconds:
            raise ClassifierError(
                f"The export was not done after {max_seconds:g} s, and was ended. Give it more time with max_seconds=, "
                "or export when nothing is being trained."
            )
        with suppress(subprocess.TimeoutExpired):
            process.wait(_POLL_SECONDS)
    if failure is not None:
        raise _failed(failure, folder)
    if process.returncode != 0:
        if not known:
            raise CannotStartError(f"the process ended with {process.returncode}: {_printed(folder)[-500:]}")
        why = (
            f"it was ended by signal {-process.returncode}; most likely there was too little memory"
            if process.returncode < 0
            else f"its process ended with {process.returncode}"
        )
        raise _failed(f"The network could not be exported: {why}.", folder)


def _lines(path: Path) -> Iterator[dict[str, Any] | None]:
    """Yield the lines of a file that another process appends to, and None where there is no further one yet."""
    done = 0
    while True:
        content = path.read_bytes() if path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        for line in whole[done:].splitlines():
            yield json.loads(line)
        done = len(whole)
        yield None


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.kill()
    process.wait()
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()


def _cancelled() -> ExportCancelled:
    return ExportCancelled("The export was cancelled; nothing was written.")


def _failed(text: str, folder: Path) -> ClassifierError:
    error = ClassifierError(text)
    error.add_note(_printed(folder)[-_MOST_OUTPUT:])
    return error


def _printed(folder: Path) -> str:
    try:
        return (folder / _OUTPUT).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
