"""Ask what an import needs to know: which entry of a file, which class each name is, what to do with duplicates."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import ipywidgets

from histowidgets.annotations import ImportPreview
from histowidgets.widgets.common import full_width

#: Most names, values or colours that are asked for one by one; the others share one answer.
MOST_ROWS = 30
LEAVE_OUT = ("leave out", None)

#: What can be done with annotations that are on the image already: button, tooltip and value.
DUPLICATES = [
    ("Replace", "Replace them with those of the file; keep all other annotations", "replace"),
    ("Add", "Add them a second time", "add"),
    ("Skip", "Keep those on the image, and add only the others", "skip"),
    ("Replace all", "Remove all annotations of this image, then add those of the file", "replace_all"),
]

#: Called with the answer, as arguments of `Project.import_annotations`.
Answer = Callable[[dict[str, Any]], object]


class ImportQuestion(ipywidgets.VBox):
    """A question about a file that is being imported; empty if there is none."""

    def __init__(self) -> None:
        super().__init__([])
        self.add_class("hw-import-question")

    def ask(self, preview: ImportPreview, given: Mapping[str, Any], classes: Sequence[str], answer: Answer) -> str:
        """Show the next question that a file raises.

        Parameters
        ----------
        preview : ImportPreview
        given : mapping
            Earlier answers, as arguments of `Project.import_annotations`.
        classes : sequence of str
            The classes of the project.
        answer : callable

        Returns
        -------
        str
            The question; "" if there is none.
        """
        if preview.entries:
            return self._ask_entry(preview, answer)
        if "classes" not in given and preview.values:
            values = {value: f"{value} ({pixels:,} px)" for value, pixels in preview.values.items()}
            return self._ask_classes("Which class does each value stand for?", values, classes, answer, rest=False)
        if "classes" not in given and preview.unnamed:
            names = {
                name: f"{'no name' if name is None else name} ({count:,})" for name, count in preview.unnamed.items()
            }
            return self._ask_classes("Which class does each name stand for?", names, classes, answer, rest=True)
        if preview.duplicates and "on_duplicate" not in given:
            return self._ask_duplicates(preview, answer)
        self.clear()
        return ""

    def clear(self) -> None:
        """Remove the question."""
        self.children = ()

    def _ask_entry(self, preview: ImportPreview, answer: Answer) -> str:
        choice = full_width(
            ipywidgets.Dropdown(options=preview.entries, description="File", tooltip="The entry for this image")
        )
        question = f"The file has {len(preview.entries)} entries. Which one belongs to this image?"
        return self._show(
            question, [choice], [("Import", "Import this entry", lambda: {"entry": choice.value})], answer
        )

    def _ask_classes(
        self, question: str, labels: Mapping[Any, str], classes: Sequence[str], answer: Answer, rest: bool
    ) -> str:
        shown = list(labels)[:MOST_ROWS]
        keys = [*shown, None] if rest and len(labels) > MOST_ROWS and None not in shown else shown
        rows = {}
        for key in keys:
            label = labels.get(key, "all others")
            options = [LEAVE_OUT, *((name, name) for name in classes)]
            guess = None if key in (0, "#000000") or len(classes) != 1 else classes[0]
            row = ipywidgets.Dropdown(options=options, value=guess, description=label, tooltip=label)
            rows[key] = full_width(row)

        def table() -> dict[str, Any]:
            return {"classes": {key: row.value for key, row in rows.items()}}

        return self._show(question, list(rows.values()), [("Import", "Import with these classes", table)], answer)

    def _ask_duplicates(self, preview: ImportPreview, answer: Answer) -> str:
        question = f"{preview.duplicates:,} of {preview.count:,} annotations are on this image already."
        buttons = [(text, tip, lambda choice=choice: {"on_duplicate": choice}) for text, tip, choice in DUPLICATES]
        return self._show(question, [], buttons, answer)

    def _show(
        self,
        question: str,
        fields: Sequence[ipywidgets.Widget],
        answers: Sequence[tuple[str, str, Callable[[], dict[str, Any]]]],
        answer: Answer,
    ) -> str:
        buttons = []
        for text, tip, given in answers:
            button = ipywidgets.Button(description=text, tooltip=tip)
            button.on_click(lambda _, given=given: self._answered(given(), answer))
            buttons.append(button)
        cancel = ipywidgets.Button(description="Cancel", tooltip="Import nothing")
        cancel.on_click(lambda _: self.clear())
        row = ipywidgets.HBox([*buttons, cancel])
        row.add_class("hw-wrap")
        words = ipywidgets.HTML(f"<p class='hw-quiet' role='status'>{escape(question)}</p>")
        self.children = (words, *fields, row)
        return question

    def _answered(self, given: dict[str, Any], answer: Answer) -> None:
        self.clear()
        answer(given)
