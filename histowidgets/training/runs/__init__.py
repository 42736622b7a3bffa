"""Runs: start and resume a training, follow its state, replay one, report a loop of your own.

The names are listed in `__init__.pyi` and loaded when first used, so that what needs no torch does not load it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
