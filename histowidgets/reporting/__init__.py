"""Reports: what a project contains, what was trained, and what came of it, as one file for people and one to replay it.

The names are listed in `__init__.pyi` and imported on first use, since reading a run's classifier loads torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
