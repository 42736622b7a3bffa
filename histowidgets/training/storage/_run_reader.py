"""Read a run's folder: its settings, history and summary. No torch."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from histowidgets.errors import HistowidgetsError, SettingsError, TrainingError
from histowidgets.training._events import EpochRecord, parse_epoch_record
from histowidgets.training.settings import TrainingSettings

#: Format version of ``run.json``; version 1 had no ``confusion``, and no file with the state to resume from; version 2
#: had nothing that is needed only to repeat the run, and no `LABELS_FILE`.
RUN_VERSION = 3


class _Summary(BaseModel):
    """The content of ``run.json``; entries with a default are missing in older versions."""

    model_config = ConfigDict(extra="forbid")

    version: int
    id: str
    state: str
    classes: list[str]
    normalization: dict[str, Any]
    network: dict[str, Any]
    started: str = ""
    weights: str = "restored"
    arithmetic: dict[str, str] = {}
    held_out: dict[str, list[list[int]]] = {}
    kept: dict[str, Any] | None = None
    confusion: list[list[int]] | None = None
    pixel_size_um: float | None = None
    steps: int | None = None
    stopped: str | None = None
    start: dict[str, str] | None = None
    device: str = ""
    processes: int = 1
    threads: int | None = None
    versions: dict[str, str] = {}


#: Entries that every record of a run has; the others may be None, or missing in older versions.
_REQUIRED = ("epoch", "train_loss", "learning_rate", "seconds")


@dataclass(frozen=True)
class StoredRun:
    """A run's folder, without its weights.

    Attributes
    ----------
    id : str
        Id of the run.
    folder : Path
        Path of the folder.
    state : {"running", "ended"}
        Also "running" if the kernel was killed.
    settings : TrainingSettings
        The settings that it was started with.
    history : list of EpochRecord
        The epochs so far.
    best : EpochRecord or None
        The epoch whose weights are kept.
    confusion : list of list of int, or None
        Numbers of labelled validation pixels in that epoch, with a row for each true class.
    about : dict
        The content of ``run.json``.
    """

    id: str
    folder: Path
    state: str
    settings: TrainingSettings
    history: list[EpochRecord]
    best: EpochRecord | None
    confusion: list[list[int]] | None
    about: Mapping[str, Any]


def read_run(folder: str | PathLike[str]) -> StoredRun:
    """Read a run's folder of this version or an older one.

    Raises
    ------
    TrainingError
        The folder is not a run's, damaged, or of a newer version; the message names the file.
    """
    folder = Path(folder).expanduser().absolute()
    summary = _read_summary(folder / "run.json")
    path = folder / "settings.json"
    try:
        settings = TrainingSettings.from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, SettingsError) as error:
        raise _damaged(path, str(error)) from error
    try:
        best = None if summary.kept is None else _record(summary.kept)
    except (TrainingError, ValueError) as error:
        raise _damaged(folder / "run.json", str(error)) from error
    return StoredRun(
        id=summary.id,
        folder=folder,
        state=summary.state,
        settings=settings,
        history=_read_history(folder / "history.csv"),
        best=best,
        confusion=summary.confusion,
        about=summary.model_dump(),
    )


def _read_summary(path: Path) -> _Summary:
    """Read ``run.json``; errors as for `read_run`."""
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TrainingError(f"{path} is missing. Give the folder of a run: project/runs/<id>.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, str(error)) from error
    version = about.get("version") if isinstance(about, dict) else None
    if isinstance(version, int) and version > RUN_VERSION:
        raise TrainingError(
            f"{path} has version {version}, but this program reads only up to {RUN_VERSION}. Update histowidgets."
        )
    try:
        return _Summary.model_validate(about)
    except ValidationError as error:
        raise _damaged(path, f"it does not describe a run ({_reasons(error)})") from error


def run_folders(project_folder: Path) -> list[Path]:
    """List the run folders in a project's folder, the most recently written last."""
    found = [path for path in project_folder.glob("runs/*/run.json") if path.is_file()]
    return [path.parent for path in sorted(found, key=lambda path: (path.stat().st_mtime_ns, path))]


def _read_history(path: Path) -> list[EpochRecord]:
    """Read ``history.csv``; a run without epochs has no such file."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [_record(_nested(row)) for row in csv.DictReader(file)]
    except FileNotFoundError:
        return []
    except TrainingError as error:
        raise _damaged(path, str(error)) from error
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise _damaged(path, repr(error)) from error


def _nested(row: Mapping[str, str]) -> dict[str, Any]:
    """Convert a row of the table to a record's fields: empty cells to None, ``iou_<class>`` to ``val_iou``."""
    values = {name: cell or None for name, cell in row.items()}
    classes = {name.removeprefix("iou_"): cell for name, cell in values.items() if name.startswith("iou_")}
    return {name: cell for name, cell in values.items() if not name.startswith("iou_")} | {"val_iou": classes}


def _record(values: Mapping[str, Any]) -> EpochRecord:
    missing = [name for name in _REQUIRED if values.get(name) is None]
    if missing:
        raise ValueError(f"an epoch lacks {', '.join(missing)}")
    return parse_epoch_record(values)


def _reasons(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()[:3])


def _damaged(path: Path, why: str) -> HistowidgetsError:
    return TrainingError(f"{path} is damaged: {why}. Restore it from a backup, or leave out this run.")
