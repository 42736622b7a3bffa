"""Every icon shows in JupyterLab, which has Font Awesome 5 with older names, and in nbclassic, with version 4."""

from pathlib import Path

import numpy as np
from ipywidgets.widgets.widget import _instances

import histowidgets as hw

STATIC = Path(hw.__file__).parent / "widgets/static"
#: Those of Font Awesome 4.7 that a widget may use; JupyterLab's style sheet knows each of them.
KNOWN = {
    *(
        "caret-down",
        "caret-right",
        "download",
        "eraser",
        "expand",
        "eye",
        "file-text-o",
        "hand-paper-o",
        "info-circle",
        "magic",
    ),
    *("minus", "mouse-pointer", "paint-brush", "pause", "pencil", "play", "question", "rotate-right", "save"),
    *("search-minus", "search-plus", "square-o", "stop", "undo"),
    *("arrow-left", "arrow-right", "check", "random", "users"),
}


def test_every_icon_has_a_name_that_both_versions_of_font_awesome_know_or_is_drawn_here():
    studio = hw.Studio(np.zeros((64, 64, 3), np.uint8), classes=["A", "B"], fresh=True)
    icons = {widget.icon for widget in list(_instances.values()) if getattr(widget, "icon", "")}
    icons -= {icon for icon in icons if icon.startswith("fa-")}  # bqplot's own
    studio.close()
    assert {"hand-paper-o", "rotate-right", "draw-polygon", "play"} <= icons, "they were found"
    assert icons - KNOWN == {"draw-polygon"}
    assert ".fa-draw-polygon::before" in (STATIC / "canvas/style.css").read_text(encoding="utf-8")
