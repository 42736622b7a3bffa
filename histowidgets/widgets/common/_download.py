"""Offer files of the kernel to the browser as downloads."""

import anywidget

from histowidgets.widgets.common._assets import bundle


class Download(anywidget.AnyWidget):
    """An invisible widget on the page through which `offer` sends downloads."""

    _esm = bundle("download")

    def offer(self, name: str, data: bytes, mime: str) -> None:
        """Make each page that shows this widget save `data` under `name`."""
        self.send({"kind": "file", "name": name, "mime": mime}, [data])
