"""The command line: `histowidgets train`, `predict` and `cross-validate`, on the folders that the studio writes."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from histowidgets.cli._exit_codes import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, EXIT_REFUSED
from histowidgets.cli._predict import add_predict, predict
from histowidgets.errors import HistowidgetsError, ProjectFolderError, SettingsError

if TYPE_CHECKING:
    from histowidgets.annotations import Project
    from histowidgets.training import TrainingRun, TrainingSettings

_CODES = """exit codes: 0 all went well; 1 the work failed on the way; 2 the arguments, the settings or the project were
refused; 130 interrupted (what was best until then is kept)"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="histowidgets",
        description="Train and use pixel classifiers on the project folders of the studio.",
        epilog=_CODES,
    )
    commands = parser.add_subparsers(dest="command", required=True)

    train = commands.add_parser(
        "train",
        help="train a network on a project's annotations",
        description="Train a network on a project's annotations. Ctrl+C, or SIGTERM, stops within a batch and keeps "
        "the best weights so far. Several processes or GPUs: torchrun --nproc-per-node 2 -m histowidgets train ...",
        epilog=_CODES,
    )
    train.add_argument("project", type=Path, help="project folder")
    train.add_argument(
        "--output",
        "--out",
        "-o",
        type=Path,
        help="folder for the classifier (default: classifiers/<run> in the project)",
    )
    train.add_argument("--resume", action="store_true", help="go on with the last run, if it broke off")
    train.add_argument("--tensorboard", type=Path, metavar="DIR", help="write TensorBoard event files to this folder")
    _add_settings(train)

    check = commands.add_parser("cross-validate", help="train and score on folds that share no pixel", epilog=_CODES)
    check.add_argument("project", type=Path, help="project folder")
    check.add_argument("--folds", type=int, default=5, help="number of folds, 2 to 20 (default 5)")
    check.add_argument(
        "--groups",
        type=Path,
        metavar="JSON",
        help="file that gives images their groups, such as patients: a group is held out together",
    )
    check.add_argument("--output", "--out", "-o", type=Path, metavar="JSON", help="write the scores to this file, too")
    _add_settings(check)

    add_predict(commands, _CODES)
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--settings", type=Path, help="JSON file of settings")
    parser.add_argument(
        "--preset", help="ready-made settings (default cpu); --settings changes them where both are given"
    )
    parser.add_argument("--epochs", type=int, help="epochs, instead of those of the settings")
    parser.add_argument("--max-seconds", type=float, help="time limit in seconds, instead of that of the settings")


def _settings(arguments: argparse.Namespace) -> "TrainingSettings":
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


def _train(arguments: argparse.Namespace) -> int:
    from histowidgets.cli._progress import Bars, follow, terminated_like_interrupted
    from histowidgets.training import joined, write_tensorboard

    settings = _settings(arguments)
    with terminated_like_interrupted(), joined() as together:
        first = together.rank == 0
        if arguments.resume and together.size > 1:
            raise SettingsError("--resume is for one process. Leave torchrun out, or start a new run.")
        project = together.first_then_others(lambda: _open(arguments.project, wanted=first))
        run = _started(arguments, settings, project, first)
        if first and arguments.tensorboard is not None:
            write_tensorboard(run, arguments.tensorboard)
        interrupted = follow(run, Bars(run.settings.epochs) if first else None)
    if run.error is not None:
        print(f"histowidgets: the training failed: {run.error}", file=sys.stderr)
        return EXIT_FAILED
    classifier = run.classifier
    if first and classifier is None:
        print("interrupted before there was anything to keep: nothing was saved", file=sys.stderr)
    elif first and classifier is not None:
        output = arguments.output or arguments.project / "classifiers" / run.id
        try:
            classifier.save(output)
        except (HistowidgetsError, OSError) as error:
            print(f"histowidgets: {error}", file=sys.stderr)
            return EXIT_FAILED
        print(f"saved {output} (epoch {run.best_epoch}, {run.state})")
    return EXIT_INTERRUPTED if interrupted or run.state == "stopped" else EXIT_OK


def _open(folder: Path, wanted: bool) -> "Project":
    """Open a project; one that is `wanted` for writing must be free."""
    from histowidgets.annotations import Project

    project = Project.open(folder)
    if wanted and project.read_only:
        raise ProjectFolderError(f"{folder} is open elsewhere: {project.held_by}. Close it there, then train.")
    return project


def _started(
    arguments: argparse.Namespace, settings: "TrainingSettings", project: "Project", first: bool
) -> "TrainingRun":
    """Start a run, or go on with the one that broke off; of several processes the first alone writes its folder."""
    from histowidgets.training import find_unfinished_run, resume_training, start_training

    broken = find_unfinished_run(project) if arguments.resume else None
    if broken is None:
        return start_training(project if first else project.snapshot(), settings)
    print(f"going on: {broken}", file=sys.stderr)
    chosen = (arguments.settings, arguments.preset, arguments.epochs, arguments.max_seconds)
    return resume_training(broken.folder, project, None if chosen == (None,) * 4 else settings)


def _cross_validate(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm

    from histowidgets.annotations import Project
    from histowidgets.cli._progress import terminated_like_interrupted
    from histowidgets.training import EpochRecord, cross_validate

    settings, groups = _settings(arguments), _groups(arguments.groups)
    with (
        terminated_like_interrupted(),
        tqdm(total=arguments.folds * settings.epochs, unit="epoch", disable=None) as bar,
    ):

        def show(fold: int, folds: int, record: EpochRecord) -> None:
            bar.update((fold - 1) * settings.epochs + record["epoch"] - bar.n)
            score = "" if record["val_miou"] is None else f", mIoU {record['val_miou']:.3f}"
            bar.set_postfix_str(f"fold {fold} of {folds}{score}")

        project = Project.open(arguments.project)
        result = cross_validate(project, settings, folds=arguments.folds, progress=show, groups=groups)
    print(result)
    if arguments.output is not None:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(json.dumps(result.to_dict(), indent=2, ensure_ascii=False), encoding="utf-8")
    return EXIT_INTERRUPTED if result.cancelled else EXIT_OK


def _groups(path: Path | None) -> dict[str, str] | None:
    if path is None:
        return None
    try:
        groups = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SettingsError(f"{path} is no JSON: {error}.") from error
    if not isinstance(groups, dict) or not all(isinstance(group, str) for group in groups.values()):
        raise SettingsError(
            f'{path}: a JSON object of image names and groups is wanted, such as {{"image": "patient"}}.'
        )
    return groups


_COMMANDS = {"train": _train, "cross-validate": _cross_validate, "predict": predict}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns
    -------
    int
        0 when all went well; 1 when the work failed on the way; 2 when the arguments, the settings, or what they
        name were refused (the reason is on standard error); 130 when interrupted.
    """
    parsed = _parser().parse_args(arguments)
    try:
        return _COMMANDS[parsed.command](parsed)
    except (HistowidgetsError, OSError, UnicodeDecodeError) as error:
        print(f"histowidgets: {error}", file=sys.stderr)
        return EXIT_REFUSED
    except KeyboardInterrupt:
        print("histowidgets: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
