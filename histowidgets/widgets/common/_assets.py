"""Load the style sheets and scripts of the widgets for the page."""

from functools import cache
from pathlib import Path

import ipywidgets

STATIC = Path(__file__).parents[1] / "static"


@cache
def bundle(widget: str) -> str:
    """Return the script of a widget as the single ES module that anywidget takes.

    Parameters
    ----------
    widget
        Name of its folder in `static/`, from which ``npm run build`` makes the bundle.
    """
    return (STATIC / "bundles" / f"{widget}.js").read_text(encoding="utf-8")


@cache
def style_sheet(*names: str) -> str:
    """Return style sheets of `static/`, joined.

    Parameters
    ----------
    *names
        Paths in `static/` without their ending, such as ``"common/popup"``; of conflicting rules, those of the later
        sheet win.
    """
    return "\n".join((STATIC / f"{name}.css").read_text(encoding="utf-8") for name in names)


def style_widget(*names: str) -> ipywidgets.HTML:
    """Return an invisible widget that adds style sheets to the page, named as for `style_sheet`."""
    return ipywidgets.HTML(f"<style>{style_sheet(*names)}</style>", layout=ipywidgets.Layout(display="none"))
