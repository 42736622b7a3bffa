"""The command line: `histowidgets train`, `predict` and others, on the folders that the studio writes."""

from histowidgets.cli._main import build_parser, main
from histowidgets.cli._progress import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, EXIT_REFUSED

__all__ = ["EXIT_FAILED", "EXIT_INTERRUPTED", "EXIT_OK", "EXIT_REFUSED", "build_parser", "main"]
