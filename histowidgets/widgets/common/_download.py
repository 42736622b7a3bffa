"""Hand a file that the kernel made to the browser, which saves it like any download."""

import anywidget

from histowidgets.widgets.common._assets import bundle


class Download(anywidget.AnyWidget):
    """Shows nothing; put it on the page once, and `offer` files through it."""

    _esm = bundle("download")

    def offer(self, name: str, data: bytes, mime: str) -> None:
        """Have the page that shows this save `data` under `name`; with several pages each saves it."""
        self.send({"kind": "file", "name": name, "mime": mime}, [data])
