"""Draw the charts of a run as a picture, without a browser. Knows no widget."""

from collections.abc import Mapping, Sequence

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

from histowidgets._ticks import IOU_TICKS, Ticks, epoch_ticks, linear_ticks, log_ticks
from histowidgets.widgets.monitor._run_curves import Curve, RunCurves
from histowidgets.widgets.monitor._styles import TRAIN, VALIDATION, Style

WIDTH, PANEL_HEIGHT = 1200, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 90, 30, 50, 50
_INK, _GREY, _GRID, _BEST = "#1f2328", "#656d76", "#e3e6ea", "#1a7f37"
# Lengths of dashes and gaps, in pixels of the picture.
_DASHES = {"solid": None, "dashed": (14, 8), "dotted": (3, 6), "dash_dotted": (16, 6)}

Line = tuple[str, Curve, str, str]
"""Name, curve, colour and a key of `_DASHES`."""


def draw_picture(run: RunCurves, classes: Mapping[str, Style], log_scale: bool) -> PIL.Image.Image:
    """Draw loss and mIoU over epochs as an RGB picture of 1200 x 840 pixels on white.

    Parameters
    ----------
    run
        The run whose curves to draw.
    classes
        The classes whose IoU to draw, and their styles.
    log_scale
        Whether the loss axis is logarithmic.
    """
    picture = PIL.Image.new("RGB", (WIDTH, 2 * PANEL_HEIGHT), "white")
    draw = PIL.ImageDraw.Draw(picture)
    x = epoch_ticks(run.first_epoch, run.last_epoch)
    losses = [run.curve("train_loss"), run.curve("val_loss")]
    values = np.concatenate([curve.y for curve in losses])
    _panel(draw, 0, "Loss", x, log_ticks(values) if log_scale else linear_ticks(values), _pair(*losses), run, log_scale)
    scores = _pair(run.curve("train_miou"), run.curve("val_miou"))
    scores += [(name, run.curve("val_iou", name), style.color, style.dash) for name, style in classes.items()]
    _panel(draw, PANEL_HEIGHT, "mIoU", x, IOU_TICKS, scores, run, False)
    return picture


def _pair(train: Curve, validation: Curve) -> list[Line]:
    return [
        ("train", train, TRAIN.color, TRAIN.dash),
        ("validation", validation, VALIDATION.color, VALIDATION.dash),
    ]


def _panel(
    draw: PIL.ImageDraw.ImageDraw,
    top: int,
    title: str,
    x: Ticks,
    y: Ticks,
    lines: Sequence[Line],
    run: RunCurves,
    log_scale: bool,
) -> None:
    left, right, high, low = _LEFT, WIDTH - _RIGHT, top + _TOP, top + PANEL_HEIGHT - _BOTTOM

    def across(value: np.ndarray) -> np.ndarray:
        return left + (value - x.low) / (x.high - x.low) * (right - left)

    def up(value: np.ndarray) -> np.ndarray:
        scale = np.log10 if log_scale else np.asarray
        with np.errstate(divide="ignore", invalid="ignore"):
            share = (scale(value) - scale(y.low)) / (scale(y.high) - scale(y.low))
        return low - share * (low - high)

    for value in y.values:
        at = float(up(np.array(value)))
        draw.line([(left, at), (right, at)], fill=_GRID)
        draw.text((left - 10, at), f"{value:g}", fill=_GREY, font=_font(18), anchor="rm")
    for value in x.values:
        draw.text((float(across(np.array(value))), low + 8), f"{value:g}", fill=_GREY, font=_font(18), anchor="mt")
    draw.text(((left + right) / 2, low + 28), "epoch", fill=_GREY, font=_font(18), anchor="mt")
    if run.best_epoch is not None:
        at = float(across(np.array(run.best_epoch)))
        _polyline(draw, np.array([at, at]), np.array([high, low]), _BEST, (3, 6), 2)
        side = "ra" if at > (left + right) / 2 else "la"
        draw.text((at + (-8 if side == "ra" else 8), high), f"best {run.best_epoch:g}", _BEST, _font(18), side)
    _legend(draw, title, top + 12, lines)
    for _, curve, color, dash in lines:
        _polyline(draw, across(curve.x), up(curve.y), color, _DASHES[dash], 3)


def _legend(draw: PIL.ImageDraw.ImageDraw, title: str, y: int, lines: Sequence[Line]) -> None:
    draw.text((_LEFT, y), title, fill=_INK, font=_font(22))
    x = _LEFT + draw.textlength(title, font=_font(22)) + 24
    for name, _, color, dash in lines:
        _polyline(draw, np.array([x, x + 40]), np.array([y + 13, y + 13]), color, _DASHES[dash], 3)
        draw.text((x + 48, y + 2), name, fill=_INK, font=_font(18))
        x += 72 + draw.textlength(name, font=_font(18))


def _polyline(
    draw: PIL.ImageDraw.ImageDraw,
    x: np.ndarray,
    y: np.ndarray,
    color: str,
    dash: tuple[int, int] | None,
    width: int,
) -> None:
    """Draw a line with gaps where `y` is not finite; dashes continue around corners."""
    travelled = 0.0
    for x0, y0, x1, y1 in zip(x[:-1], y[:-1], x[1:], y[1:], strict=True):
        if not np.isfinite([y0, y1]).all():
            continue
        if dash is None:
            draw.line([(x0, y0), (x1, y1)], fill=color, width=width)
            continue
        length, at = float(np.hypot(x1 - x0, y1 - y0)), 0.0
        while at < length:
            phase = (travelled + at) % sum(dash)
            drawn = phase < dash[0]
            step = min((dash[0] if drawn else sum(dash)) - phase, length - at)
            if drawn:
                a, b = at / length, (at + step) / length
                draw.line(
                    [(x0 + a * (x1 - x0), y0 + a * (y1 - y0)), (x0 + b * (x1 - x0), y0 + b * (y1 - y0))], color, width
                )
            at += max(step, 0.5)
        travelled += length


def _font(size: int) -> PIL.ImageFont.ImageFont | PIL.ImageFont.FreeTypeFont:
    return PIL.ImageFont.load_default(size)
