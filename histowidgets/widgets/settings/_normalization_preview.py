"""Preview the effect of the normalization on the pixels in view: picture and values, before and after."""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import ipywidgets
import numpy as np

from histowidgets.annotations import Project, ProjectSnapshot
from histowidgets.errors import HistowidgetsError
from histowidgets.images import Image, Normalization, Region, display_rgb
from histowidgets.training import with_channels
from histowidgets.widgets.common import LatestWorker, picture_url, style_widget

#: Longest side of the two pictures, in pixels.
SIDE = 160
BINS = 48
#: Most channels with a histogram; the table has all channels.
MOST_HISTOGRAMS = 4
STRATEGY_WORDS = {
    "percentile_99": "1st percentile becomes 0, 99th becomes 1",
    "min_max": "minimum becomes 0, maximum becomes 1",
    "z_score": "mean − 5 sd becomes 0, mean + 5 sd becomes 1",
    "fixed_range": "a fixed range becomes 0 to 1",
}


@dataclass(frozen=True)
class _Wanted:
    snapshot: ProjectSnapshot
    image_name: str
    region: Region
    normalization: Normalization
    channels: tuple[str, ...]


@dataclass(frozen=True)
class NormalizationView:
    """Pixels of a region, before and after the normalization.

    Attributes
    ----------
    before : numpy.ndarray
        ``(rows, cols, channels)``, in the image's own units.
    matched : numpy.ndarray
        The same after stain matching, if the normalization does that; the values that become 0 and 1 refer to these.
    after : numpy.ndarray
        float32 of the same shape, 0 to 1: the network's input.
    normalization : Normalization
        The normalization for the image in view, with the statistics of the training images.
    channel_names : tuple of str
    """

    before: np.ndarray
    matched: np.ndarray
    after: np.ndarray
    normalization: Normalization
    channel_names: tuple[str, ...]


def normalized_view(image: Image, region: Region, normalization: Normalization) -> NormalizationView:
    """Normalize a view as training does.

    Parameters
    ----------
    image, region
        The view, read at no more than `SIDE` pixels.
    normalization
        Fitted to the training images.
    """
    downsample = max(1.0, max(region.width, region.height) / SIDE)
    before = image.read(*region, downsample=downsample)
    own = normalization.of_image(image)
    return NormalizationView(before, own.matched(before), own.apply(before), own, tuple(image.channel_names))


class NormalizationPreview(ipywidgets.VBox):
    """Small pictures and histograms before and after normalization, with the values that become 0 and 1.

    They are computed on a thread, with the functions that training uses. Nothing is computed before `show`.

    Parameters
    ----------
    project
        Has the images to measure, except those for validation only.
    view
        Returns the name of an image and the region to show; by default the first image as a whole.
    log
        Called with the traceback of each unexpected error.

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

    _closed = True  # until it is built: Python also closes a widget whose construction failed

    def __init__(
        self,
        project: Project,
        view: Callable[[], tuple[str, Region]] | None = None,
        log: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._project, self._view, self._log = project, view or self._whole_first, log
        self._fitted: tuple[tuple[Any, ...], Normalization] | None = (
            None  # the images and channels it was fitted to, and the result
        )
        self.shown: NormalizationView | None = None
        self._html = ipywidgets.HTML("<p class='hw-quiet'>Measuring the images…</p>")
        super().__init__([style_widget("normalization_preview/style"), self._html])
        self.add_class("hw-normalization")
        self._worker = LatestWorker("normalization-preview", self._work, self._answered)
        self.idle = self._worker.idle
        self._closed = False

    def show(self, normalization: Normalization, channels: Sequence[str] = ()) -> None:
        """Show the effect of a normalization on the region in view; returns at once.

        Parameters
        ----------
        normalization
            If it has no statistics, those of the training images are measured.
        channels
            Names of the channels to train on; by default those of the first annotated image, as in training.
        """
        name, region = self._view()
        self._worker.request(_Wanted(self._project.snapshot(), name, region, normalization, tuple(channels)))

    def _whole_first(self) -> tuple[str, Region]:
        name = self._project.image_names[0]
        return name, self._project.image(name).region

    def _work(self, wanted: _Wanted, is_stale: Callable[[], bool]) -> NormalizationView:
        snapshot = with_channels(wanted.snapshot, wanted.channels)
        return normalized_view(snapshot.images[wanted.image_name], wanted.region, self._fit(wanted, snapshot))

    def _fit(self, wanted: _Wanted, snapshot: ProjectSnapshot) -> Normalization:
        """Fit the normalization to the training images, which are measured only once."""
        normalization = wanted.normalization
        needs_none = normalization.strategy == "fixed_range" and not normalization.match_stain
        if normalization.statistics is not None or needs_none:
            return normalization
        trained = [one for one in snapshot.images if snapshot.roles[one] != "validation"]
        annotated = [one for one in trained if one in snapshot.annotated_names()]
        names = annotated or trained or list(snapshot.images)
        images = [snapshot.images[name] for name in names]
        key = (
            tuple(wanted.snapshot.images[name] for name in names),
            tuple(image.channel_names for image in images),
            normalization.match_stain,
        )
        if self._fitted is None or self._fitted[0] != key:
            self._fitted = (key, normalization.fitted(images))
        known = self._fitted[1]
        return replace(normalization, statistics=known.statistics, stain=known.stain)

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
        if not self._closed:
            self._closed = True
            self._worker.close()
            super().close()


# -- as HTML -----------------------------------------------------------------------------------------


def view_html(view: NormalizationView) -> str:
    """Return the pictures, the histograms and the table of values as HTML."""
    limits = view.normalization.ranges(len(view.channel_names))
    before, after = _picture(display_rgb(view.before)), _picture(_after_rgb(view.after))
    rows, plots = [], []
    for c, (name, (low, high)) in enumerate(zip(view.channel_names, limits, strict=True)):
        values = view.matched[..., c]
        clipped = 100 * float(np.mean((values < low) | (values > high)))
        cells = "".join(f"<td>{cell}</td>" for cell in (f"{low:,.4g}", f"{high:,.4g}", f"{clipped:.1f} %"))
        rows.append(f"<tr><th scope='row'>{escape(name)}</th>{cells}</tr>")
        if c < MOST_HISTOGRAMS:
            plots.append(_plots(name, values, view.after[..., c], low, high))
    normalization = view.normalization
    by = "each channel by its own values" if normalization.by_channel(len(limits)) else "all channels together"
    if normalization.own is not None and normalization.stain is not None:
        by += ", after the stain is matched to that of training"
    statistics = normalization.statistics
    rest = ""
    if statistics is not None:
        pixels = f"{statistics.n_pixels:,} pixels ({statistics.dtype})"
        rest = f"; measured on {pixels}, sampled from all images"
    return (
        f"<p class='hw-norm-words'>{escape(STRATEGY_WORDS[normalization.strategy])}, {by}{escape(rest)}.</p>"
        f"<div class='hw-norm-pair'><figure>{before}<figcaption>before</figcaption></figure>"
        f"<figure>{after}<figcaption>as the network sees it</figcaption></figure></div>{''.join(plots)}"
        "<table class='hw-table'><tr><td></td><th scope='col'>becomes 0</th><th scope='col'>becomes 1</th>"
        f"<th scope='col'>clipped in view</th></tr>{''.join(rows)}</table>"
    )


def _after_rgb(after: np.ndarray) -> np.ndarray:
    shades = np.rint(255 * after).astype(np.uint8)
    return shades if shades.shape[-1] == 3 else display_rgb(shades)


def _picture(rgb: np.ndarray) -> str:
    return f"<img alt='' src='{picture_url(rgb, quality=88)}'>"


def _plots(name: str, before: np.ndarray, after: np.ndarray, low: float, high: float) -> str:
    before, after = before[~np.isnan(before)], after[~np.isnan(before)]  # NaN: no data
    least, most = (float(before.min()), float(before.max())) if before.size else (low, high)
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
