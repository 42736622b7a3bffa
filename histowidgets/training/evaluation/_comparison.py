"""A table that compares runs: the settings in which they differ, their scores and their times. No torch."""

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from histowidgets.annotations import Project
from histowidgets.errors import TrainingError
from histowidgets.training._events import EpochRecord
from histowidgets.training.loop import ModelSelection
from histowidgets.training.runs import Run, RunSummary
from histowidgets.training.settings import TrainingSettings
from histowidgets.training.storage import StoredRun, read_run, run_folders

_Run = Run | RunSummary | StoredRun | str | PathLike[str]


@dataclass(frozen=True)
class ComparedRun:
    """One row of the table: a run, with the scores of its best epoch.

    Attributes
    ----------
    name : str
        Name in the table; by default the run's id.
    settings : TrainingSettings or None
        All settings; None if unknown.
    epochs : int
        Number of epochs trained.
    seconds : float
        Training time, without pauses.
    best_epoch : int or None
        The epoch of the scores; None before the first epoch has ended.
    miou, accuracy : float or None
        0 to 1, over labelled validation pixels; None without any.
    iou : dict of str to float or None
        IoU of each class; None for a class without validation labels.
    """

    name: str
    settings: TrainingSettings | None
    epochs: int
    seconds: float
    best_epoch: int | None
    miou: float | None
    accuracy: float | None
    iou: Mapping[str, float | None]


@dataclass(frozen=True)
class Comparison:
    """Runs side by side; a notebook shows it as a table.

    Attributes
    ----------
    rows : tuple of ComparedRun
        One for each run, in the order given.
    differing : tuple of str
        The settings in which the runs differ.
    classes : tuple of str
        The classes of all runs.
    n_wanted : int
        Number of requested runs; more than there are rows if the comparison was cancelled.
    """

    rows: tuple[ComparedRun, ...]
    differing: tuple[str, ...]
    classes: tuple[str, ...]
    n_wanted: int

    @property
    def cancelled(self) -> bool:
        """Whether some runs were not finished."""
        return len(self.rows) < self.n_wanted

    @property
    def columns(self) -> list[str]:
        """Column headings of the table, with units."""
        scores = ["mIoU", *(f"IoU {name}" for name in self.classes), "accuracy"]
        return ["run", *self.differing, *scores, "best epoch", "epochs", "time (s)"]

    def records(self) -> list[dict[str, Any]]:
        """Return a dict for each row, which maps headings to values; None for missing values."""
        return [dict(zip(self.columns, self._values(row), strict=True)) for row in self.rows]

    def to_text(self) -> str:
        """Return the table as text, for a terminal."""
        lines = [self.columns, *([_shown(value) for value in self._values(row)] for row in self.rows)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
        )

    def to_html(self) -> str:
        """Return the table as HTML; names and values are escaped."""
        head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in self.columns)
        body = ""
        for row in self.rows:
            first, *rest = (html.escape(_shown(value)) for value in self._values(row))
            body += f'<tr><th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in rest) + "</tr>"
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def to_dataframe(self) -> Any:
        """Return the table as a pandas DataFrame.

        Raises
        ------
        TrainingError
            pandas is not installed.
        """
        try:
            import pandas  # type: ignore[import-untyped,unused-ignore]
        except ImportError:
            raise TrainingError("pandas is not installed; install it, or use .rows or .records().") from None
        return pandas.DataFrame(self.records(), columns=self.columns)

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return self.to_html()

    def _values(self, row: ComparedRun) -> list[Any]:
        settings = [_setting(row, name) for name in self.differing]
        scores = [row.miou, *(row.iou.get(name) for name in self.classes), row.accuracy]
        return [row.name, *settings, *scores, row.best_epoch, row.epochs, row.seconds]


def compare_runs(
    runs: Project | str | PathLike[str] | Iterable[_Run] | Mapping[str, _Run],
) -> Comparison:
    """Compare runs by the scores of their best epochs.

    Parameters
    ----------
    runs : project, iterable of runs, or mapping of name to run
        A run is a `TrainingRun` or another `Run`, its summary, or its folder. A `Project`, or its folder, means all its
        runs.

    Returns
    -------
    Comparison
        Note that runs with different held-out labels are scored on different pixels; `compare_settings` uses one split
        for all.

    Raises
    ------
    TrainingError
        There is no run to compare, or a folder is damaged; the message names the file.
    """
    if isinstance(runs, (Project, str, PathLike)):
        runs = _runs_of(runs)
    elif isinstance(runs, (Run, RunSummary)):
        runs = [runs]
    named = list(runs.items()) if isinstance(runs, Mapping) else [("", run) for run in runs]
    if not named:
        raise TrainingError("There are no runs to compare. Train first, or give runs or their folders.")
    return make_comparison([_compared(name, run) for name, run in named])


def make_comparison(rows: Sequence[ComparedRun], n_wanted: int | None = None) -> Comparison:
    """Make a comparison from rows, and find the settings in which they differ."""
    fields = TrainingSettings.model_fields
    known = [row for row in rows if row.settings is not None]
    differing = [n for n in fields if any(_setting(row, n) != _setting(known[0], n) for row in known)]
    classes = dict.fromkeys(name for row in rows for name in row.iou)
    return Comparison(tuple(rows), tuple(differing), tuple(classes), len(rows) if n_wanted is None else n_wanted)


def _setting(row: ComparedRun, name: str) -> Any:
    return None if row.settings is None else getattr(row.settings, name)


def compared_run(name: str, settings: TrainingSettings, history: Sequence[EpochRecord]) -> ComparedRun:
    """Make the row of a run from its settings and history."""
    best: EpochRecord | None = None
    for number, record in enumerate(history):
        if ModelSelection.of(settings).is_better(record, best, history[:number]):
            best = record
    return _row(name, settings, history, best)


def _row(
    name: str, settings: TrainingSettings | None, history: Sequence[EpochRecord], best: EpochRecord | None
) -> ComparedRun:
    return ComparedRun(
        name=name,
        settings=settings,
        epochs=len(history),
        seconds=(history[-1]["seconds"] or 0.0) if history else 0.0,
        best_epoch=None if best is None else best["epoch"],
        miou=None if best is None else best["val_miou"],
        accuracy=None if best is None else best["val_accuracy"],
        iou={} if best is None else dict(best["val_iou"]),
    )


def _compared(name: str, run: _Run) -> ComparedRun:
    if not isinstance(run, (Run, RunSummary, StoredRun)):
        run = read_run(run)
    if run.settings is not None:
        return compared_run(name or run.id, run.settings, run.history)
    # Without settings, only the run itself knows its best epoch.
    best = None if isinstance(run, StoredRun) else run.best_epoch
    record = next((record for record in run.history if record["epoch"] == best), None)
    return _row(name or run.id, None, run.history, record)


def _runs_of(project: Project | str | PathLike[str]) -> list[Path]:
    """List the run folders of a project; or return the folder itself if it is a run's."""
    folder = project.folder if isinstance(project, Project) else Path(project).expanduser()
    if folder is None:
        raise TrainingError("The project has no folder, so its runs are not on disk. Give the runs instead.")
    folder = Path(folder)
    return [folder] if (folder / "run.json").exists() else run_folders(folder)


def _shown(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, float):
        return f"{value:.3f}" if 0.001 <= abs(value) < 10 or value == 0 else f"{value:.3g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value)
