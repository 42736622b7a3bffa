"""The parser of the command line, and what it ends with."""

import argparse
import sys
from collections.abc import Sequence

from histowidgets.cli._cross_validate import add_cross_validate, cross_validate
from histowidgets.cli._predict import add_predict, predict
from histowidgets.cli._progress import EXIT_INTERRUPTED, EXIT_REFUSED
from histowidgets.cli._train import add_train, train
from histowidgets.errors import HistowidgetsError

_CODES = """exit codes: 0 success; 1 the work failed; 2 the arguments, the settings or the project were refused;
130 interrupted (the best result so far is kept)"""

_COMMANDS = {"train": train, "cross-validate": cross_validate, "predict": predict}


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="histowidgets",
        description="Train and use pixel classifiers on the project folders of the studio.",
        epilog=_CODES,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    add_train(commands, _CODES)
    add_cross_validate(commands, _CODES)
    add_predict(commands, _CODES)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns
    -------
    int
        0 on success; 1 if the work failed; 2 if the arguments, the settings, or what they name were refused (the
        reason is on standard error); 130 if interrupted.
    """
    parsed = build_parser().parse_args(arguments)
    try:
        return _COMMANDS[parsed.command](parsed)
    except (HistowidgetsError, OSError, UnicodeDecodeError) as error:
        print(f"histowidgets: {error}", file=sys.stderr)
        return EXIT_REFUSED
    except KeyboardInterrupt:
        print("histowidgets: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
