"""The folder of a classifier on disk."""

from histowidgets.prediction.storage._folder import read_folder, write_folder

__all__ = [
    "read_folder",
    "write_folder",
]
