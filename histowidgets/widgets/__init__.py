"""What is seen and touched in the notebook: the canvas, the form, the live monitor, and the studio that holds them.

Widgets know no torch. `page/_bridge` is the one place where what a training thread says becomes trait writes.
"""

import sys

import lazy_loader

# Loaded when first used: the chart brings pandas, which the canvas does not need.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

if "google.colab" in sys.modules:
    from histowidgets.widgets.common import prepare

    prepare()
