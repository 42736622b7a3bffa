"""Parts that several widgets share: style sheets, worker threads, the run bridge, small controls."""

from histowidgets.widgets.common._advice_line import AdviceLine, evidence_text
from histowidgets.widgets.common._assets import bundle, style_sheet, style_widget
from histowidgets.widgets.common._bridge import RunBridge
from histowidgets.widgets.common._callbacks import link_slider, listen, observe
from histowidgets.widgets.common._close_widgets import close_tree
from histowidgets.widgets.common._colab import outbox, prepare, pulse
from histowidgets.widgets.common._disclosure import Disclosure
from histowidgets.widgets.common._download import Download
from histowidgets.widgets.common._entry import Entry
from histowidgets.widgets.common._fallback_picture import static_html
from histowidgets.widgets.common._labelled import wide
from histowidgets.widgets.common._latest_worker import LatestWorker
from histowidgets.widgets.common._picture_url import picture_url
from histowidgets.widgets.common._serial_queue import SerialQueue, batch
from histowidgets.widgets.common._task_queue import Errands

__all__ = [
    "AdviceLine",
    "Disclosure",
    "Download",
    "Entry",
    "Errands",
    "LatestWorker",
    "RunBridge",
    "SerialQueue",
    "batch",
    "bundle",
    "close_tree",
    "evidence_text",
    "link_slider",
    "listen",
    "observe",
    "outbox",
    "picture_url",
    "prepare",
    "pulse",
    "static_html",
    "style_sheet",
    "style_widget",
    "wide",
]
