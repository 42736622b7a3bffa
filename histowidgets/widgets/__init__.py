"""The widgets of the notebook: the canvas, the settings form, the live monitor, and the studio that holds them.

Widgets do not import torch. `common/_bridge.py` is the one place where events of a training thread reach the widgets.
"""

import sys

import lazy_loader

# Loaded on first use: the chart imports pandas, which the canvas does not need.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

if "google.colab" in sys.modules:
    from histowidgets.widgets.colab import prepare

    prepare()
