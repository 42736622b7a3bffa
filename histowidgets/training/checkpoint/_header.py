"""Read the header of a checkpoint, without torch and without the tensors."""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from histowidgets.errors import TrainingError

#: File with the state to resume from, which exists while the run is not finished.
RESUME_FILE = "resume.safetensors"

#: File with the best weights of a run.
BEST_FILE = "checkpoint.safetensors"

#: Format of `RESUME_FILE`.
CHECKPOINT_VERSION = 1

FORMAT = "histowidgets run"


def read_header(path: Path) -> tuple[dict[str, Any], str]:
    """Read the plain values of a checkpoint, and the checksum of its tensors.

    Raises
    ------
    TrainingError
        The file is missing, damaged, or of a newer version; the message names it.
    """
    try:
        with safe_open(path, framework="np") as file:
            header: dict[str, str] = file.metadata() or {}
    except FileNotFoundError:
        raise TrainingError(f"{path} is missing, so this run cannot be resumed. Start a new run.") from None
    except (SafetensorError, OSError) as error:
        raise damaged(path, str(error)) from error
    if header.get("format") != FORMAT or not header.get("version", "").isdecimal():
        raise damaged(path, f"it does not say that its format is {FORMAT!r}")
    if int(header["version"]) > CHECKPOINT_VERSION:
        raise TrainingError(
            f"{path} has version {header['version']}, but this program reads only up to {CHECKPOINT_VERSION}. "
            "Update histowidgets, or start a new run."
        )
    try:
        return json.loads(header["state"]), header["checksum"]
    except (KeyError, ValueError, RecursionError) as error:
        raise damaged(path, repr(error)) from error


def damaged(path: Path, why: str) -> TrainingError:
    """Return the error for a damaged file."""
    return TrainingError(
        f"{path} is damaged: {why}. The run cannot be resumed from it. Start a new run; the best weights are in "
        f"{BEST_FILE} in the same folder."
    )
