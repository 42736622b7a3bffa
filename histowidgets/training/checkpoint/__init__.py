"""Checkpoints of a run on disk: its best weights, and the state to resume from.

The names are listed in `__init__.pyi` and imported on first use, so that torch is loaded only if needed.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
