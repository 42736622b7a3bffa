"""Save classifiers to a folder, and load them."""

from histowidgets.prediction.storage._folder import CARD, WEIGHTS, described_spec, read_folder, write_folder

__all__ = [
    "CARD",
    "WEIGHTS",
    "described_spec",
    "read_folder",
    "write_folder",
]
