"""The style sheets and scripts of the widgets, as something that can be put on the page."""

import re
from functools import cache
from pathlib import Path

import ipywidgets

STATIC = Path(__file__).parents[1] / "static"


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


def joined_module(*names: str) -> str:
    """Return the named scripts of `static/` as one ES module, which is what anywidget takes.

    Parameters
    ----------
    *names
        File names without their ending, each after those it uses; the last one has the default export.
    """
    texts = [(STATIC / f"{name}.js").read_text(encoding="utf-8") for name in names]
    joined = "\n".join(re.sub(r"^import .*\n", "", text, flags=re.MULTILINE) for text in texts)
    return re.sub(r"^export (?!default)", "", joined, flags=re.MULTILINE)


def joined_sheet(*names: str) -> str:
    """Return the named style sheets of `static/` as one."""
    return "\n".join(_sheet(name) for name in names)
