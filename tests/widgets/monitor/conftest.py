import pytest

from histowidgets.widgets.monitor import LossMonitor


@pytest.fixture
def monitor():
    monitor = LossMonitor()
    yield monitor
    monitor.close()
