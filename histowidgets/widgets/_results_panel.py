"""What can be taken away: the scores, the areas, the classifier, and files for other programs."""

import os
import threading
from collections.abc import Callable
from html import escape
from pathlib import Path

import ipywidgets

from histowidgets.errors import HistowidgetsError
from histowidgets.widgets._live_prediction import Answer

Notify = Callable[[str, str], None]


def _table(rows: list[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><th scope='row'>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in rows)
    return f"<table class='hw-table'>{cells}</table>"


class ResultsPanel(ipywidgets.VBox):
    """Scores and areas of the prediction that is shown, and buttons that write files.

    Parameters
    ----------
    answer
        Returns the answer that is shown on the picture, or None.
    folder
        Where files go by default.
    notify
        Called with a text and a level.
    """

    def __init__(self, answer: Callable[[], Answer | None], folder: Path, notify: Notify) -> None:
        self._answer, self._notify = answer, notify
        self._scores = ipywidgets.HTML()
        self._areas = ipywidgets.HTML()
        self._folder = ipywidgets.Text(
            value=str(folder),
            description="Save to",
            continuous_update=False,
            tooltip="Folder for the classifier and the files; it is made if it is not there",
        )
        self._folder.add_class("hw-wide")
        buttons = []
        for text, icon, tip, action in (
            (
                "Save classifier",
                "save",
                "Weights, classes and normalization, for hw.Classifier.load",
                self.save_classifier,
            ),
            ("Labels (PNG)", "picture-o", "The label map of the picture shown, with the class colours", self.save_png),
            ("GeoJSON (QuPath)", "map-o", "The predicted areas as QuPath reads them", self.save_geojson),
        ):
            button = ipywidgets.Button(description=text, icon=icon, tooltip=tip)
            button.on_click(lambda _, act=action: self._soon(act))
            buttons.append(button)
        buttons[0].button_style = "primary"
        row = ipywidgets.HBox(buttons)
        row.add_class("hw-wrap")
        super().__init__(
            [
                ipywidgets.HTML("<h4 class='hw-title'>Held-out strokes</h4>"),
                self._scores,
                ipywidgets.HTML("<h4 class='hw-title'>Predicted areas</h4>"),
                self._areas,
                self._folder,
                row,
            ]
        )
        self.add_class("hw-section")
        self.refresh()

    def refresh(self) -> None:
        """Show the numbers of the answer that is on the picture now."""
        answer = self._answer()
        if answer is None:
            self._scores.value = "<p class='hw-quiet'>Not scored yet: train a network first.</p>"
            self._areas.value = "<p class='hw-quiet'>Nothing predicted yet: paint at least two classes.</p>"
            return
        self._scores.value = self._score_table(answer)
        rows = [(name, f"{value:,.4g}") for name, value in answer.prediction.measurements().items()]
        self._areas.value = _table(rows)

    @staticmethod
    def _score_table(answer: Answer) -> str:
        if answer.score is None:
            return "<p class='hw-quiet'>Not scored yet: train a network first.</p>"
        scores = answer.classifier.scores
        rows = [("mIoU", f"{answer.score:.2f}")]
        for name, value in (scores.get("val_iou") or {}).items():
            rows.append((name, "not held out" if value is None else f"{value:.2f}"))
        return _table(rows) + f"<p class='hw-quiet'>{escape(answer.caption.split(' · ')[0])}</p>"

    # -- files ------------------------------------------------------------------------------------

    def _soon(self, action: Callable[[], Path]) -> None:
        def work() -> None:
            try:
                path = action()
            except (HistowidgetsError, OSError) as error:
                self._notify(f"Not saved: {error}", "error")
            except Exception as error:  # noqa: BLE001 - the boundary of a thread: the person must see it
                self._notify(f"Not saved: {type(error).__name__}: {error}", "error")
            else:
                self._notify(f"Saved {path}", "good")

        threading.Thread(target=work, name="histowidgets-save", daemon=True).start()

    def _needed(self) -> Answer:
        answer = self._answer()
        if answer is None:
            raise HistowidgetsError("there is no prediction yet: paint at least two classes first")
        return answer

    def _file(self, answer: Answer, ending: str) -> Path:
        folder = Path(self._folder.value.strip() or ".").expanduser()
        folder.mkdir(parents=True, exist_ok=True)
        stem = "".join(c if c.isalnum() or c in "-_" else "_" for c in answer.prediction.image_name) or "image"
        return folder / f"{stem}{ending}"

    def save_classifier(self) -> Path:
        """Save the classifier that is shown into ``classifier/`` of the chosen folder."""
        answer = self._needed()
        target = Path(self._folder.value.strip() or ".").expanduser() / "classifier"
        answer.classifier.save(target)
        return target

    def save_png(self) -> Path:
        """Save the label map that is shown as a PNG with the classes' colours."""
        answer = self._needed()
        path = self._file(answer, "_labels.png")
        answer.prediction.save_png(os.fspath(path))
        return path

    def save_geojson(self) -> Path:
        """Save the predicted areas as GeoJSON in QuPath's flavour."""
        answer = self._needed()
        path = self._file(answer, "_prediction.geojson")
        answer.prediction.save_geojson(os.fspath(path))
        return path
