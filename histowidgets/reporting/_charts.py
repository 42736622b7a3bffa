"""Curves as inline SVG, drawn by the colours of the page, so that they are right in the dark and on paper."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from histowidgets._ticks import IOU_TICKS, Ticks, epoch_ticks, linear_ticks
from histowidgets.training import EpochRecord

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 62, 16, 14, 46


@dataclass(frozen=True)
class Curve:
    """A line of a chart: its name, the class of its style, and (epoch, value) of its points, in parts without gaps."""

    name: str
    style: str
    parts: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Chart:
    """A chart, in the coordinates of its SVG.

    Attributes
    ----------
    title, summary : str
        What it shows, and what it says, for those who cannot see it.
    x_ticks, y_ticks : tuple of (float, str)
        Places and texts of the numbers on the axes.
    curves : tuple of Curve
    best : (float, str) or None
        Place and text of the mark at the best epoch.
    mark_low : bool
        Whether the text stands at the bottom, where the curves end at the top.
    """

    title: str
    summary: str
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    curves: tuple[Curve, ...]
    best: tuple[float, str] | None
    mark_low: bool = False
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def charts_of(history: Sequence[EpochRecord], best_epoch: float | None) -> list[Chart]:
    """Return the charts of the loss and of the mIoU; those without a value are left out."""
    drawn = []
    for what, names in (("Loss", ("train_loss", "val_loss")), ("mIoU", ("train_miou", "val_miou"))):
        known = {name: [_number(record, name) for record in history] for name in names}
        if any(math.isfinite(value) for values in known.values() for value in values):
            drawn.append(_chart(what, [float(record["epoch"]) for record in history], known, best_epoch))
    return drawn


def _number(record: EpochRecord, name: str) -> float:
    value = record.get(name)
    return math.nan if not isinstance(value, int | float) else float(value)


def _chart(what: str, epochs: Sequence[float], known: dict[str, list[float]], best: float | None) -> Chart:
    x = epoch_ticks(epochs[0], epochs[-1], epochs[-1])
    y = IOU_TICKS if what == "mIoU" else linear_ticks(np.concatenate([np.array(v) for v in known.values()]))
    words = {"train": "training", "val": "validation"}
    curves, said = [], []
    for name, values in known.items():
        style = name.split("_")[0]
        places = [(_across(x, e), _up(y, v)) for e, v in zip(epochs, values, strict=True)]
        finite = [value for value in values if math.isfinite(value)]
        if not finite:
            continue
        curves.append(Curve(words[style], style, _paths(places), tuple(p for p in places if math.isfinite(p[1]))))
        said.append(f"{words[style]} from {finite[0]:.2f} to {finite[-1]:.2f}")
    mark = None
    if best is not None:
        mark = (_across(x, best), f"epoch kept: {best:g}")
        said.append(f"epoch {best:g} was kept")
    return Chart(
        title=f"{what} by epoch",
        summary=f"{what} over epochs {epochs[0]:g} to {epochs[-1]:g}: {', '.join(said)}.",
        x_ticks=tuple((_across(x, value), f"{value:g}") for value in x.values),
        y_ticks=tuple((_up(y, value), f"{value:g}") for value in y.values),
        curves=tuple(curves),
        best=mark,
        mark_low=what == "mIoU",
    )


def _across(ticks: Ticks, value: float) -> float:
    return round(LEFT + (value - ticks.low) / (ticks.high - ticks.low) * (WIDTH - LEFT - RIGHT), 1)


def _up(ticks: Ticks, value: float) -> float:
    share = (value - ticks.low) / (ticks.high - ticks.low)
    return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def _paths(places: Sequence[tuple[float, float]]) -> tuple[str, ...]:
    """Return the points of each part of a line that has no gaps, as SVG writes them."""
    parts: list[list[str]] = [[]]
    for x, y in places:
        if math.isfinite(y):
            parts[-1].append(f"{x},{y}")
        elif parts[-1]:
            parts.append([])
    return tuple(" ".join(part) for part in parts if len(part) > 1)
