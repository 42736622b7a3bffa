"""The best epoch's scores on held-out strokes, each with its probable range."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from histowidgets.advice import likely_range, strokes_of_mean

# With fewer held-out strokes of a class, its score is rough.
FEW_STROKES = 10
_TIP = (
    "How well the network does in the test area, which it was not trained on and which is outlined on the image. "
    "1 is perfect; the score is the mean over the classes (mIoU). The line is the probable range of the score (95 %) "
    "if each stroke there is right or wrong as a whole. More strokes make it shorter."
)


def held_out_html(record: Mapping[str, Any] | None, strokes: Mapping[str, int], expected: Sequence[str] = ()) -> str:
    """Return the list as HTML, accessible to screen readers; if nothing was measured, only the `expected` classes.

    Parameters
    ----------
    record
        The record of the best epoch; None if nothing was measured yet.
    strokes
        Class name to number of held-out strokes; if empty (unknown), no range is given.
    expected
        Classes whose scores are still to come, whose rows reserve the space.
    """
    if record is None or record.get("val_miou") is None:
        return _empty(expected) if record is None and expected else ""
    scores: dict[str, float | None] = dict(record.get("val_iou") or {})
    measured = [name for name, value in scores.items() if value is not None]
    of_all = strokes_of_mean(strokes.get(name, 0) for name in measured) if strokes else 0.0
    rows = _row("Score", record["val_miou"], of_all, None)
    rows += "".join(_row(name, value, strokes.get(name, 0), strokes.get(name)) for name, value in scores.items())
    fewest = min((strokes.get(name, 0) for name in measured), default=0)
    note = ""
    if strokes and measured and fewest < FEW_STROKES:
        total = sum(strokes.get(name, 0) for name in scores)
        note = f" (rough: {total} stroke{'' if total == 1 else 's'})"
    return _table(f"Test area{note}", rows)


def _table(title: str, rows: str) -> str:
    return f'<table class="hw-held-out" title="{escape(_TIP)}"><caption>{title}</caption><tbody>{rows}</tbody></table>'


def _empty(names: Sequence[str]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td class="hw-range" aria-hidden="true"></td>'
        '<td class="hw-muted"></td><td class="hw-muted">–</td></tr>'
        for name in ("Score", *names)
    )
    return _table("Test area", rows)


def _row(name: str, score: float | None, strokes: float, count: int | None) -> str:
    words = f'<th scope="row">{escape(name)}</th>'
    if score is None or not math.isfinite(score):
        return f'<tr>{words}<td class="hw-muted" colspan="3">no stroke in the test area</td></tr>'
    likely = likely_range(min(max(score, 0.0), 1.0), strokes)
    on = "" if count is None else f"{count} stroke{'' if count == 1 else 's'}"
    drawn = spoken = ""
    if likely is not None:
        low, high = likely
        spoken = f'<span class="hw-sr-only"> probably {low:.2f} to {high:.2f}</span>'
        on = f"{low:.2f}–{high:.2f}" + (f" · {on}" if on else "")
        drawn = f'<i style="left:{100 * low:.1f}%;right:{100 * (1 - high):.1f}%"></i>'
    point = f'<b style="left:{100 * min(max(score, 0.0), 1.0):.1f}%"></b>'
    return (
        f'<tr>{words}<td class="hw-range" aria-hidden="true"><span>{drawn}{point}</span></td>'
        f'<td class="hw-muted" aria-hidden="true">{on}</td><td>{score:.2f}{spoken}</td></tr>'
    )
