"""Export in a separate process: tracing changes torch's global state, which would disturb a training in this one."""

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
#: Number of characters of the child's output that are kept with an error.
_MOST_OUTPUT = 4000


class CannotStartError(Exception):
    """No process can be started, as in some sandboxes."""


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
    """Export a network as ONNX in a child process, and wait for it; see `write_graph`.

    The child ends when this process ends, for whatever reason.

    Parameters
    ----------
    spec, tensors : mapping
        Those of a `NetworkModel`.
    path : Path
        The file that the child writes.
    options : GraphOptions
    tell : callable
        Called with the name of each step as it begins.
    should_stop : callable
        Called several times a second; if it returns True, the child is terminated.
    max_seconds : float
        The child is terminated after this time.

    Raises
    ------
    ClassifierError
        If the export failed, or took too long.
    ExportCancelled
        If `should_stop` returned True, or this process ends.
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
            f"The export needs space for the weights in {tempfile.gettempdir()}: {error.strerror or error}. "
            "Free some space, or set the environment variable TMPDIR to another folder."
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
    """Start the child; it exits when its input, a pipe from this process, is closed."""
    if not sys.executable:
        raise CannotStartError("the path of this Python is unknown")
    # The child must import the same histowidgets, and does not need the GPU.
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
                start_new_session=True,  # Ctrl+C reaches this process only, which then ends the child
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
    """Report the steps until the child has ended; raise its error if it failed."""
    began, failure, known = time.monotonic(), None, False
    lines = _lines(folder / PROGRESS)
    while True:
        ended = process.poll() is not None  # before reading the lines, so that the last one is not missed
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
                f"The export was stopped after {max_seconds:g} s. Give it more time with max_seconds=, or export when "
                "no training is running."
            )
        with suppress(subprocess.TimeoutExpired):
            process.wait(_POLL_SECONDS)
    if failure is not None:
        raise _failed(failure, folder)
    if process.returncode != 0:
        if not known:
            raise CannotStartError(f"the process ended with {process.returncode}: {_printed(folder)[-500:]}")
        why = (
            f"its process was killed by signal {-process.returncode}, most likely because of too little memory"
            if process.returncode < 0
            else f"its process ended with exit code {process.returncode}"
        )
        raise _failed(f"The network could not be exported: {why}.", folder)


def _lines(path: Path) -> Iterator[dict[str, Any] | None]:
    """Yield the lines of a file that another process appends to, and None while there is no new line."""
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
