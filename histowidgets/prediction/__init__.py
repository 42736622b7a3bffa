"""Prediction: the classifier and its folder, tiled prediction of any image, label maps, objects, measurements, exports.

Predictions and overlays need only NumPy; what needs torch is imported on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
