"""The command `histowidgets cross-validate`."""

import argparse
import json
from pathlib import Path
from typing import Any

from histowidgets.cli._inputs import require_new, require_project
from histowidgets.cli._log import Log, add_log_options
from histowidgets.cli._progress import EXIT_INTERRUPTED, EXIT_OK, terminate_like_interrupt
from histowidgets.cli._settings import add_settings, read_settings
from histowidgets.errors import SettingsError


def add_cross_validate(commands: Any, epilog: str) -> None:
    """Add the command and its arguments to the parser."""
    parser = commands.add_parser(
        "cross-validate",
        help="train and score on folds that share no pixel",
        description="Train once for each fold, and score on the labels that it holds out. Ctrl+C or SIGTERM stops the "
        "work and keeps the finished folds.",
        epilog=epilog,
    )
    parser.add_argument("project", type=Path, help="project folder")
    parser.add_argument("--folds", type=int, default=5, help="number of folds, 2 to 20 (default 5)")
    parser.add_argument(
        "--groups",
        type=Path,
        metavar="JSON",
        help="JSON file that maps image names to groups, such as patients; the images of a group are held out together",
    )
    parser.add_argument("--output", "-o", type=Path, metavar="JSON", help="also write the scores to this file")
    parser.add_argument("--force", action="store_true", help="overwrite the file of --output")
    add_log_options(parser)
    add_settings(parser)


def cross_validate(arguments: argparse.Namespace) -> int:
    """Cross-validate, showing the progress, and print the scores; return the exit code."""
    log = Log.of(arguments)
    require_project(arguments.project)
    if arguments.output is not None:
        require_new(arguments.output, arguments.force)
    from tqdm import tqdm

    from histowidgets.annotations import Project
    from histowidgets.training import EpochRecord
    from histowidgets.training import cross_validate as run_folds

    settings, groups = read_settings(arguments), _read_groups(arguments.groups)
    with (
        terminate_like_interrupt(),
        tqdm(total=arguments.folds * settings.epochs, unit="epoch", disable=log.disable) as bar,
    ):

        def show(fold: int, folds: int, record: EpochRecord) -> None:
            bar.update((fold - 1) * settings.epochs + record["epoch"] - bar.n)
            score = "" if record["val_miou"] is None else f", mIoU {record['val_miou']:.3f}"
            bar.set_postfix_str(f"fold {fold} of {folds}{score}")
            if bar.disable:
                line = f"fold {fold}/{folds}, epoch {record['epoch']}/{settings.epochs}{score}"
                log.message(line, "epoch", fold=fold, folds=folds, **record)

        project = Project.open(arguments.project)
        result = run_folds(project, settings, folds=arguments.folds, progress=show, groups=groups)
    log.result(str(result), **result.to_dict())
    if arguments.output is not None:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(json.dumps(result.to_dict(), indent=2, ensure_ascii=False), encoding="utf-8")
    return EXIT_INTERRUPTED if result.cancelled else EXIT_OK


def _read_groups(path: Path | None) -> dict[str, str] | None:
    if path is None:
        return None
    try:
        groups = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SettingsError(f"{path} is not JSON: {error}.") from error
    if not isinstance(groups, dict) or not all(isinstance(group, str) for group in groups.values()):
        raise SettingsError(f'{path} must be a JSON object of image names and groups, such as {{"image": "patient"}}.')
    return groups
