"""The versions of what computes, for the files that say how a result was made."""

import platform
from importlib import metadata

#: The packages on which the numbers depend.
PACKAGES = ("histowidgets", "numpy", "torch", "timm", "segmentation-models-pytorch")


def versions() -> dict[str, str]:
    """Return the versions of Python and of the installed `PACKAGES`, by name."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
