"""The arguments for training settings, which several commands share."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from histowidgets.errors import SettingsError

if TYPE_CHECKING:
    from histowidgets.training import TrainingSettings


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the arguments to a command."""
    parser.add_argument("--settings", type=Path, help="JSON file of settings")
    parser.add_argument("--preset", help="ready-made settings (default cpu); those of --settings replace them")
    parser.add_argument("--epochs", type=int, help="epochs, instead of those of the settings")
    parser.add_argument("--max-seconds", type=float, help="time limit in seconds, instead of that of the settings")


def settings_are_given(arguments: argparse.Namespace) -> bool:
    """Return whether any of the arguments was given."""
    given = (arguments.settings, arguments.preset, arguments.epochs, arguments.max_seconds)
    return any(value is not None for value in given)


def read_settings(arguments: argparse.Namespace) -> "TrainingSettings":
    """Return the settings that the arguments describe.

    Raises
    ------
    SettingsError
        A setting is unknown or out of its range; the message names the file.
    """
    from histowidgets.training import TrainingSettings

    settings = TrainingSettings.preset(arguments.preset or "cpu")
    if arguments.settings is not None:
        text = arguments.settings.read_text(encoding="utf-8")
        try:
            given = TrainingSettings.from_json(text)
            settings = settings.model_copy(update={name: getattr(given, name) for name in json.loads(text)})
        except SettingsError as error:
            raise SettingsError(f"{arguments.settings}: {error}") from error
    changed = {"epochs": arguments.epochs, "max_seconds": arguments.max_seconds}
    update = {name: value for name, value in changed.items() if value is not None}
    return TrainingSettings(**{**settings.model_dump(), **update})
