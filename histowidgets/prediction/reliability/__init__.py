"""How far predictions can be trusted: whether they change when the image is moved, and whether probabilities hold.

The names are listed in `__init__.pyi` and imported on first use, so that torch is loaded only if needed.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
