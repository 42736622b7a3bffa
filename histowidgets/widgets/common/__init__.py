"""Shared parts of widgets: style sheets, static outputs, threads, the run bridge, small controls, closing, Colab."""

from histowidgets.widgets.common._action_button import ActionButton
from histowidgets.widgets.common._assets import bundle, style_sheet, style_widget
from histowidgets.widgets.common._bridge import RunBridge
from histowidgets.widgets.common._callbacks import link_slider, listen, observe
from histowidgets.widgets.common._close_widgets import close_tree
from histowidgets.widgets.common._colab_pulse import Pulse, colab_pulse
from histowidgets.widgets.common._controls import Disclosure, TextEntry, full_width, offer
from histowidgets.widgets.common._download import Download
from histowidgets.widgets.common._fallback_picture import static_html
from histowidgets.widgets.common._latest_worker import LatestWorker
from histowidgets.widgets.common._picture_url import picture_url
from histowidgets.widgets.common._serial_queue import SerialQueue, batch
from histowidgets.widgets.common._static_output import StaticOutput
from histowidgets.widgets.common._task_queue import Notify, TaskQueue

__all__ = [
    "ActionButton",
    "Disclosure",
    "Download",
    "LatestWorker",
    "Notify",
    "Pulse",
    "RunBridge",
    "SerialQueue",
    "StaticOutput",
    "TaskQueue",
    "TextEntry",
    "batch",
    "bundle",
    "close_tree",
    "colab_pulse",
    "full_width",
    "link_slider",
    "listen",
    "observe",
    "offer",
    "picture_url",
    "static_html",
    "style_sheet",
    "style_widget",
]
