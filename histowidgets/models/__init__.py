"""Building networks: backbones and their weights, input scaling, freeze groups.

The list of backbones is plain data and loads without torch; the rest is imported on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
