"""Show a cross-validation as a chart with error bars and a table of its numbers."""

import math
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets

from histowidgets.errors import WidgetError
from histowidgets.widgets.common import StaticOutput, style_sheet, style_widget

if TYPE_CHECKING:  # it needs torch
    from histowidgets.training import CrossValidation

# CSS pixels.
_WIDTH, _ROW, _LEFT, _RIGHT, _FOOT = 340, 30, 104, 14, 26


class CrossValidationChart(ipywidgets.VBox):
    """The IoU of each class over the folds: a dot per fold, the mean, and a bar of ± one standard deviation.

    A table of the numbers is below it. Both are plain HTML and need no kernel.

    Parameters
    ----------
    result
        The result of `hw.cross_validate`, with at least one finished fold.

    Raises
    ------
    WidgetError
        If no fold was finished.
    """

    def __init__(self, result: "CrossValidation") -> None:
        if not result.folds:
            raise WidgetError("This cross-validation has no finished fold. Let at least one fold finish.")
        self.result = result
        super().__init__([style_widget("trials/style", "common/still"), ipywidgets.HTML(cross_validation_html(result))])
        self.add_class("hw-trials")
        self._static_output = StaticOutput("CrossValidationChart", self.still_html, "folds")

    def still_html(self) -> str:
        """Return the chart and the table as HTML that needs no kernel."""
        return f"<style>{style_sheet('trials/style')}</style>{cross_validation_html(self.result)}"

    def _ipython_display_(self, **kwargs: Any) -> None:
        self._static_output.show(self._repr_mimebundle_(**kwargs))


def cross_validation_html(result: "CrossValidation") -> str:
    """Return the chart and the table as self-contained HTML."""
    rows = [
        (name, result.iou(name), [fold.record["val_iou"].get(name) for fold in result.folds]) for name in result.classes
    ]
    rows.append(("mIoU", result.miou(), [fold.record["val_miou"] for fold in result.folds]))
    height = _ROW * len(rows) + _FOOT
    drawn = "".join(_row(n, *row) for n, row in enumerate(rows))
    words = "; ".join(f"{name} {_numbers(pair)}" for name, pair, _ in rows)
    title = f"{len(result.folds)} of {result.n_folds} folds: mean ± standard deviation of the IoU"
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{_numbers(pair)}</td>'
        + "".join(f"<td>{'–' if value is None else f'{value:.2f}'}</td>" for value in values)
        + "</tr>"
        for name, pair, values in rows
    )
    head = "".join(f'<th scope="col">fold {n}</th>' for n in range(1, len(result.folds) + 1))
    return (
        f'<figure class="hw-folds"><figcaption>{title}</figcaption>'
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(words)}">'
        f"{_axis(height)}{drawn}</svg></figure>"
        f'<div class="hw-trials-box" tabindex="0"><table><thead><tr><td></td><th scope="col">mean ± sd</th>{head}</tr>'
        f"</thead><tbody>{body}</tbody></table></div>"
    )


def _at(value: float) -> float:
    return _LEFT + value * (_WIDTH - _LEFT - _RIGHT)


def _axis(height: int) -> str:
    low = height - _FOOT
    return "".join(
        f'<path class="hw-grid" d="M{_at(v):.1f} 0V{low}"/>'
        f'<text class="hw-tick" x="{_at(v):.1f}" y="{low + 16}">{v:g}</text>'
        for v in (0.0, 0.25, 0.5, 0.75, 1.0)
    )


def _row(number: int, name: str, pair: tuple[float, float] | None, values: list[float | None]) -> str:
    y = _ROW * (number + 0.5)
    short = name if len(name) <= 15 else name[:14] + "…"
    drawn = f'<text class="hw-name" x="{_LEFT - 8}" y="{y + 4:.1f}">{escape(short)}<title>{escape(name)}</title></text>'
    if pair is None:
        return (
            drawn + f'<text class="hw-tick" style="text-anchor:start" x="{_LEFT + 6}" y="{y + 4:.1f}">no labels</text>'
        )
    mean, sd = pair
    drawn += "".join(
        f'<circle class="hw-fold-dot" cx="{_at(v):.1f}" cy="{y + 7:.1f}" r="2.5"/>' for v in values if v is not None
    )
    if math.isfinite(sd):
        low, high = _at(max(0.0, mean - sd)), _at(min(1.0, mean + sd))
        ends = f"M{low:.1f} {y - 5:.1f}v10M{high:.1f} {y - 5:.1f}v10"
        drawn += f'<path class="hw-sd" d="M{low:.1f} {y:.1f}H{high:.1f}{ends}"/>'
    return drawn + f'<rect class="hw-mean" x="{_at(mean) - 2:.1f}" y="{y - 6:.1f}" width="4" height="12"/>'


def _numbers(pair: tuple[float, float] | None) -> str:
    if pair is None:
        return "no labels"
    mean, sd = pair
    return f"{mean:.2f} ± {sd:.2f}" if math.isfinite(sd) else f"{mean:.2f}"
