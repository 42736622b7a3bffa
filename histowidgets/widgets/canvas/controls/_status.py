"""The status line under the canvas: what is under the pointer, the last message, and where the work is saved."""

import html

import ipywidgets

from histowidgets.annotations import Project


class StatusLine(ipywidgets.HBox):
    """Place at the left, the last message beside it, the project's state at the right."""

    def __init__(self) -> None:
        self.place, self.message, self.saved = (ipywidgets.HTML() for _ in range(3))
        self.place.add_class("hw-place")
        self.message.add_class("hw-said")
        super().__init__([self.place, self.message, self.saved])
        self.add_class("hw-status")

    def show_place(self, text: str) -> None:
        """Show what is under the pointer."""
        _show(self.place, html.escape(text))

    def say(self, text: str, level: str = "info") -> None:
        """Show a message; level "error" is red."""
        escaped = html.escape(text)
        _show(self.message, f'<span class="hw-error">{escaped}</span>' if level == "error" else escaped)

    def show_saved(self, project: Project, image_name: str) -> None:
        """Show how many annotations the image has, where they are saved, and how its file was read."""
        count = sum(project.count(image_name).values())
        text = f"{count} annotation{'' if count == 1 else 's'}"
        if project.read_only:
            text = f"read-only · {text}"
        elif project.folder is None:
            text = f"in memory · {text}"
        else:
            text = f"saved · {text} · {project.folder.name}"
        shown = html.escape(text)
        if notes := project.image(image_name).notes:
            said = html.escape("\n".join(notes), quote=True)
            shown += (
                f' · <span class="hw-notes" title="{said}">{len(notes)} note{"" if len(notes) == 1 else "s"}</span>'
            )
        _show(self.saved, shown)


def _show(widget: ipywidgets.HTML, text: str) -> None:
    if widget.value != text:
        widget.value = text
