"""What the monitor says in words and numbers, as HTML. Everything that came from outside is escaped here."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from histowidgets._durations import clock
from histowidgets.widgets.monitor._chart import Style

# Longer tables are slow to lay out; epochs are then left out evenly, never the best nor the latest.
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
    ("train_miou", "train mIoU"),
    ("val_miou", "validation mIoU"),
    ("val_accuracy", "validation accuracy"),
    ("learning_rate", "learning rate"),
)

_SVG_DASHES = {"solid": "", "dashed": "6 3", "dotted": "1.5 3", "dash_dotted": "7 3 1.5 3"}


@dataclass
class Progress:
    """Where a run is; None for what is not known."""

    state: str | None = None
    epoch: float | None = None
    epochs: int | None = None
    step: int | None = None
    steps: int | None = None
    seconds: float | None = None
    seconds_left: float | None = None
    reason: str = ""

    @property
    def fraction(self) -> float | None:
        """The share of the run that is done, 0 to 1: of its time where that is known, else of its epochs."""
        # A run that is limited in time may end long before its last epoch.
        if self.seconds and self.seconds_left is not None:
            total = self.seconds + self.seconds_left
            return self.seconds / total if math.isfinite(total) and total > 0 else None
        if not self.epochs or self.epoch is None:
            return None
        begun = (self.step or 0) / self.steps if self.step is not None and self.steps else 1.0
        return min(1.0, max(0.0, (self.epoch - 1 + begun) / self.epochs))


def number(value: float | None) -> str:
    """Return `value` for people: ``"0.187"``, ``"0.0067"``, ``"1.2e-05"``, ``"–"`` where nothing was measured."""
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


def status_html(progress: Progress, brief: bool = False) -> str:
    """Return the line above the charts, and the thin bar beneath it; `brief`: without what buttons beside it say."""
    words = []
    if progress.epoch is not None:
        of = f"/{progress.epochs}" if progress.epochs else ""
        words.append(f"epoch {_whole(progress.epoch)}{of}")
    running = progress.state in ("running", "paused", "stopping")
    if running and progress.step is not None and progress.steps and not brief:
        words.append(f"step {progress.step}/{progress.steps}")
    if running and progress.seconds_left is not None and math.isfinite(progress.seconds_left):
        words.append(f"{clock(progress.seconds_left)} left")
    state = STATE_WORDS.get(progress.state or "", progress.state or "")
    if brief and progress.state == "running" and words:
        state = ""
    parts = ([f"<b>{escape(state)}</b>"] if state else []) + [escape(word) for word in words]
    # Broken only between the words, where it is narrow.
    line = " · ".join(part.replace(" ", "&nbsp;") for part in parts) or "&nbsp;"
    if progress.state == "failed":
        line = f'<span role="alert"><b>Failed</b>{": " + escape(progress.reason) if progress.reason else ""}</span>'
    share = progress.fraction
    bar = f'<i style="width:{100 * share:.1f}%"></i>' if share is not None and running else ""
    state_name = escape(progress.state or "none")
    return (
        f'<div class="hw-run-line" data-state="{state_name}">{line}</div>'
        f'<div class="hw-run-bar" aria-hidden="true">{bar}</div>'
    )


def placeholder_html(state: str | None) -> str:
    """Return what stands where the charts will be."""
    words = "No run yet: press Train"
    if state in ("preparing", "running", "paused"):
        words = "Waiting for the first epoch…"
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
    """Return the key of a chart: each line's look, its name, and its value at the latest epoch."""
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
    """Return the numbers of the charts as a table, the latest epoch first, for those who cannot see a chart."""
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
        f" {len(records) - len(rows)} earlier epochs are left out here; the run's history has them all."
        if len(rows) < len(records)
        else ""
    )
    return (
        '<div class="hw-numbers-box" tabindex="0" role="region" aria-label="Numbers of each epoch">'
        f'<table class="hw-numbers"><caption>{len(records)} epochs, latest first.{left_out}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def messages_html(messages: Iterable[tuple[str, str]]) -> str:
    """Return what the run said, as ``(level, text)`` pairs, latest first."""
    items = "".join(f'<li data-level="{escape(level)}">{escape(text)}</li>' for level, text in reversed(list(messages)))
    return f'<ul class="hw-messages">{items}</ul>'
