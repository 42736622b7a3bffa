"""The header of a checkpoint, read without torch and without its tensors."""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from histowidgets.errors import TrainingError

#: State of a run to resume from, as long as it lasts.
RESUME_FILE = "resume.safetensors"

#: Best weights of a run.
BEST_FILE = "checkpoint.safetensors"

#: Format of `RESUME_FILE`.
CHECKPOINT_VERSION = 1

FORMAT = "histowidgets run"


def read_header(path: Path) -> tuple[dict[str, Any], str]:
    """Read what a checkpoint holds besides its tensors, and their checksum.

    Raises
    ------
    TrainingError
        The file is missing, damaged, or of a newer version; the message names it.
    """
    try:
        with safe_open(path, framework="np") as file:
            header: dict[str, str] = file.metadata() or {}
    except FileNotFoundError:
        raise TrainingError(f"There is no {path}: this run cannot be resumed. Start a new one.") from None
    except (SafetensorError, OSError) as error:
        raise damaged(path, str(error)) from error
    if header.get("format") != FORMAT or not header.get("version", "").isdecimal():
        raise damaged(path, f"it does not say that its format is {FORMAT!r}")
    if int(header["version"]) > CHECKPOINT_VERSION:
        raise TrainingError(
            f"{path} has version {header['version']}, this program reads up to {CHECKPOINT_VERSION}. "
            "Update histowidgets, or start a new run."
        )
    try:
        return json.loads(header["state"]), header["checksum"]
    except (KeyError, ValueError, RecursionError) as error:
        raise damaged(path, repr(error)) from error


def damaged(path: Path, why: str) -> TrainingError:
    """Make the error for a file that cannot be resumed from."""
    return TrainingError(
        f"{path} is damaged: {why}. The run cannot be resumed from it; start a new one. Its best weights are in "
        f"{BEST_FILE} beside it."
    )
