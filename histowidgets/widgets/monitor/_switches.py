"""The switches of the monitor's charts, as attributes that Python can read and set."""

from histowidgets.errors import WidgetError
from histowidgets.widgets.monitor._charts import Charts
from histowidgets.widgets.monitor._curves import SMOOTHING


class ChartSwitches:
    """What a person switches on the page, in reach of code: a part of `LossMonitor`."""

    _charts: Charts

    @property
    def log_scale(self) -> bool:
        """Whether the loss axis is logarithmic."""
        return bool(self._charts.log_toggle.value)

    @log_scale.setter
    def log_scale(self, value: bool) -> None:
        self._charts.log_toggle.value = bool(value)

    @property
    def show_classes(self) -> bool:
        """Whether the IoU of each class is drawn."""
        return bool(self._charts.class_toggle.value)

    @show_classes.setter
    def show_classes(self, value: bool) -> None:
        self._charts.class_toggle.value = bool(value)

    @property
    def smoothing(self) -> str:
        """How much the curves are averaged over the epochs before: "none", "light" or "strong"."""
        return str(self._charts.smoothing.value)

    @smoothing.setter
    def smoothing(self, value: str) -> None:
        if value not in SMOOTHING:
            raise WidgetError(f"smoothing is {value!r}; use {', '.join(map(repr, SMOOTHING))}")
        self._charts.smoothing.value = value
