"""What a command tells while it works: lines of text, or of JSON."""

import argparse
import json
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


def add_log_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``, ``--quiet`` and ``--verbose`` to the parser of a command."""
    group = parser.add_argument_group("output")
    group.add_argument(
        "--json", action="store_true", help="print one JSON object per line to standard output, instead of text"
    )
    how_much = group.add_mutually_exclusive_group()
    how_much.add_argument("--quiet", "-q", action="store_true", help="print only the result, warnings and errors")
    how_much.add_argument("--verbose", "-v", action="store_true", help="print each step, and the traceback of an error")


@dataclass(frozen=True)
class Log:
    """Where a command's words go.

    As text, the result goes to standard output and all else to standard error. As JSON, each line of standard output is
    an object with the keys ``event`` ("result", "warning", "error", "message" and those of the command), ``time``
    (ISO 8601, UTC), ``text``, and the values that belong to the event.

    Attributes
    ----------
    as_json : bool
        Whether to print JSON.
    quiet : bool
        Whether to print only the result, warnings and errors.
    verbose : bool
        Whether to print each step, and tracebacks.
    """

    as_json: bool = False
    quiet: bool = False
    verbose: bool = False

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> "Log":
        """Return the log that the arguments of a command ask for."""
        return cls(*(bool(getattr(arguments, name, False)) for name in ("json", "quiet", "verbose")))

    @property
    def has_bars(self) -> bool:
        """Whether to draw progress bars, if standard error is a terminal."""
        return not (self.as_json or self.quiet)

    @property
    def disable(self) -> bool | None:
        """The argument of tqdm with that name; None lets it draw in a terminal only."""
        return None if self.has_bars else True

    def result(self, text: str, **values: Any) -> None:
        """Print what the command was called for."""
        self._print("result", text, values, sys.stdout)

    def message(self, text: str, event: str = "message", **values: Any) -> None:
        """Print what is good to know, unless the log is quiet."""
        if not self.quiet:
            self._print(event, text, values, sys.stderr)

    def step(self, text: str, event: str = "step", **values: Any) -> None:
        """Print a detail, if the log is verbose."""
        if self.verbose:
            self._print(event, text, values, sys.stderr)

    def warning(self, text: str, **values: Any) -> None:
        """Print a warning."""
        self._print("warning", text if self.as_json else f"warning: {text}", values, sys.stderr)

    def error(self, error: BaseException | str, **values: Any) -> None:
        """Print an error; with its traceback if the log is verbose."""
        if self.as_json:
            self._print("error", str(error), values, sys.stdout)
        print(f"histowidgets: {error}", file=sys.stderr)
        if self.verbose and isinstance(error, BaseException):
            traceback.print_exception(error)

    @contextmanager
    def takes_warnings(self) -> Iterator[None]:
        """Print Python's warnings as this log's, without the line of code that raised them."""

        def show(message: Warning | str, *_: Any, **__: Any) -> None:
            self.warning(str(message))

        with warnings.catch_warnings():
            warnings.showwarning = show
            yield

    def _print(self, event: str, text: str, values: dict[str, Any], file: Any) -> None:
        if self.as_json:
            line = {"event": event, "time": datetime.now(UTC).isoformat(timespec="seconds"), "text": text, **values}
            print(json.dumps(line, ensure_ascii=False, default=str), flush=True)
        else:
            print(text, file=file, flush=True)
