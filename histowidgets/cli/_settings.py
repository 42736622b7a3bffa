"""The arguments for training settings, shared by several commands."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from histowidgets.errors import SettingsError

if TYPE_CHECKING:
    from histowidgets.training import TrainingSettings


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the arguments to a command."""
    parser.add_argument("--settings", type=Path, help="JSON file of settings")
    parser.add_argument("--preset", help="preset of settings (default cpu); --settings overrides it")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        dest="changes",
        metavar="NAME=VALUE",
        help="one setting, such as learning_rate=0.001 or channels=DAPI,CD8; may be repeated, overrides all others",
    )
    parser.add_argument("--device", help="where to train: auto, cpu, cuda or mps")
    parser.add_argument("--seed", type=int, help="random seed")
    parser.add_argument("--epochs", type=int, help="number of epochs, overriding the settings")
    parser.add_argument("--max-seconds", type=float, help="time limit in seconds, overriding the settings")


def settings_are_given(arguments: argparse.Namespace) -> bool:
    """Return whether any of the arguments was given."""
    given = (arguments.settings, arguments.preset, *_single(arguments).values())
    return bool(arguments.changes) or any(value is not None for value in given)


def _single(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that have their own argument; None for those that were not given."""
    return {name: getattr(arguments, name) for name in ("epochs", "max_seconds", "device", "seed")}


def read_settings(arguments: argparse.Namespace) -> "TrainingSettings":
    """Return the settings described by the arguments.

    Raises
    ------
    SettingsError
        A setting is unknown or out of range; the message names the file.
    """
    from histowidgets.training import TrainingSettings

    settings = TrainingSettings.preset(arguments.preset or "cpu")
    if arguments.settings is not None:
        text = _text_of(arguments.settings)
        try:
            given = TrainingSettings.from_json(text)
            settings = settings.model_copy(update={name: getattr(given, name) for name in json.loads(text)})
        except SettingsError as error:
            raise SettingsError(f"{arguments.settings}: {error}") from error
    update = {name: value for name, value in _single(arguments).items() if value is not None}
    for change in arguments.changes:
        name, value = _parsed(change, TrainingSettings)
        update[name] = value
    return TrainingSettings(**{**settings.model_dump(), **update})


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(
            f"The settings file {path} cannot be read: {reason}. Give a JSON file, or single settings with --set "
            "NAME=VALUE."
        ) from error


def _parsed(change: str, settings: "type[TrainingSettings]") -> tuple[str, Any]:
    """Split ``name=value``; the value is JSON, text, or, for settings that hold names, a comma-separated list."""
    name, equals, text = (part.strip() for part in change.partition("="))
    if not equals or not name:
        raise SettingsError(f"--set was given {change!r}; expected NAME=VALUE, such as --set learning_rate=0.001.")
    name = name.replace("-", "_")
    field = settings.model_fields.get(name)
    wanted = "" if field is None else str(field.annotation)
    if text.lower() in ("none", "") and "None" in wanted:
        return name, None
    try:
        value = json.loads(text)
    except ValueError:
        value = {"true": True, "false": False}.get(text.lower(), text)
    if isinstance(value, str) and "tuple" in wanted and ("," in value or "str |" not in wanted):
        value = [part.strip() for part in value.split(",") if part.strip()]
    return name, value
