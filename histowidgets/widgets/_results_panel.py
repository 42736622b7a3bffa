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
LEARNERS = [("whichever scores better", "best"), ("the quick learner", "quick"), ("the network", "network")]


def _table(answer: Answer) -> str:
    """Return one row a class: IoU on held-out strokes, area, and share of the area."""
    prediction = answer.prediction
    unit = "µm²" if prediction.pixel_size_um else "px²"
    measured = prediction.measurements()
    rows = []
    for name in prediction.classes:
        iou = answer.class_scores.get(name)
        area = measured[f"{name} area ({'um2' if prediction.pixel_size_um else 'px2'})"]
        cells = ["–" if iou is None else f"{iou:.2f}", f"{area:,.0f} {unit}", f"{measured[f'{name} (%)']:.1f} %"]
        rows.append((name, cells))
    rows.append(("all (mIoU)", ["–" if answer.score is None else f"{answer.score:.2f}", "", ""]))
    body = "".join(
        f"<tr><th scope='row'>{escape(name)}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
        for name, cells in rows
    )
    head = "<tr><th></th><th scope='col'>IoU, held out</th><th scope='col'>area</th><th scope='col'>share</th></tr>"
    return f"<table class='hw-table'><caption>{escape(answer.caption)}</caption>{head}{body}</table>"


class ResultsPanel(ipywidgets.VBox):
    """Scores and areas of the prediction that is shown, and buttons that write files.

    Parameters
    ----------
    answer
        Returns the answer that is shown on the picture, or None.
    show_learner
        Called with "best", "quick" or "network" when the person chooses which learner is shown.
    folder
        Where files go by default.
    notify
        Called with a text and a level.
    """

    def __init__(
        self,
        answer: Callable[[], Answer | None],
        show_learner: Callable[[str], None],
        folder: Path,
        notify: Notify,
    ) -> None:
        self._answer, self._notify = answer, notify
        self._learner = ipywidgets.Dropdown(options=LEARNERS, description="Show", tooltip="Whose prediction is shown")
        self._learner.observe(lambda change: show_learner(change["new"]), names="value")
        self._numbers = ipywidgets.HTML()
        self._folder = ipywidgets.Text(
            value=str(folder),
            description="Save to",
            continuous_update=False,
            tooltip="Folder for the classifier and the files; it is made if it is not there",
        )
        self._folder.add_class("hw-wide")
        row = ipywidgets.HBox([self._button(*each) for each in self._actions()])
        row.add_class("hw-wrap")
        super().__init__([self._learner, self._numbers, self._folder, row])
        self.add_class("hw-section")
        self.refresh()

    def _actions(self) -> list[tuple[str, str, str, Callable[[], Path]]]:
        return [
            ("Save classifier", "save", "Weights, classes, normalization: for Classifier.load", self.save_classifier),
            ("Labels (PNG)", "picture-o", "The label map of the picture shown, with the class colours", self.save_png),
            ("GeoJSON (QuPath)", "map-o", "The predicted areas as QuPath reads them", self.save_geojson),
        ]

    def _button(self, text: str, icon: str, tip: str, action: Callable[[], Path]) -> ipywidgets.Button:
        style = "primary" if action == self.save_classifier else ""
        button = ipywidgets.Button(description=text, icon=icon, tooltip=tip, button_style=style)
        button.on_click(lambda _: self._soon(action))
        return button

    def refresh(self) -> None:
        """Show the numbers of the answer that is on the picture now."""
        answer = self._answer()
        if answer is None:
            self._numbers.value = "<p class='hw-quiet'>Nothing predicted yet: paint at least two classes.</p>"
            return
        hint = (
            "" if answer.score is not None else "<p class='hw-quiet'>Press Train for a score on held-out strokes.</p>"
        )
        self._numbers.value = _table(answer) + hint

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
