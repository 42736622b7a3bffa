"""What the normalization makes of the pixels in view: a picture and the values, before and after."""

import base64
import io
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape

import ipywidgets
import numpy as np
import PIL.Image

from histowidgets.annotations import Project
from histowidgets.errors import HistowidgetsError
from histowidgets.images import Image, ImageStatistics, Normalization, Region, display_rgb, measure_statistics
from histowidgets.widgets._latest import LatestWorker
from histowidgets.widgets._style import style_widget

#: Longest side of the two pictures, in pixels.
SIDE = 160
BINS = 48
#: With more channels than this, only these many are drawn; the table has all.
MOST_HISTOGRAMS = 4
STRATEGY_WORDS = {
    "percentile_99": "1st percentile becomes 0, 99th becomes 1",
    "min_max": "minimum becomes 0, maximum becomes 1",
    "z_score": "mean − 5 sd becomes 0, mean + 5 sd becomes 1",
    "fixed_range": "a fixed range becomes 0 to 1",
}


@dataclass(frozen=True)
class _Wanted:
    images: tuple[Image, ...]
    image: Image
    region: Region
    normalization: Normalization


@dataclass(frozen=True)
class NormalizationView:
    """What is shown: pixels of a region, and what the normalization makes of them.

    Attributes
    ----------
    before : numpy.ndarray
        ``(rows, cols, channels)``, in the image's own units.
    after : numpy.ndarray
        float32 of the same shape, 0 to 1: what the network is given.
    normalization : Normalization
        With the statistics of the images that are trained on.
    channel_names : tuple of str
    """

    before: np.ndarray
    after: np.ndarray
    normalization: Normalization
    channel_names: tuple[str, ...]


def normalized_view(
    images: Sequence[Image],
    image: Image,
    region: Region,
    normalization: Normalization,
    statistics: ImageStatistics | None = None,
) -> NormalizationView:
    """Normalize what is in view as training would.

    Parameters
    ----------
    images
        Those that are trained on; their pixels are measured as training does (`measure_statistics`).
    image, region
        What to show; read at no more than `SIDE` pixels.
    normalization
        Its statistics, if it has any, are used as they are.
    statistics
        Of `images`, if they are known already.
    """
    if normalization.statistics is None and normalization.strategy != "fixed_range":
        normalization = replace(normalization, statistics=statistics or measure_statistics(images))
    downsample = max(1.0, max(region.width, region.height) / SIDE)
    before = image.read(*region, downsample=downsample)
    after = normalization.of_image(image).apply(before)
    return NormalizationView(before, after, normalization, tuple(image.channel_names))


class NormalizationPreview(ipywidgets.VBox):
    """A small picture and the histograms before and after, with the values that become 0 and 1.

    It is computed on a thread, with the functions that training uses. Nothing is computed before `show`.

    Parameters
    ----------
    project
        Its images that are not for validation only are measured.
    view
        Returns the name of an image and the region to show; by default the whole first image.
    log
        Called with the traceback of an error that is nobody's input.

    Examples
    --------
    >>> import histowidgets as hw
    >>> from histowidgets.widgets import NormalizationPreview
    >>> project = hw.Project(["Tumour", "Stroma"])
    >>> project.add_image(hw.samples.colon_ihc())
    'colon_ihc'
    >>> preview = NormalizationPreview(project)
    >>> preview.show(hw.Normalization("percentile_99"))
    >>> preview.idle.wait()
    True
    >>> preview.close()
    """

    def __init__(
        self,
        project: Project,
        view: Callable[[], tuple[str, Region]] | None = None,
        log: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._project, self._view, self._log = project, view or self._whole_first, log
        self._statistics: tuple[tuple[Image, ...], ImageStatistics] | None = None
        self.shown: NormalizationView | None = None
        self._html = ipywidgets.HTML("<p class='hw-quiet'>Measuring the images…</p>")
        super().__init__([style_widget("normalization_preview"), self._html])
        self.add_class("hw-normalization")
        self._worker = LatestWorker("normalization-preview", self._work, self._answered)
        self.idle = self._worker.idle

    def show(self, normalization: Normalization) -> None:
        """Show what a normalization makes of what is in view now; returns at once.

        Parameters
        ----------
        normalization
            Without statistics, those of the training images are measured.
        """
        name, region = self._view()
        snapshot = self._project.snapshot()
        trained = [one for one in snapshot.images if snapshot.roles[one] != "validation"]
        annotated = [one for one in trained if one in snapshot.annotated_names()]
        images = tuple(snapshot.images[one] for one in annotated or trained or snapshot.images)
        self._worker.request(_Wanted(images, snapshot.images[name], region, normalization))

    def _whole_first(self) -> tuple[str, Region]:
        name = self._project.image_names[0]
        return name, self._project.image(name).region

    def _work(self, wanted: _Wanted, is_stale: Callable[[], bool]) -> NormalizationView:
        kept, normalization = self._statistics, wanted.normalization
        known = kept[1] if kept is not None and kept[0] == wanted.images else None
        if known is None and normalization.statistics is None and normalization.strategy != "fixed_range":
            known = measure_statistics(wanted.images)
            self._statistics = (wanted.images, known)
        return normalized_view(wanted.images, wanted.image, wanted.region, normalization, known)

    def _answered(self, wanted: _Wanted, found: NormalizationView | None, error: BaseException | None) -> None:
        if error is not None or found is None:
            if not isinstance(error, HistowidgetsError | OSError):
                self._log("".join(traceback.format_exception(error)) if error else "No preview.")
            self._html.value = f"<p class='hw-quiet' role='alert'>No preview: {escape(str(error))}</p>"
            return
        self.shown = found
        self._html.value = view_html(found)

    def close(self) -> None:
        """End the worker and close the widgets."""
        self._worker.close()
        super().close()


# -- as HTML -----------------------------------------------------------------------------------------


def view_html(view: NormalizationView) -> str:
    """Return the two pictures, the histograms and the table of values."""
    limits = _limits(view)
    before, after = _picture(display_rgb(view.before)), _picture(_after_rgb(view.after))
    rows, plots = [], []
    for c, (name, (low, high)) in enumerate(zip(view.channel_names, limits, strict=True)):
        values = view.before[..., c]
        clipped = 100 * float(np.mean((values < low) | (values > high)))
        cells = "".join(f"<td>{cell}</td>" for cell in (f"{low:,.4g}", f"{high:,.4g}", f"{clipped:.1f} %"))
        rows.append(f"<tr><th scope='row'>{escape(name)}</th>{cells}</tr>")
        if c < MOST_HISTOGRAMS:
            plots.append(_plots(name, values, view.after[..., c], low, high))
    normalization = view.normalization
    by = "each channel by its own values" if normalization.by_channel(len(limits)) else "all channels together"
    statistics = normalization.statistics
    rest = ""
    if statistics is not None:
        pixels = f"{statistics.n_pixels:,} pixels ({statistics.dtype})"
        rest = f"; measured on {pixels}, drawn by seed from all over the images"
    return (
        f"<p class='hw-norm-words'>{escape(STRATEGY_WORDS[normalization.strategy])}, {by}{escape(rest)}.</p>"
        f"<div class='hw-norm-pair'><figure>{before}<figcaption>before</figcaption></figure>"
        f"<figure>{after}<figcaption>as the network sees it</figcaption></figure></div>{''.join(plots)}"
        "<table class='hw-table'><tr><th></th><th scope='col'>becomes 0</th><th scope='col'>becomes 1</th>"
        f"<th scope='col'>cut off in view</th></tr>{''.join(rows)}</table>"
    )


def _limits(view: NormalizationView) -> list[tuple[float, float]]:
    """Return the values that become 0 and 1 in each channel, found with `apply` itself: it is linear between them."""
    normalization, n_channels = view.normalization, len(view.channel_names)
    statistics = normalization.statistics
    if normalization.strategy == "fixed_range" or statistics is None:
        return [(float(normalization.low or 0.0), float(normalization.high or 0.0))] * n_channels
    by_channel = normalization.by_channel(n_channels)
    found = []
    for c in range(n_channels):
        numbers = statistics.channels[c] if by_channel else statistics.joint
        found.append(
            {
                "percentile_99": (numbers.p1, numbers.p99),
                "min_max": (numbers.minimum, numbers.maximum),
                "z_score": (numbers.mean - 5 * numbers.std, numbers.mean + 5 * numbers.std),
            }[normalization.strategy]
        )
    return found


def _after_rgb(after: np.ndarray) -> np.ndarray:
    shades = np.rint(255 * after).astype(np.uint8)
    return shades if shades.shape[-1] == 3 else display_rgb(shades)


def _picture(rgb: np.ndarray) -> str:
    buffer = io.BytesIO()
    PIL.Image.fromarray(np.ascontiguousarray(rgb)).save(buffer, "JPEG", quality=88)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f"<img alt='' src='data:image/jpeg;base64,{data}'>"


def _plots(name: str, before: np.ndarray, after: np.ndarray, low: float, high: float) -> str:
    least, most = float(before.min()), float(before.max())
    left = _histogram(f"{name} before", before, min(least, low), max(most, high), (low, high))
    return f"<div class='hw-norm-pair'>{left}{_histogram(f'{name} after', after, 0.0, 1.0, None)}</div>"


def _histogram(name: str, values: np.ndarray, least: float, most: float, marks: tuple[float, float] | None) -> str:
    """Return a histogram as SVG, with lines at the values that become 0 and 1."""
    most = most if most > least else least + 1
    counts, _ = np.histogram(values, BINS, (least, most))
    heights = np.sqrt(counts / max(1, counts.max())) * 34
    bars = "".join(
        f"<rect x='{x * 150 / BINS:.1f}' y='{36 - tall:.1f}' width='{150 / BINS - 0.4:.1f}' height='{tall:.1f}'/>"
        for x, tall in enumerate(heights)
        if tall > 0
    )
    lines = "".join(
        f"<line x1='{x:.1f}' x2='{x:.1f}' y1='0' y2='36'/>"
        for x in (150 * (mark - least) / (most - least) for mark in marks or ())
    )
    return (
        f"<figure><svg viewBox='0 0 150 37' role='img' aria-label='Histogram of {escape(name, quote=True)}'>"
        f"{bars}{lines}</svg><figcaption><span>{least:,.4g}</span><b>{escape(name)}</b><span>{most:,.4g}</span>"
        "</figcaption></figure>"
    )
