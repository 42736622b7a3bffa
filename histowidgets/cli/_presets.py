"""The command `histowidgets presets`."""

import argparse
from typing import Any

from histowidgets.cli._progress import EXIT_OK


def add_presets(commands: Any, epilog: str) -> None:
    """Add the command and its arguments to the parser."""
    parser = commands.add_parser(
        "presets",
        help="list the presets of settings",
        description="List the presets of settings, or print one as JSON, for a file for --settings.",
        epilog=epilog,
    )
    parser.add_argument("name", nargs="?", help="print the settings of this preset as JSON")


def presets(arguments: argparse.Namespace) -> int:
    """List the presets, or print one; return the exit code."""
    from histowidgets.training import TrainingSettings

    if arguments.name is not None:
        print(TrainingSettings.preset(arguments.name).to_json())
        return EXIT_OK
    usual = TrainingSettings().model_dump(mode="json")
    for name in TrainingSettings.preset_names():
        values = TrainingSettings.preset(name).model_dump(mode="json")
        changed = ", ".join(f"{key}={value}" for key, value in values.items() if value != usual[key])
        print(f"{name}: {changed or 'the defaults'}")
    return EXIT_OK
