"""The numbers and the charts of a run as files, and the buttons that hand them to the browser."""

import csv
import io
import tempfile
from collections.abc import Callable
from pathlib import Path

import ipywidgets

from histowidgets.widgets.common import Download
from histowidgets.widgets.monitor._curves import NUMBERS, EpochLog


def csv_text(log: EpochLog) -> str:
    """Return the records as CSV: one row an epoch, ``iou_<class>`` for each class, empty where not measured."""
    classes = log.class_names()
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["epoch", *NUMBERS, *(f"iou_{name}" for name in classes)])
    for row in log.records:
        values = [row[name] for name in NUMBERS] + [row["val_iou"].get(name) for name in classes]
        writer.writerow([f"{row['epoch']:g}", *("" if value is None else repr(value) for value in values)])
    return file.getvalue()


class WaysOut(ipywidgets.HBox):
    """Buttons that download what two functions write.

    Parameters
    ----------
    to_csv, to_png
        Write a file at the path that they are given.
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
