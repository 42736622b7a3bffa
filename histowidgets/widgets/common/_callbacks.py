"""Callbacks in a list, and a slider beside a trait: each with what ends it."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import ipywidgets
import traitlets

Callback = TypeVar("Callback", bound=Callable[..., object])


def listen(callbacks: list[Callback], callback: Callback) -> Callable[[], None]:
    """Add a callback to those that are called; return what takes it away again."""
    callbacks.append(callback)

    def unsubscribe() -> None:
        with suppress(ValueError):  # another thread may have taken it away, or all
            callbacks.remove(callback)

    return unsubscribe


def observe(widget: traitlets.HasTraits, name: str, callback: Callable[[Any], None]) -> Callable[[], None]:
    """Call `callback` when a trait changes; return what ends that."""
    widget.observe(callback, names=name)
    return lambda: widget.unobserve(callback, names=name)


def link_slider(
    slider: ipywidgets.FloatSlider | ipywidgets.IntSlider, widget: traitlets.HasTraits, name: str
) -> Callable[[], None]:
    """Keep a slider at the value of a trait, and let it set that; return what ends that.

    A slider rounds what it is given to its steps, and says so; that is no choice of the person's.
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
