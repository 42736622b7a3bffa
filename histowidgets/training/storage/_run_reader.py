"""Run folders, read back: what was set, and how it went. No torch."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, cast

from histowidgets.errors import HistowidgetsError, SettingsError, TrainingError
from histowidgets.training._events import EpochRecord
from histowidgets.training.settings import TrainingSettings

RUN_VERSION = 2
"""Format of ``run.json``; version 1 had neither ``confusion`` nor a checkpoint to go on from beside it."""


@dataclass(frozen=True)
class StoredRun:
    """A run's folder, without its weights.

    Attributes
    ----------
    id : str
        Name of the run.
    folder : Path
        Where it lies.
    state : {"running", "ended"}
        "running" also of a run whose kernel was killed.
    settings : TrainingSettings
        What it was started with.
    history : list of EpochRecord
        The epochs that were written.
    best : EpochRecord or None
        The epoch whose weights are kept.
    confusion : list of list of int, or None
        Labelled pixels of validation at that epoch, a row for each true class.
    about : dict
        All of ``run.json``.
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
    """Read a run's folder, of this version or an older one.

    Raises
    ------
    TrainingError
        It is no run's folder, damaged, or of a newer version; the message names the file.
    """
    folder = Path(folder).expanduser().absolute()
    about = read_about(folder)
    path = folder / "settings.json"
    try:
        settings = TrainingSettings.from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, SettingsError) as error:
        raise _damaged(path, str(error)) from error
    best = about.get("kept")
    return StoredRun(
        id=str(about["id"]),
        folder=folder,
        state=str(about["state"]),
        settings=settings,
        history=_read_history(folder / "history.csv"),
        best=None if best is None else cast(EpochRecord, dict(best)),
        confusion=about.get("confusion"),
        about=about,
    )


def read_about(folder: Path) -> dict[str, Any]:
    """Read ``run.json``; errors as `read_run`."""
    path = folder / "run.json"
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TrainingError(f"There is no {path}. Give the folder of a run: project/runs/<id>.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, str(error)) from error
    version = about.get("version") if isinstance(about, dict) else None
    if not isinstance(version, int) or not {"id", "state", "classes", "normalization", "network"} <= set(about):
        raise _damaged(path, "it does not describe a run")
    if version > RUN_VERSION:
        raise TrainingError(
            f"{path} has version {version}, this program reads up to {RUN_VERSION}. Update histowidgets."
        )
    return cast(dict[str, Any], about)


def run_folders(project_folder: Path) -> list[Path]:
    """List the runs of a project's folder, the one that was written last at the end."""
    found = [path for path in project_folder.glob("runs/*/run.json") if path.is_file()]
    return [path.parent for path in sorted(found, key=lambda path: (path.stat().st_mtime_ns, path))]


def _read_history(path: Path) -> list[EpochRecord]:
    """Read ``history.csv``; a run without an epoch has none."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [_record(row) for row in csv.DictReader(file)]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path, repr(error)) from error


def _record(row: Mapping[str, str]) -> EpochRecord:
    def number(name: str) -> float | None:
        return float(row[name]) if row[name] else None

    return EpochRecord(
        epoch=int(row["epoch"]),
        train_loss=float(row["train_loss"]),
        val_loss=number("val_loss"),
        train_miou=number("train_miou"),
        val_miou=number("val_miou"),
        val_iou={name[len("iou_") :]: number(name) for name in row if name.startswith("iou_")},
        val_accuracy=number("val_accuracy"),
        learning_rate=float(row["learning_rate"]),
        seconds=float(row["seconds"]),
        steps=int(row["steps"]) if row.get("steps") else None,
    )


def _damaged(path: Path, why: str) -> HistowidgetsError:
    return TrainingError(f"{path} is damaged: {why}. Restore it from a backup, or leave this run out.")
