"""The command `histowidgets train`."""

import argparse
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from histowidgets.cli._inputs import require_new, require_project
from histowidgets.cli._log import Log, add_log_options
from histowidgets.cli._progress import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_REFUSED,
    RunProgress,
    follow,
    terminate_like_interrupt,
)
from histowidgets.cli._settings import add_settings, read_settings, settings_are_given
from histowidgets.errors import HistowidgetsError, ProjectFolderError, SettingsError

if TYPE_CHECKING:
    from histowidgets.annotations import Project
    from histowidgets.training import TrainingRun, TrainingSettings


def add_train(commands: Any, epilog: str) -> None:
    """Add the command and its arguments to the parser."""
    parser = commands.add_parser(
        "train",
        help="train a network on the annotations of a project",
        description="Train a network on the annotations of a project. Ctrl+C or SIGTERM stops within one batch and "
        "keeps the best weights so far. With several processes or GPUs: "
        "torchrun --nproc-per-node 2 -m histowidgets train ...",
        epilog=epilog,
    )
    parser.add_argument("project", type=Path, help="project folder")
    parser.add_argument(
        "--output", "-o", type=Path, help="folder for the classifier (default: classifiers/<run> in the project)"
    )
    parser.add_argument("--force", action="store_true", help="replace an existing classifier at --output")
    parser.add_argument(
        "--dry-run", action="store_true", help="check everything and estimate time and memory, without training"
    )
    parser.add_argument("--resume", action="store_true", help="resume the last run, if it was interrupted")
    parser.add_argument("--tensorboard", type=Path, metavar="DIR", help="write TensorBoard event files to this folder")
    add_log_options(parser)
    add_settings(parser)


def train(arguments: argparse.Namespace) -> int:
    """Train, showing the progress, and save the classifier; return the exit code."""
    log = Log.of(arguments)
    require_project(arguments.project)
    if arguments.output is not None:
        require_new(arguments.output, arguments.force)
    from histowidgets.training import joined, write_tensorboard

    settings = read_settings(arguments)
    if arguments.dry_run:
        return _dry_run(arguments.project, settings, log)
    with terminate_like_interrupt(), joined() as together:
        first = together.rank == 0
        if arguments.resume and together.size > 1:
            raise SettingsError("--resume works in a single process only. Resume without torchrun, or start a new run.")
        project = together.first_then_others(lambda: _open(arguments.project, for_writing=first))
        run = _start(arguments, settings, project, first, log)
        if first and arguments.tensorboard is not None:
            write_tensorboard(run, arguments.tensorboard)
        interrupted = follow(run, RunProgress(run.settings.epochs, log) if first else None)
    if run.error is not None:
        if first:
            log.error(f"the training failed: {run.error}")
        return EXIT_FAILED
    classifier = run.classifier
    if first and classifier is None:
        log.warning("interrupted before the first weights were kept: nothing was saved")
    elif first and classifier is not None:
        output = arguments.output or arguments.project / "classifiers" / run.id
        try:
            classifier.save(output)
        except (HistowidgetsError, OSError) as error:
            log.error(error)
            return EXIT_FAILED
        log.result(
            f"saved {output} (epoch {run.best_epoch}, {run.state})",
            classifier=str(output),
            epoch=run.best_epoch,
            state=run.state,
            scores=classifier.scores,
        )
    return EXIT_INTERRUPTED if interrupted or run.state == "stopped" else EXIT_OK


def _dry_run(folder: Path, settings: "TrainingSettings", log: Log) -> int:
    """Print the time and the memory that a run would need; return the exit code."""
    from histowidgets.annotations import Project
    from histowidgets.training import estimate

    with closing(Project.open(folder)) as project:
        found = estimate(project, settings)
    log.result(found.text(), fits=found.fits)
    return EXIT_OK if found.fits else EXIT_REFUSED


def _open(folder: Path, for_writing: bool) -> "Project":
    """Open a project; for writing, it must not be open in another session."""
    from histowidgets.annotations import Project

    project = Project.open(folder)
    if for_writing and project.read_only:
        raise ProjectFolderError(f"{folder} is read-only: {project.read_only_reason}")
    return project


def _start(
    arguments: argparse.Namespace, settings: "TrainingSettings", project: "Project", first: bool, log: Log
) -> "TrainingRun":
    """Start a run, or resume an interrupted one; with several processes, only the first writes the run's folder."""
    from histowidgets.training import find_unfinished_run, resume_training, start_training

    unfinished = find_unfinished_run(project) if arguments.resume else None
    if unfinished is None:
        return start_training(project if first else project.snapshot(), settings)
    log.message(f"resuming: {unfinished}", "resumed", run=str(unfinished.folder))
    return resume_training(unfinished.folder, project, settings if settings_are_given(arguments) else None)
