"""The status line under the canvas: what is under the pointer, the last message, and the state of the project."""

import html

import ipywidgets

from histowidgets.annotations import Project


class StatusLine(ipywidgets.HBox):
    """The pointer readout on the left, the last message beside it, and the state of the project on the right.

    Long texts are cut and shown in full in their tooltip.
    """

    def __init__(self) -> None:
        self.place, self.message, self.saved = (ipywidgets.HTML() for _ in range(3))
        self.place.add_class("hw-place")
        self.message.add_class("hw-said")
        self.saved.add_class("hw-saved")
        super().__init__([self.place, self.message, self.saved])
        self.add_class("hw-status")

    def show_place(self, text: str) -> None:
        """Show what is under the pointer."""
        _show(self.place, text)

    def say(self, text: str, level: str = "info") -> None:
        """Show a message; level "error" shows it in red."""
        _show(self.message, text, "hw-error" if level == "error" else "")

    def show_saved(self, project: Project, image_name: str) -> None:
        """Show the number of annotations of the image, where they are saved, and notes on how its file was read."""
        count = sum(project.count(image_name).values())
        text = f"{count} annotation{'' if count == 1 else 's'}"
        if project.read_only:
            text = f"read-only · {text}"
        elif project.folder is None:
            text = f"in memory · {text}"
        else:
            text = f"saved · {text} · {project.folder.name}"
        notes = project.image(image_name).notes
        if notes:
            text += f" · {len(notes)} note{'' if len(notes) == 1 else 's'}"
        _show(self.saved, text, tooltip="\n".join([text, *notes]))


def _show(widget: ipywidgets.HTML, text: str, style: str = "", tooltip: str = "") -> None:
    said = html.escape(tooltip or text)
    html_text = f'<div class="{style}" title="{said}">{html.escape(text)}</div>' if text else ""
    if widget.value != html_text:
        widget.value = html_text
