"""The images of a project side by side: the one that is shown, and the annotation count and role of each."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from histowidgets.annotations import Change, Project
from histowidgets.errors import HistowidgetsError, ImageNameError
from histowidgets.widgets.common import bundle, style_sheet
from histowidgets.widgets.studio._thumbnails import Thumbnails
from histowidgets.widgets.studio._uploads import Upload, path_hints


class ImageStrip(anywidget.AnyWidget):
    """A row of thumbnails, one for each image of the project, kept up to date.

    Thumbnails are made on a thread, only for images that are visible. A click, or the arrow keys and Enter, choose the
    image to show. A menu sets the role of an image or removes it, which can be undone.

    Parameters
    ----------
    project
        Has the images.
    notify
        Called with a message and its level ("info", "good" or "error") when something was done or failed; by
        default the strip shows the message itself.

    Attributes
    ----------
    shown : str
        Name of the image that is marked as shown; "" in an empty project. Written by the kernel only: observe it,
        and set it to choose another image (ImageNameError if unknown).

    Examples
    --------
    >>> import histowidgets as hw
    >>> from histowidgets.widgets import ImageStrip
    >>> project = hw.Project(["Tumour", "Stroma"])
    >>> project.add_image(hw.samples.colon_ihc())
    'colon_ihc'
    >>> strip = ImageStrip(project)
    >>> strip.shown
    'colon_ihc'
    >>> strip.close()
    """

    _esm = bundle("image_strip")
    _css = style_sheet("common/popup", "image_strip/style")

    shown = traitlets.Unicode("").tag(sync=True)
    entries = traitlets.List(traitlets.Dict()).tag(sync=True)
    read_only = traitlets.Bool(False).tag(sync=True)

    def __init__(self, project: Project, notify: Callable[[str, str], None] | None = None) -> None:
        self.project = project
        self._notify = notify or self._say
        self._lock = threading.RLock()
        self._upload: Upload | None = None
        names = project.image_names
        super().__init__(shown=names[0] if names else "", read_only=project.read_only)
        self._thumbnails = Thumbnails(project, self._send_thumbnail)
        self._handlers: Mapping[str, Callable[[dict[str, Any], list[Any]], object]] = {
            "show": lambda content, _: setattr(self, "shown", _text(content, "name")),
            "thumbnails": lambda content, _: self._thumbnails.request(_names(content)),
            "role": lambda content, _: self._set_role(_text(content, "name"), _text(content, "role")),
            "remove": lambda content, _: self.remove_image(_text(content, "name")),
            "open": lambda content, _: self.open_file(_text(content, "path")),
            "hints": self._send_hints,
            "upload": self._receive,
        }
        self._refresh(Change("images"))
        self.on_msg(self._on_message)
        self._unsubscribe = project.subscribe(self._refresh)

    # -- what can be done ---------------------------------------------------------------------------

    def open_file(self, path: str) -> str:
        """Add an image file to the project and show it; return its name.

        Raises
        ------
        ImageError, ImageNameError, OSError
            If the file cannot be opened, or the project has an image of that name.
        """
        file = Path(path.strip()).expanduser()
        name = self.project.add_image(file)
        self.shown = name
        self._notify(f"Opened {file.name}.", "good")
        return name

    def remove_image(self, name: str) -> None:
        """Remove an image from the project, as one step of undo, and show another one.

        Raises
        ------
        ImageNameError
            If there is no image of that name, or it is the only one.
        """
        names = self.project.image_names
        if names == [name]:
            raise ImageNameError(f"{name!r} is the only image. Add another one before you remove it.")
        if name in names and name == self.shown:
            at = names.index(name)
            self.shown = names[at + 1] if at + 1 < len(names) else names[at - 1]
        self.project.remove_image(name)
        self._notify(f"Removed {name}. Undo brings it back.", "info")

    def _set_role(self, name: str, role: str) -> None:
        self.project.set_role(name, role)

    # -- the project ----------------------------------------------------------------------------------

    def _refresh(self, change: Change) -> None:
        """Show the current state of the project; called on the thread that edited it."""
        with self._lock:
            before = {entry["name"]: entry for entry in self.entries}
            only = change.image_name if change.kind == "annotations" else None
            entries = []
            for name in self.project.image_names:
                if name in before and only is not None and name != only:
                    entries.append(before[name])
                    continue
                count = sum(self.project.count(name).values())
                entries.append({"name": name, "count": count, "role": self.project.role(name)})
            if entries != self.entries:
                self.entries = entries
            self.read_only = self.project.read_only
            names = [entry["name"] for entry in entries]
            if self.shown not in names:  # it was removed elsewhere
                self.shown = names[0] if names else ""

    @traitlets.validate("shown")
    def _known(self, proposal: Any) -> str:
        name, names = str(proposal["value"]), self.project.image_names
        if name not in names and (name or names):
            raise ImageNameError(f"The project has no image {name!r}; it has {', '.join(names) or 'none'}.")
        return name

    # -- the page -------------------------------------------------------------------------------------

    def _on_message(self, _: Any, content: Any, buffers: list[Any]) -> None:
        kind = content.get("kind") if isinstance(content, dict) else None
        handler = self._handlers.get(kind) if isinstance(kind, str) else None
        if handler is None:
            return
        try:
            handler(content, buffers)
        except (HistowidgetsError, OSError, ValueError) as error:
            self._cancel_upload()
            self._notify(str(error), "error")
            self.send({"kind": "failed", "text": str(error)})

    def _say(self, text: str, level: str) -> None:
        self.send({"kind": "say", "text": text, "level": level})

    def _send_thumbnail(self, name: str, data: bytes, error: str) -> None:
        self.send({"kind": "thumbnail", "name": name, "error": error}, [data] if data else [])

    def _send_hints(self, content: dict[str, Any], _: list[Any]) -> None:
        typed = _text(content, "path")
        self.send({"kind": "hints", "path": typed, "hints": path_hints(typed)})

    def _receive(self, content: dict[str, Any], buffers: list[Any]) -> None:
        """Append a piece of a file; the page sends the next piece once this one is confirmed."""
        with self._lock:
            if content.get("first"):
                self._cancel_upload()
                folder = self.project.folder
                size = content.get("size")
                self._upload = Upload(
                    None if folder is None else Path(folder) / "uploads",
                    _text(content, "name"),
                    size if isinstance(size, int) else 0,
                )
            upload = self._upload
            if upload is None or not buffers:
                return
            whole = upload.add(bytes(buffers[0]))
            self.send({"kind": "received", "bytes": upload.received})
            if whole:
                self._upload = None
        if whole:  # outside the lock, since opening is slow and edits elsewhere must not wait for it
            try:
                self.open_file(str(upload.path))
            except Exception:
                upload.drop()
                raise

    def _cancel_upload(self) -> None:
        upload, self._upload = self._upload, None
        if upload is not None:
            upload.drop()

    def close(self) -> None:
        """Stop listening, end the worker and close the widget; the project is not changed."""
        if self.comm is not None:
            self._unsubscribe()
            self._thumbnails.close()
            self._cancel_upload()
            self.layout.close()
        super().close()


def _text(content: Mapping[str, Any], key: str) -> str:
    value = content.get(key)
    if not isinstance(value, str):
        raise ValueError(f"The page sent {key} = {value!r} instead of text. Reload the page.")
    return value


def _names(content: Mapping[str, Any]) -> list[str]:
    names = content.get("names")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
