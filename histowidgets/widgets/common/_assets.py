"""The style sheets and scripts of the widgets, as something that can be put on the page."""

from functools import cache
from pathlib import Path

import ipywidgets

STATIC = Path(__file__).parents[1] / "static"


@cache
def bundle(widget: str) -> str:
    """Return the script of a widget as the one ES module that anywidget takes.

    Parameters
    ----------
    widget
        Name of its folder in `static/`. ``npm run build`` makes the bundle from what lies there.
    """
    return (STATIC / "bundles" / f"{widget}.js").read_text(encoding="utf-8")


@cache
def style_sheet(*names: str) -> str:
    """Return style sheets of `static/` as one.

    Parameters
    ----------
    *names
        Paths in `static/` without their ending, such as ``"common/popup"``; where two rules contradict each other,
        the later sheet wins.
    """
    return "\n".join((STATIC / f"{name}.css").read_text(encoding="utf-8") for name in names)


def style_widget(*names: str) -> ipywidgets.HTML:
    """Return a widget that shows nothing and brings style sheets to the page, named as for `style_sheet`."""
    return ipywidgets.HTML(f"<style>{style_sheet(*names)}</style>", layout=ipywidgets.Layout(display="none"))
