"""The line under the canvas: what is under the pen, what was said last, and whether the work is safe."""

import html

import ipywidgets

from histowidgets.annotations import Project


class StatusLine(ipywidgets.HBox):
    """Place at the left, the last message beside it, the project's state at the right."""

    def __init__(self) -> None:
        self._place, self._said, self._saved = (ipywidgets.HTML() for _ in range(3))
        self._place.add_class("hw-place")
        self._said.add_class("hw-said")
        super().__init__([self._place, self._said, self._saved])
        self.add_class("hw-status")

    def show_place(self, text: str) -> None:
        """Say what is under the pen."""
        _show(self._place, html.escape(text))

    def say(self, text: str, level: str = "info") -> None:
        """Show a message; at level "error" in red."""
        escaped = html.escape(text)
        _show(self._said, f'<span class="hw-error">{escaped}</span>' if level == "error" else escaped)

    def show_saved(self, project: Project, image_name: str) -> None:
        """Say how many annotations the image has, and where they are kept."""
        count = sum(project.count(image_name).values())
        text = f"{count} annotation{'' if count == 1 else 's'}"
        if project.read_only:
            text = f"read-only · {text}"
        elif project.folder is None:
            text = f"in memory · {text}"
        else:
            text = f"saved · {text} · {project.folder.name}"
        _show(self._saved, html.escape(text))


def _show(widget: ipywidgets.HTML, text: str) -> None:
    if widget.value != text:
        widget.value = text
