"""The parser of the command line, and its exit codes."""

import argparse
import difflib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from histowidgets import __version__
from histowidgets.cli._audit import add_audit, audit
from histowidgets.cli._cross_validate import add_cross_validate, cross_validate
from histowidgets.cli._export import add_export, export
from histowidgets.cli._info import add_info, info
from histowidgets.cli._inputs import require_classifier
from histowidgets.cli._log import Log
from histowidgets.cli._predict import add_predict, predict
from histowidgets.cli._presets import add_presets, presets
from histowidgets.cli._progress import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_REFUSED
from histowidgets.cli._report import add_report, report
from histowidgets.cli._train import add_train, train
from histowidgets.cli._weights import add_weights, weights
from histowidgets.errors import HistowidgetsError

_CODES = """exit codes: 0 success; 1 the work failed; 2 the arguments, the settings or the project were refused;
130 interrupted (the best result so far is kept)"""

_COMMANDS = {
    "train": train,
    "cross-validate": cross_validate,
    "predict": predict,
    "audit": audit,
    "report": report,
    "info": info,
    "presets": presets,
    "export": export,
    "weights": weights,
}
_PARSERS = {
    "train": add_train,
    "cross-validate": add_cross_validate,
    "predict": add_predict,
    "audit": add_audit,
    "report": add_report,
    "info": add_info,
    "presets": add_presets,
    "export": add_export,
    "weights": add_weights,
}


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of all commands, or of a single one, which takes less time to build."""
    parser = argparse.ArgumentParser(
        prog="histowidgets",
        description="Train and use pixel classifiers on the project folders of the studio.",
        epilog=_CODES,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"histowidgets {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    for name, add in _PARSERS.items():
        if command in (None, name):
            add(commands, _CODES)
    return parser


class _Parser(argparse.ArgumentParser):
    """A parser that accepts no abbreviated options: an abbreviation may become ambiguous in a later version."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**{**keywords, "allow_abbrev": False})

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Report an unknown option before any other error, and suggest a similar one."""
        given = list(args or ())
        options = given[: given.index("--")] if "--" in given else given
        for one in options:
            name = one.partition("=")[0]
            if name.startswith("--") and name not in self._option_string_actions:
                known = [option for option in self._option_string_actions if option.startswith("--")]
                near = difflib.get_close_matches(name, known, 1)
                self.error(f"there is no option {name}" + (f"; did you mean {near[0]}?" if near else ""))
        return super().parse_known_args(args, namespace)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns
    -------
    int
        0 on success; 1 if the work failed; 2 if the arguments, the settings, or the project were refused (the reason is
        on standard error); 130 if interrupted.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    command = "" if given[:1] == ["--version"] else given[0] if given and given[0] in _COMMANDS else None
    log = Log()
    try:
        _refuse_wrong_folder(given)
        parsed = build_parser(command).parse_args(given)
        log = Log.of(parsed)
        with log.takes_warnings():
            code = _COMMANDS[parsed.command](parsed)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader of the output, such as `head`, has closed it: discard the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except (HistowidgetsError, OSError, UnicodeDecodeError) as error:
        log.error(error)
        return EXIT_REFUSED
    except KeyboardInterrupt:
        log.error("interrupted")
        return EXIT_INTERRUPTED


def _refuse_wrong_folder(given: Sequence[str]) -> None:
    """Reject a wrong classifier folder at once: importing the options of `predict` takes a second."""
    if (
        given[:1] == ["predict"]
        and len(given) > 2
        and not given[1].startswith("-")
        and not {"-h", "--help"} & set(given)
    ):
        require_classifier(Path(given[1]))
