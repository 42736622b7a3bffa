"""Buttons that download the numbers and the charts of a run."""

import csv
import io
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ipywidgets

from histowidgets.training import MEASUREMENTS
from histowidgets.widgets.common import Download
from histowidgets.widgets.monitor._run_curves import RunCurves


def csv_text(run: RunCurves) -> str:
    """Return the records as CSV: a row per epoch, a column ``iou_<class>`` per class, empty if not measured."""
    classes = run.class_names()
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["epoch", *MEASUREMENTS, *(f"iou_{name}" for name in classes)])
    for record in run.records:
        row: Mapping[str, Any] = record
        values = [row[name] for name in MEASUREMENTS] + [record["val_iou"].get(name) for name in classes]
        writer.writerow([f"{record['epoch']:g}", *("" if value is None else repr(value) for value in values)])
    return file.getvalue()


class DownloadButtons(ipywidgets.HBox):
    """Buttons that download the files written by two functions.

    Parameters
    ----------
    to_csv, to_png
        Called with the path to write to.
    """

    def __init__(self, to_csv: Callable[[Path], object], to_png: Callable[[Path], object]) -> None:
        self._page = Download()
        super().__init__(
            [
                self._button("CSV", "Download the numbers as a table", to_csv, "training.csv", "text/csv"),
                self._button("PNG", "Download the charts as a picture", to_png, "training.png", "image/png"),
                self._page,
            ]
        )
        self.add_class("hw-ways-out")

    def _button(self, words: str, tip: str, write: Callable[[Path], object], name: str, mime: str) -> ipywidgets.Button:
        def offer() -> None:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / name
                write(path)
                self._page.offer(name, path.read_bytes(), mime)

        button = ipywidgets.Button(description=words, tooltip=tip, icon="download")
        button.add_class("hw-small")
        button.on_click(lambda _: offer())
        return button
