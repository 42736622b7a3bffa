"""The style sheets of the widgets, as something that can be put on the page."""

from functools import cache
from pathlib import Path

import ipywidgets

STATIC = Path(__file__).parent / "static"


@cache
def _sheet(name: str) -> str:
    return (STATIC / f"{name}.css").read_text(encoding="utf-8")


def style_widget(*names: str) -> ipywidgets.HTML:
    """Return a widget without a body that brings the named style sheets of `static/` to the page.

    Parameters
    ----------
    *names
        File names without their ending, such as ``"studio"``.
    """
    text = "\n".join(_sheet(name) for name in names)
    return ipywidgets.HTML(f"<style>{text}</style>", layout=ipywidgets.Layout(display="none"))
