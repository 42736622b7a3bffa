"""Paint a few strokes, train a pixel classifier in the kernel, watch it learn, take it away.

Importing this module is quick: each name is fetched from its room when it is first used, so that neither
torch nor the widgets are loaded before they are needed.
"""

import os

import lazy_loader

# Read once, when torch is loaded. By default its threads spin while they wait; where the browser, the kernel and two
# learners share two cores, that made training up to twenty times slower (docs/architecture.md, "Sharing the cores").
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
