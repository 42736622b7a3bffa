"""The command `histowidgets report`."""

import argparse
from pathlib import Path
from typing import Any

from histowidgets._durations import clock
from histowidgets.cli._inputs import require_classifier, require_new, require_project
from histowidgets.cli._log import Log, add_log_options
from histowidgets.cli._progress import EXIT_OK, terminate_like_interrupt


def add_report(commands: Any, epilog: str) -> None:
    """Add the command and its arguments to the parser."""
    parser = commands.add_parser(
        "report",
        help="one HTML file about a project, with a methods paragraph, and a notebook that replays it",
        description="Write the images with their annotations, the last training with its curves, scores and audits "
        "with intervals, predictions, settings, versions and a methods paragraph as one HTML file that needs no "
        "network; and beside it a notebook that trains again, to the same weights.",
        epilog=epilog,
    )
    parser.add_argument("project", type=Path, help="project folder")
    parser.add_argument("--output", "-o", type=Path, required=True, metavar="FILE", help="the file to write, .html")
    parser.add_argument(
        "--classifier", type=Path, metavar="FOLDER", help="predict with this classifier instead of that of the last run"
    )
    parser.add_argument("--no-notebook", action="store_true", help="write no notebook")
    parser.add_argument("--force", action="store_true", help="overwrite an existing file, and the notebook beside it")
    add_log_options(parser)


def report(arguments: argparse.Namespace) -> int:
    """Write the report; return the exit code."""
    require_project(arguments.project)
    if arguments.classifier is not None:
        require_classifier(arguments.classifier)
    require_new(arguments.output, arguments.force)
    if not arguments.no_notebook:
        require_new(arguments.output.with_suffix(".ipynb"), arguments.force)
    from histowidgets.reporting import report as write

    log = Log.of(arguments)

    def show(done: int, total: int, step: str, seconds_left: float | None) -> None:
        if done < total:
            left = "" if seconds_left is None else f", about {clock(seconds_left)} left"
            text = f"step {done + 1} of {total}: {step}{left}"
            log.message(text, "progress", done=done, total=total, seconds_left=seconds_left)

    with terminate_like_interrupt():
        path = write(
            arguments.project,
            arguments.output,
            classifier=arguments.classifier,
            notebook=not arguments.no_notebook,
            progress=show,
        )
    log.result(f"saved {path}", output=str(path))
    return EXIT_OK
