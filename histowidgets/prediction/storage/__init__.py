"""Save classifiers to a folder, and load them."""

from histowidgets.prediction.storage._folder import read_folder, write_folder

__all__ = [
    "read_folder",
    "write_folder",
]
