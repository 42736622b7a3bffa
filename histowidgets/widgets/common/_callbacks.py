"""Connect callbacks and sliders; each function returns a function that undoes the connection."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import ipywidgets
import traitlets

Callback = TypeVar("Callback", bound=Callable[..., object])


def listen(callbacks: list[Callback], callback: Callback) -> Callable[[], None]:
    """Add a callback to a list; return a function that removes it again."""
    callbacks.append(callback)

    def unsubscribe() -> None:
        with suppress(ValueError):  # another thread may have removed it already
            callbacks.remove(callback)

    return unsubscribe


def observe(widget: traitlets.HasTraits, name: str, callback: Callable[[Any], None]) -> Callable[[], None]:
    """Call `callback` when a trait changes; return a function that ends the calls."""
    widget.observe(callback, names=name)

    def unobserve() -> None:
        with suppress(ValueError):  # a widget is closed once more when Python collects it
            widget.unobserve(callback, names=name)

    return unobserve


def link_slider(
    slider: ipywidgets.FloatSlider | ipywidgets.IntSlider, widget: traitlets.HasTraits, name: str
) -> Callable[[], None]:
    """Link a slider and a trait in both directions; return a function that ends the link.

    A slider rounds its value to its steps and reports that as a change, which is not taken as a choice of the user.
    """
    shown = round if isinstance(slider, ipywidgets.IntSlider) else float

    def slid(change: dict[str, float]) -> None:
        if abs(change["new"] - getattr(widget, name)) > 0.501 * slider.step:
            setattr(widget, name, float(change["new"]))

    slider.value = shown(getattr(widget, name))
    slider.observe(slid, names="value")

    def follow(change: dict[str, float]) -> None:
        slider.value = shown(change["new"])

    return observe(widget, name, follow)
