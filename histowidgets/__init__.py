"""Annotate histology images in Jupyter, train a pixel classifier in the kernel, and export the results.

Importing this package is fast: each name is loaded from its subpackage on first use, so that torch and the widgets are
loaded only when they are needed.
"""

import os

import lazy_loader

# OpenMP reads this once, when torch is loaded. By default its threads spin while they wait; where the browser, the
# kernel and two learners share two cores, this made training up to twenty times slower (docs/architecture.md, "Sharing
# the cores").
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
