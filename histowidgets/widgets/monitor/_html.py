"""The text and numbers of the monitor as HTML. All text from elsewhere is escaped here."""

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from histowidgets._durations import clock
from histowidgets.training import RunState
from histowidgets.widgets.monitor._styles import Style

# Most rows of the table. Longer tables are slow to lay out: epochs are left out evenly, but not the best and latest.
MAX_ROWS = 200

STATE_WORDS = {
    "preparing": "Preparing",
    "running": "Training",
    "paused": "Paused",
    "stopping": "Stopping",
    "finished": "Finished",
    "stopped": "Stopped",
    "failed": "Failed",
}

_COLUMNS = (
    ("train_loss", "train loss"),
    ("val_loss", "validation loss"),
    ("train_miou", "train score (mIoU)"),
    ("val_miou", "validation score (mIoU)"),
    ("val_accuracy", "validation accuracy"),
    ("learning_rate", "learning rate"),
)

_SVG_DASHES = {"solid": "", "dashed": "6 3", "dotted": "1.5 3", "dash_dotted": "7 3 1.5 3"}


# Most messages in the list; the latest are kept.
MAX_MESSAGES = 50


def fraction_done(state: RunState) -> float | None:
    """Return the completed share of a run, 0 to 1: of its time if known, else of its epochs."""
    # A run with a time limit may end long before its last epoch.
    if state.seconds and state.seconds_left is not None:
        total = state.seconds + state.seconds_left
        return state.seconds / total if math.isfinite(total) and total > 0 else None
    if not state.epochs or state.epoch is None:
        return None
    begun = (state.step or 0) / state.steps if state.step is not None and state.steps else 1.0
    return min(1.0, max(0.0, (state.epoch - 1 + begun) / state.epochs))


def number(value: float | None) -> str:
    """Format a value for reading: ``"0.187"``, ``"0.0067"``, ``"1.2e-05"``; ``"–"`` if not measured."""
    if value is None:
        return "–"
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    if size >= 1e5 or 0 < size < 1e-4:
        return f"{value:.1e}"
    return f"{value:.4f}" if 0 < size < 0.01 else f"{value:.3f}" if size < 100 else f"{value:.1f}"


def _whole(epoch: float) -> str:
    return f"{epoch:g}" if epoch < 1e6 else f"{epoch:.0f}"


def status_html(state: RunState, brief: bool = False) -> str:
    """Return the status line and its thin progress bar; `brief` leaves out what buttons beside it already say."""
    words = []
    if state.epoch is not None:
        of = f"/{state.epochs}" if state.epochs else ""
        words.append(f"epoch {_whole(state.epoch)}{of}")
    running = state.state in ("running", "paused", "stopping")
    if running and state.step is not None and state.steps and not brief:
        words.append(f"step {state.step}/{state.steps}")
    if running and state.seconds_left is not None and math.isfinite(state.seconds_left):
        words.append(f"{clock(state.seconds_left)} left")
    word = STATE_WORDS.get(state.state or "", state.state or "")
    why = end_text(state)
    if why:
        word, words = why[0].upper() + why[1:], []
    if brief and state.state == "running" and words:
        word = ""
    parts = ([f"<b>{escape(word)}</b>"] if word else []) + [escape(word) for word in words]
    # In narrow panels, break lines only between the parts.
    whole = parts if why else [part.replace(" ", "&nbsp;") for part in parts]
    line = " · ".join(whole) or "&nbsp;"
    if state.state == "failed":
        line = f'<span role="alert"><b>Failed</b>{": " + escape(state.reason) if state.reason else ""}</span>'
    share = fraction_done(state)
    bar = f'<i style="width:{100 * share:.1f}%"></i>' if share is not None and running else ""
    state_name = escape(state.state or "none")
    return (
        f'<div class="hw-run-line" data-state="{state_name}">{line}</div>'
        f'<div class="hw-run-bar" aria-hidden="true">{bar}</div>'
    )


def end_text(state: RunState) -> str:
    """Return why a run ended, such as ``"stopped after 1:00, the time limit"``; "" if it has not ended."""
    settings, done = state.settings, len(state.history)
    if not state.is_over or state.state == "failed":
        return ""
    of = f"{done} epoch{'' if done == 1 else 's'}"
    if state.epochs is not None and done < state.epochs:
        of = f"{done} of {state.epochs} epochs"
    if state.state == "stopped":
        return f"stopped by hand after {of}"
    if settings is None:
        return f"finished after {of}"
    patience = settings.early_stopping_patience
    if state.epochs is not None and done >= state.epochs:
        return f"finished: all {of}"
    if settings.max_seconds is not None and (state.seconds or 0.0) >= settings.max_seconds:
        return f"stopped after {clock(settings.max_seconds)}, the time limit"
    return f"stopped after {of}: no better for {patience}"


def kept_text(state: RunState) -> str:
    """Return which epoch's weights are kept and why; "" if there are none yet."""
    settings, best = state.settings, state.record_of(state.best_epoch)
    if best is None:
        return ""
    words = f"Epoch {_whole(best['epoch'])} is kept"
    scores = [row["val_miou"] for row in state.history if row["val_miou"] is not None]
    if settings is None or not scores or best["val_miou"] is None:
        return f"{words}."
    if settings.early_stopping_metric == "none":
        return f"{words}: the last one."
    if settings.early_stopping_metric == "val_loss":
        return f"{words}: it has the lowest validation loss."
    if settings.focus_class is not None:
        return f"{words}: it scores best on {settings.focus_class}."
    if best["val_miou"] >= max(scores):
        return f"{words}: it has the highest score."
    return f"{words}: the latest whose score is within {settings.best_tolerance:g} of the highest."


def about_text(state: RunState) -> str:
    """Return the backbone and the numbers of tiles."""
    if not state.n_train_tiles:
        return state.backbone
    return f"{state.backbone} · {state.n_train_tiles} training tiles, {state.n_validation_tiles} for validation"


def placeholder_html(state: str | None) -> str:
    """Return the text that replaces the charts before the first epoch."""
    words = "The loss curve appears here during training."
    if state in ("preparing", "running", "paused"):
        words = "Waiting for the first epochs…"
    elif state == "failed":
        words = "The run failed before its first epoch ended"
    return f"<p>{words}</p>"


def _swatch(style: Style) -> str:
    return (
        '<svg width="20" height="10" aria-hidden="true"><path d="M1 5H19" fill="none" '
        f'stroke="{escape(style.color)}" stroke-width="{style.width:g}" '
        f'stroke-dasharray="{_SVG_DASHES[style.dash]}"/></svg>'
    )


def legend_html(title: str, keys: Iterable[tuple[str, Style, float | None]]) -> str:
    """Return the legend of a chart: the style of each line, its name, and its value at the latest epoch."""
    items = "".join(
        f'<span class="hw-key">{_swatch(style)}{escape(name)} <b>{escape(number(value))}</b></span>'
        for name, style, value in keys
    )
    heading = f"<h4>{escape(title)}</h4>" if title else ""
    return f'<div class="hw-legend">{heading}{items}</div>'


def _chosen_rows(records: Sequence[Mapping[str, Any]], best: float | None) -> list[Mapping[str, Any]]:
    if len(records) <= MAX_ROWS:
        return list(records)
    half = MAX_ROWS // 2
    early = records[:-half]
    stride = math.ceil(len(early) / (half - 1))
    keep = {row["epoch"] for row in early[::stride]}
    return [row for row in early if row["epoch"] in keep or row["epoch"] == best] + list(records[-half:])


def _cell(value: float | None, name: str) -> str:
    if value is None:
        return '<td><span aria-label="not measured">–</span></td>'
    return f"<td>{escape(f'{value:.2g}' if name == 'learning_rate' else number(value))}</td>"


def table_html(records: Sequence[Mapping[str, Any]], class_names: Sequence[str], best: float | None) -> str:
    """Return the numbers of the charts as a table, latest epoch first, for users who cannot see a chart."""
    if not records:
        return '<p class="hw-muted">No epoch yet.</p>'
    columns = [(key, words) for key, words in _COLUMNS if any(row[key] is not None for row in records)]
    head = "".join(
        f'<th scope="col">{escape(words)}</th>'
        for words in ["epoch", *(words for _, words in columns), *(f"IoU {name}" for name in class_names)]
    )
    rows = _chosen_rows(records, best)
    lines = []
    for row in reversed(rows):
        cells = [_cell(row[key], key) for key, _ in columns]
        cells += [_cell(row["val_iou"].get(name), "iou") for name in class_names]
        is_best = row["epoch"] == best
        mark = " <b>best</b>" if is_best else ""
        lines.append(
            f"<tr{' class=hw-best' if is_best else ''}>"
            f'<th scope="row">{_whole(row["epoch"])}{mark}</th>{"".join(cells)}</tr>'
        )
    left_out = (
        f" {len(records) - len(rows)} earlier epochs are left out here; the run's history has all of them."
        if len(rows) < len(records)
        else ""
    )
    return (
        '<div class="hw-numbers-box" tabindex="0" role="region" aria-label="Numbers of each epoch">'
        f'<table class="hw-numbers"><caption>{len(records)} epochs, latest first.{left_out}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def message_list(state: RunState) -> list[tuple[str, str]]:
    """Return the latest messages of a run and why it failed, as ``(level, text)``."""
    said: list[tuple[str, str]] = [(message.level, message.text) for message in state.messages]
    said += [("error", state.reason)] if state.reason else []
    said += [("traceback", state.traceback)] if state.traceback else []
    return said[-MAX_MESSAGES:]


def messages_html(messages: Iterable[tuple[str, str]]) -> str:
    """Return messages, ``(level, text)``, as a list with the latest first."""
    items = "".join(f'<li data-level="{escape(level)}">{escape(text)}</li>' for level, text in reversed(list(messages)))
    return f'<ul class="hw-messages">{items}</ul>'
