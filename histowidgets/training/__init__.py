"""Training: settings, tiles, the loop, the thread that runs it, its events, cross-validation, the quick learner.

Settings and events load without torch; the rest is imported on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
